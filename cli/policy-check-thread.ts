/** The thread of `tenantry policy check`: loads the policy, and holds it to the rules. */
import { checkPolicy, type Verdict } from "../policies/conformance/index.js";
import { loadPolicy } from "../policies/io/index.js";
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
    saying(policy, () => rule),
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
