/** The thread of `tenantry policy try`: the scenario with the policy in the place of the one it is about, then as it is. */
import { soundRates } from "../policies/conformance/index.js";
import { type Params, POLICIES, type Policy, paramsOf } from "../policies/index.js";
import { loadPolicy, withPlace } from "../policies/io/index.js";
import { TenantryError } from "../proto/errors.js";
import { runScenario, type ScenarioResult, type ScenarioRun } from "../simulations/index.js";
import { readRecording } from "../simulations/io/index.js";
import { saying, sayProgress, work } from "./watched-thread.js";

export interface TryInput {
  path: string;
  scenario: string;
  seed: number;
  quick: boolean;
  /** Name of the policy in whose place it decides. */
  insteadOf: string;
  /** Parameters that are as is said here, whatever the scenario sets. */
  params: Record<string, number>;
}

export interface TryOutcome extends Trial {
  policy: string;
  insteadOf: string;
  current: ScenarioResult;
  tried: ScenarioResult;
}

/** How the policy fared, over all that the scenario asked of it. */
interface Trial {
  /** Its parameters, and which of them the scenario set. */
  params: Params;
  byScenario: string[];
  decisions: number;
  /** Decisions that a controller would have refused, and what was wrong with the first. */
  refusals: number;
  refused: string | null;
}

await work(async (input: TryInput) => {
  const [policy, given] = await Promise.all([loadPolicy(input.path), readRecording(input.scenario)]);
  return tryPolicy(policy, input, given);
});

function tryPolicy(policy: Policy, input: TryInput, given: Pick<ScenarioRun, "recording">): TryOutcome {
  const { scenario, seed, quick, insteadOf } = input;
  const trial: Trial = { params: paramsOf(policy, input.params), byScenario: [], decisions: 0, refusals: 0, refused: null };
  const half = (from: number) => (fraction: number) => sayProgress(from + fraction / 2);
  const inPlaceOf = { [insteadOf]: standIn(policy, input, trial) };
  const tried = runScenario(scenario, { ...given, seed, quick, inPlaceOf, onProgress: half(0) });
  if (trial.decisions === 0) {
    throw new TenantryError("BAD_ARGUMENT", `scenario ${scenario} does not ask ${insteadOf}; say --instead-of one that it asks`);
  }
  const current = runScenario(scenario, { ...given, seed, quick, onProgress: half(0.5) });
  return { ...trial, policy: policy.name, insteadOf, current, tried };
}

/** The policy under the name of the one in whose place it decides; how it fares is written to the trial. */
function standIn(policy: Policy, { insteadOf, params: fixed, path }: TryInput, trial: Trial): Policy {
  const replaced = POLICIES.find(({ name }) => name === insteadOf) as Policy;
  const said = saying(policy, () => "in the simulation");
  return {
    name: replaced.name,
    params: replaced.params,
    decide(view, set) {
      trial.decisions++;
      for (const [key, value] of Object.entries(set)) {
        if (value !== replaced.params[key] && !Object.hasOwn(fixed, key)) takeOver(policy, key, value, trial);
      }
      try {
        return soundRates(view, said.decide(view, trial.params));
      } catch (error) {
        trial.refusals++;
        trial.refused ??= withPlace(error, path);
        throw error;
      }
    },
  };
}

/** A parameter that both policies have is as the scenario sets it for the one, where the other allows it. */
function takeOver(policy: Policy, key: string, value: number, trial: Trial): void {
  if (!Object.hasOwn(policy.params, key) || value === trial.params[key]) return;
  try {
    trial.params = paramsOf(policy, { ...trial.params, [key]: value });
    if (!trial.byScenario.includes(key)) trial.byScenario.push(key);
  } catch {
    // Out of its range: as its author left it.
  }
}
