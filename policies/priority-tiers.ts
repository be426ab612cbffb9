/**
 * Priority tiers with a guaranteed minimum: where a resource is full, tier 0 is served before tier 1, tier 1 before tier 2, and
 * within a tier by weight. Nobody is shut out: before the first tier is served, everybody has a small part of its equal share.
 *
 *   floor(r,w) = min(demand(r,w), m · load(r) · weight(w) / Σ weight)                  Σ over whoever wants r
 *   fair(r,w)  = water level among its tier in what the tiers before left of c(r), and never under its floor
 *                                                                                     c(r): capacity, see budget.ts
 *
 * The tier is one of the terms agreed with a tenant (1 for whoever has none). Where nothing is full, tiers do not matter, and
 * nobody is limited. A minimum of 0 would starve the last tier, and what is starved shows no latency and no demand: it must be
 * above 0. A high tier's room is what it uses and what waits at throttles, so low tiers have what it leaves, window by window.
 * Where tenants belong to groups, what a tier has goes down the tree of them.
 */
import { budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { levelShares } from "./families.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";

/** A higher tier is served first; nobody falls below a guaranteed part of its equal share. */
export const priorityTiers = definePolicy({
  name: "priority-tiers",
  params: {
    /** m: part of its equal share that everybody has whatever its tier, fraction of 1; > 0. */
    minimum: 0.1,
    /** α, β, T and K, as in budget.ts. */
    ...PACE,
  },
  ranges: { minimum: [0, 1], ...PACE_RANGES },
  decide(view, params) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    const tierOf = view.tenants.map(({ terms }) => terms?.tier ?? 1);
    const tiers = [...new Set(tierOf)].sort((a, b) => a - b);
    for (const budget of budgets(view, params)) {
      const { demands } = budget;
      const guarantees = budget.minima(params.minimum, weights);
      let left = guarantees.reduce((rest, floor) => rest - floor, budget.capacity);
      const fair = new Float64Array(demands.length);
      for (const tier of tiers) {
        const theirs = new Float64Array(demands.length);
        let floors = 0;
        for (let i = 0; i < theirs.length; i++) {
          if (tierOf[i] !== tier) continue;
          theirs[i] = demands[i];
          floors += Math.min(demands[i], guarantees[i]);
        }
        const shares = levelShares(view, Math.max(0, left) + floors, { demands: theirs, weights, guarantees });
        for (let i = 0; i < shares.length; i++) {
          fair[i] += shares[i];
          left -= shares[i];
        }
        left += floors;
      }
      budget.give(rates, fair);
    }
    return rates;
  },
  remedy: ({ tenant: { terms }, resource }) =>
    `a higher tier (now ${terms?.tier ?? 1}; 0 is served first), requests that need less of ${resource?.name}, or more capacity behind ${resource?.name}`,
});
