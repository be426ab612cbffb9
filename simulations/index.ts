/** Simulations: the production code under virtual time. `import … from "tenantry/simulations"`. */

import type { Workload } from "./pool/workload.js";
import { conduct, type ScenarioResult, type ScenarioRun } from "./scenario.js";
import { findScenario, SCENARIOS } from "./scenarios/index.js";
import { type TraceSettings, traceScenario } from "./scenarios/trace.js";

export type { Arrivals, Workload } from "./pool/workload.js";
export {
  type Box,
  type BoxChart,
  type BoxSeries,
  type Chart,
  type HeatMap,
  type OccupancyChart,
  type Picture,
  type Report,
  renderChart,
  renderComparison,
  renderReport,
  type Series,
  type Side,
  type Table,
} from "./report/index.js";
export {
  atLeast,
  atMost,
  concluded,
  defineInParts,
  defineScenario,
  type Expectation,
  type Findings,
  outcomeOf,
  type Parts,
  type Recording,
  type Replays,
  type Scenario,
  type ScenarioOutcome,
  type ScenarioResult,
  type ScenarioRun,
} from "./scenario.js";
export type { TraceSettings } from "./scenarios/trace.js";
export * from "./world/index.js";

/** Every scenario's name, its title, and the policy it is about, if it is about one; in the order of the list. */
export function listScenarios(): { name: string; title: string; policy?: string }[] {
  return SCENARIOS.map(({ name, title, policy }) => ({ name, title, ...(policy !== undefined && { policy }) }));
}

/**
 * Runs a scenario to its end, synchronously.
 *
 * @param options `seed`, a whole number (default 1); `onProgress(fraction)`
 * @throws TenantryError UNKNOWN, listing what there is, or BAD_ARGUMENT for the seed
 * @example const { figures, met } = runScenario("retro/bottleneck-fairness", { seed: 7 });
 */
export function runScenario(name: string, options: Partial<ScenarioRun> = {}): ScenarioResult {
  return conduct(findScenario(name), options);
}

/**
 * Runs a recorded trace, as `readTrace` gives it, under schedulers and estimators.
 *
 * @param file how it is called in the report
 * @throws TenantryError BAD_ARGUMENT when a setting is out of range
 */
export function conductTrace(
  file: string,
  workload: Workload,
  settings: TraceSettings = {},
  options: Partial<ScenarioRun> = {},
): ScenarioResult {
  return conduct(traceScenario(file, workload, settings), options);
}
