/**
 * Dominant resource fairness [Ghodsi, NSDI 2011; Retro §4.2, R-DRF(α, β, T)]: where several resources are full at once, and
 * each tenant leans on another, nobody gets a larger part of its most used resource than its weight says, as long as others
 * want more of theirs.
 *
 *   D(w)   = max_r demand(r,w) / ceiling(r)        part of the cluster that w asks for, at the resource it leans on most
 *   x(w)   = progressive filling at speeds weight(w)/D(w), until r carries capacity(r), over all r that are not calm
 *   rate(p,w) at points that feed the resource r which stopped w: the rate that puts x(w)·demand(r,w) on r; else unlimited
 *
 * Where we differ from the paper, and why:
 * - R-DRF cuts by what its fixed-point iteration gives and never raises a rate, so a survivor stays cut for ever. Capacity and
 *   growth are those of budget.ts: on a resource that is calm again those held back grow, by max-min, up to β a window, until
 *   they are no longer held back.
 * - R-DRF takes what a resource carries for its capacity, so a tenant alone on an idle one seems to have all of it and is cut
 *   elsewhere for that. We judge a resource that is not full by what it could carry.
 * - Filling is exact (math/dominant-shares.ts), says which resource stopped whom, and only points that lead there are limited.
 * - It takes each tenant's needs to be in fixed proportion. Where they are not, as when a tenant reaches two full resources by
 *   different points, stopping it at one leaves it free at the other; what is then too much there is taken by max-min.
 * - Tenants stand in groups: weight(w) is w's part of its group's, and so on up (families.ts).
 */
import { budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { fairShares, standings } from "./families.js";
import { dominantShares, fillTogether } from "./math/dominant-shares.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";

/** Shares that differ by less do so by rounding. */
const ALMOST = 1 - 1e-9;

/** Equal dominant shares, by weight, over all resources at once [Retro §4.3; DRF]. */
export const dominantResourceFairness = definePolicy({
  name: "dominant-resource-fairness",
  /** α, β, T and K, as in budget.ts. */
  params: { ...PACE },
  ranges: PACE_RANGES,
  decide(view, params) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    const all = budgets(view, params);
    const ceilings = all.map(({ ceiling }) => ceiling);
    const capacities = all.map(({ calm, capacity }) => (calm ? Number.POSITIVE_INFINITY : capacity));
    const demands = all.map((budget) => budget.demands);
    const dominant = dominantShares(demands, ceilings);
    const speeds = standings(view, dominant, weights).map((weight, i) => weight / dominant[i]);
    const { granted, stoppedBy } = fillTogether(demands, capacities, speeds);
    for (const [r, budget] of all.entries()) {
      const filled = demands[r].slice();
      for (let i = 0; i < filled.length; i++) if (stoppedBy[i] === r) filled[i] *= granted[i];
      budget.give(rates, budget.calm ? fairShares(view, budget.capacity, budget.demands, weights) : filled);
    }
    for (const budget of all) {
      if (budget.calm) continue;
      const left = budget.left(rates);
      const fair = fairShares(view, budget.capacity, left, weights);
      for (let i = 0; i < fair.length; i++) if (fair[i] >= left[i] * ALMOST) fair[i] = Number.POSITIVE_INFINITY;
      budget.give(rates, fair);
    }
    return rates;
  },
});
