/** The thread of `tenantry policy check`: loads the policy, and holds it to the rules. */
import { checkPolicy, type Verdict } from "../policies/conformance/index.js";
import type { Policy } from "../policies/index.js";
import { loadPolicy, withPlace } from "../policies/io/index.js";
import { TenantryError } from "../proto/errors.js";
import { saying, work } from "./watched-thread.js";

export interface CheckInput {
  path: string;
  seed: number;
  views: number;
}

export interface CheckOutcome {
  policy: string;
  params: Record<string, number>;
  verdicts: Verdict[];
}

await work(async ({ path, seed, views }: CheckInput): Promise<CheckOutcome> => {
  const policy = await loadPolicy(path);
  let rule = "";
  const verdicts = checkPolicy(
    saying(placing(policy, path), () => rule),
    {
      seed,
      views,
      onRule: (next) => {
        rule = next.name;
      },
    },
  );
  return { policy: policy.name, params: { ...policy.params }, verdicts };
});

/** The same policy, which says where in its file it throws. */
function placing(policy: Policy, path: string): Policy {
  return {
    ...policy,
    decide(view, params) {
      try {
        return policy.decide(view, params);
      } catch (error) {
        // What is coded is ours, and tells itself what is wrong.
        const says = error instanceof TenantryError ? "" : "it throws ";
        throw new TenantryError("BAD_POLICY", `${says}${withPlace(error, path)}`, { cause: error });
      }
    },
  };
}
