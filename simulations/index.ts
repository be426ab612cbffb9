/** Simulations: the production code under virtual time. `import … from "tenantry/simulations"`. */
import { TenantryError } from "../proto/errors.js";
import { conduct, type ScenarioResult, type ScenarioRun } from "./scenario.js";
import { SCENARIOS } from "./scenarios/index.js";

export {
  type Chart,
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
  defineScenario,
  type Expectation,
  type Findings,
  outcomeOf,
  type Scenario,
  type ScenarioOutcome,
  type ScenarioResult,
  type ScenarioRun,
} from "./scenario.js";
export * from "./world/index.js";

/** Every scenario's name and title, in the order of the list. */
export function listScenarios(): { name: string; title: string }[] {
  return SCENARIOS.map(({ name, title }) => ({ name, title }));
}

/**
 * Runs a scenario to its end, synchronously.
 *
 * @param options `seed`, a whole number (default 1); `onProgress(fraction)`
 * @throws TenantryError UNKNOWN, listing what there is, or BAD_ARGUMENT for the seed
 * @example const { figures, met } = runScenario("retro/bottleneck-fairness", { seed: 7 });
 */
export function runScenario(name: string, options: Partial<ScenarioRun> = {}): ScenarioResult {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) {
    const names = SCENARIOS.map((each) => each.name).join(", ");
    throw new TenantryError("UNKNOWN", `there is no scenario "${name.slice(0, 80)}"; there are: ${names}`);
  }
  return conduct(scenario, options);
}
