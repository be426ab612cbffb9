/** A thread that does parts of one scenario as it is asked for them. */
import { parentPort, workerData } from "node:worker_threads";
import { SCENARIOS } from "../scenarios/index.js";

const { name, seed } = workerData as { name: string; seed: number };
const parts = SCENARIOS.find((scenario) => scenario.name === name)!.parts!;

parentPort!.on("message", (part: number) => {
  parentPort!.postMessage({ part, done: parts.run(seed, part) });
});
