/** Simulations and the world: scenarios on several cores, traces from files. */
export { readTrace, type TraceFile } from "./read-trace.js";
export { type OnCores, runScenarioOnCores } from "./run-on-cores.js";
