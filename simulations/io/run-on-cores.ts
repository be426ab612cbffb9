/**
 * A scenario in parts, on as many threads as there are cores. Which thread does which part is chance; what comes out is not:
 * parts know nothing of each other, and are put together in order.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { checkedSeed, concluded, conduct, type ScenarioResult, type ScenarioRun } from "../scenario.js";
import { findScenario } from "../scenarios/index.js";

export interface OnCores extends Partial<ScenarioRun> {
  /** Threads at most; default: as many as there are cores. */
  cores?: number;
}

/**
 * As `runScenario`, faster for scenarios that come in parts.
 *
 * @throws TenantryError UNKNOWN or BAD_ARGUMENT, as `runScenario` does
 * @example const { figures } = await runScenarioOnCores("2dfq/random-suite", { seed: 7 });
 */
export async function runScenarioOnCores(name: string, options: OnCores = {}): Promise<ScenarioResult> {
  const scenario = findScenario(name);
  const { parts } = scenario;
  const count = (options.quick ? parts?.quickCount : parts?.count) ?? 1;
  const threads = Math.min(options.cores ?? availableParallelism(), count);
  if (parts === undefined || threads <= 1) return conduct(scenario, options);
  const seed = checkedSeed(name, options.seed);
  const done: unknown[] = new Array(count).fill(undefined);
  let next = 0;
  let finished = 0;
  const workers: Worker[] = [];
  try {
    await Promise.all(
      Array.from({ length: threads }, () => {
        const worker = new Worker(new URL("./part-worker.js", import.meta.url), { workerData: { name, seed } });
        workers.push(worker);
        return new Promise<void>((resolve, reject) => {
          const more = () => {
            if (next < count) worker.postMessage(next++);
            else resolve();
          };
          worker.on("error", reject);
          worker.on("message", ({ part, done: result }: { part: number; done: unknown }) => {
            done[part] = result;
            finished += 1;
            options.onProgress?.(finished / count);
            more();
          });
          more();
        });
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return concluded(scenario, seed, parts.findings(done));
}
