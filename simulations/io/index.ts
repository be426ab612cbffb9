/** Simulations and the world: scenarios on several cores, traces from files. */
export { readRecording } from "./read-recording.js";
export { readTrace } from "./read-trace.js";
export { type OnCores, runScenarioOnCores } from "./run-on-cores.js";
