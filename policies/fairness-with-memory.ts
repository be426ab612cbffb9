/**
 * Fairness with memory, after Karma [Vuppalapati et al., OSDI 2023]: what a tenant left unused is owed to it. Plain max-min
 * fairness forgets every second, so one who asks for much one minute in ten is treated then like one who asks for much always,
 * and over the hour has a tenth of what the other has. Here the water level counts what each has had before:
 *
 *   fair(r,w) = water level in c(r), where w stands on P · average(r,w) already        c(r): capacity, see budget.ts
 *               and never under g · MaxMin(c(r), demand(r,w), weight(w))
 *
 * P is how many windows of past use count against the present one; with P = 0 it is bottleneck fairness. g is Karma's
 * guaranteed part of the fair share, without which one who used much would be shut out until others have caught up.
 *
 * Where we differ from Karma, and why: it counts credits, one for every slice donated, and a policy keeps nothing. The view's
 * long-run average says the same: whoever used less than its share has a lower average than others, by just what it left. It
 * fades, so nobody can hoard credit for long; it is use and not demand, so nobody can earn by asking for less than it uses; and
 * a newcomer's is that of the mean, so nobody can earn by coming anew. The average moves slowly, so shares do not swing.
 * Where tenants belong to groups, shares go down the tree, and what its members had counts against a group.
 */
import { budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { fairShares, levelShares } from "./families.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";

/** Fair over minutes rather than over a window: what a tenant left unused counts in its favour. */
export const fairnessWithMemory = definePolicy({
  name: "fairness-with-memory",
  params: {
    /** P: windows of past use that count against the present one; ≥ 0. */
    patience: 10,
    /** g: part of the fair share of this moment that is never lost to the past, fraction of 1; > 0. */
    guaranteed: 0.5,
    /** α, β, T and K, as in budget.ts. */
    ...PACE,
  },
  ranges: { patience: [0, 100_000], guaranteed: [0, 1], ...PACE_RANGES },
  decide(view, params) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    for (const budget of budgets(view, params)) {
      const { demands } = budget;
      const already = budget.resource.averages.slice();
      const guarantees = fairShares(view, budget.capacity, demands, weights);
      for (let i = 0; i < already.length; i++) {
        already[i] *= params.patience;
        guarantees[i] *= params.guaranteed;
      }
      budget.give(rates, levelShares(view, budget.capacity, { demands, weights, guarantees, already }));
    }
    return rates;
  },
  remedy: ({ tenant: { weight }, resource }) =>
    `time, since what it used of ${resource?.name} lately counts against it and fades; requests that need less of it, a higher weight (now ${weight}), or more capacity behind it`,
});
