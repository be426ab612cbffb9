/**
 * Caps and guarantees: absolute rates agreed with a tenant, point by point. A cap is a limit, always. A guarantee is a promise:
 * while it is not kept because a resource is full, that resource is shared by the water level, with promises as its floors.
 *
 *   floor(r,w) = min( load that guarantee(p,w) puts on r, γ · demand(r,w) )       the most of it over points p that feed r
 *   broken(r)  = r is full, and some floor(r,w) > load(r,w)
 *   fair(r,·)  = water level in c(r) with these floors                            c(r): capacity, see budget.ts
 *                where r is not full, or no promise broken: as much as they ask for, but for those still held back
 *   rate(p,w)  = min( cap(p,w), the rate that puts fair(r,w) on r )
 *
 * What a tenant in a full queue would ask for were it not full cannot be known. So room is made for γ times what it asks for
 * now, window after window, until it has its guarantee or does not take the room: a promise that is not called for costs
 * the others no more than γ − 1 of what its owner uses. Promises that together exceed what a resource can carry are kept in the
 * same part each, up to 1 − reserve of it, so that whoever was promised nothing is not shut out.
 *
 * As one of several policies, this one bounds only itself: another may limit a tenant below its guarantee. Where policies are
 * put together, the controller knows the guarantees and is to lift other limits to them.
 */
import { type Budget, budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { waterLevelShares } from "./math/water-level.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";
import type { Tenant } from "./view.js";

/** No tenant passes a point faster than its cap, and each gets its guarantee before others get more. */
export const capsAndGuarantees = definePolicy({
  name: "caps-and-guarantees",
  params: {
    /** γ: how much more than it asks for now is kept free for one whose guarantee is not reached; > 1. */
    gamma: 1.5,
    /** Part of a resource that is never promised, fraction of 1; > 0. */
    reserve: 0.1,
    /** α, β, T and K, as in budget.ts. */
    ...PACE,
  },
  ranges: { gamma: [1, 100], reserve: [0, 0.99], ...PACE_RANGES },
  decide(view, params) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    for (const point of view.points) {
      for (const tenant of view.tenants) {
        const cap = own(tenant.terms?.caps, point.name);
        if (cap !== undefined) rates.limit(point, tenant, cap);
      }
    }
    if (view.tenants.every(({ terms }) => terms?.guarantees === undefined)) return rates;
    for (const budget of budgets(view, params)) {
      const { demands, loads } = budget.resource;
      const floors = Float64Array.from(view.tenants, (tenant, i) =>
        Math.min(promised(budget, tenant), params.gamma * demands[i]),
      );
      const sum = floors.reduce((a, b) => a + b, 0);
      if (sum === 0) continue;
      const kept = Math.min(1, ((1 - params.reserve) * budget.capacity) / sum);
      const guarantees = floors.map((floor) => kept * floor);
      const broken = budget.resource.slowdown > params.threshold && floors.some((floor, i) => floor > loads[i]);
      const wanted = demands.map((demand, i) => Math.max(demand, guarantees[i]));
      const fair = waterLevelShares(budget.capacity, wanted, { weights, guarantees });
      if (broken) budget.give(rates, fair);
      // Whoever was held back for it grows again; whoever was not has no part in it.
      else
        budget.give(
          rates,
          fair.map((share, i) => (budget.held[i] === 1 ? share : wanted[i])),
          budget.carry,
        );
    }
    return rates;
  },
});

/** The load on the resource that comes with a tenant's guarantees at the points that lead there. */
function promised({ resource, points }: Budget, tenant: Tenant): number {
  let most = 0;
  for (const point of points) {
    const guarantee = own(tenant.terms?.guarantees, point.name);
    // The rate for a load of 1, turned round.
    if (guarantee !== undefined) most = Math.max(most, guarantee / point.rateFor(resource, tenant, 1));
  }
  return most;
}

function own(rates: Readonly<Record<string, number>> | undefined, point: string): number | undefined {
  return rates !== undefined && Object.hasOwn(rates, point) ? rates[point] : undefined;
}
