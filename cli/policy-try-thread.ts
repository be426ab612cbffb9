/** The thread of `tenantry policy try`: the scenario as it is, then again with the policy in the place of the one it asks. */
import { POLICIES, type Policy } from "../policies/index.js";
import { loadPolicy } from "../policies/io/index.js";
import { TenantryError } from "../proto/errors.js";
import { runScenario, type ScenarioResult } from "../simulations/index.js";
import { saying, sayProgress, work } from "./watched-thread.js";

export interface TryInput {
  path: string;
  scenario: string;
  seed: number;
  insteadOf?: string;
}

export interface TryOutcome {
  /** The policy that is tried, and the one in whose place it decides. */
  policy: string;
  insteadOf: string;
  current: ScenarioResult;
  tried: ScenarioResult;
}

await work(({ path, ...input }: TryInput) => loadPolicy(path).then((policy) => tryPolicy(policy, input)));

function tryPolicy(policy: Policy, { scenario, seed, insteadOf }: Omit<TryInput, "path">): TryOutcome {
  const asked = new Set<string>();
  const noting = (each: Policy): Policy => ({
    ...each,
    decide(view, params) {
      asked.add(each.name);
      return each.decide(view, params);
    },
  });
  const half = (from: number) => (fraction: number) => sayProgress(from + fraction / 2);
  const everyOne = Object.fromEntries(POLICIES.map((each) => [each.name, noting(each)]));
  const current = runScenario(scenario, { seed, inPlaceOf: everyOne, onProgress: half(0) });
  const replaced = choose([...asked], scenario, insteadOf);
  const tried = runScenario(scenario, {
    seed,
    inPlaceOf: { [replaced.name]: inPlaceOf(replaced, policy) },
    onProgress: half(0.5),
  });
  return { policy: policy.name, insteadOf: replaced.name, current, tried };
}

/** The policy whose place it takes: the one that was asked, or that is said. */
function choose(asked: string[], scenario: string, insteadOf: string | undefined): Policy {
  const one = insteadOf ?? (asked.length === 1 ? asked[0] : undefined);
  if (asked.length === 0) throw new TenantryError("BAD_ARGUMENT", `scenario ${scenario} asks no policy; choose another`);
  if (one === undefined) {
    throw new TenantryError("BAD_ARGUMENT", `scenario ${scenario} asks ${asked.join(" and ")}; say --instead-of one of them`);
  }
  const policy = POLICIES.find(({ name }) => name === one);
  if (policy === undefined || !asked.includes(one)) {
    throw new TenantryError("BAD_ARGUMENT", `scenario ${scenario} does not ask a policy "${one}", but ${asked.join(" and ")}`);
  }
  return policy;
}

/** The policy under another's name. A parameter that both have is set as the scenario sets it. */
function inPlaceOf(replaced: Policy, policy: Policy): Policy {
  const named: Policy = {
    name: replaced.name,
    params: { ...replaced.params, ...policy.params },
    decide(view, params) {
      return policy.decide(view, Object.fromEntries(Object.keys(policy.params).map((key) => [key, params[key]])));
    },
  };
  return saying(named, () => "in the simulation");
}
