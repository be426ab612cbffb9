/**
 * Caps and guarantees: absolute rates agreed with a tenant, or with a group of tenants, point by point (agreed.ts). A cap is a
 * limit, always. A guarantee is a promise: while it is not kept because a resource is full, that resource is shared by the water
 * level, with promises as its floors.
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
 * Beside other policies, a guarantee is a promise (`Rates.promise`): what they decide is lifted to it.
 */
import { Agreed, own } from "./agreed.js";
import { type Budget, budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { levelShares } from "./families.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";

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
    const agreed = new Agreed(view, weights);
    for (const point of view.points) {
      const caps = agreed.caps(point);
      if (caps !== undefined) for (const tenant of view.tenants) rates.limit(point, tenant, caps[tenant.index]);
    }
    const promises = view.points.map((point) => agreed.promises(point));
    if (promises.every((column) => column === undefined)) return rates;
    for (const point of view.points) {
      const column = promises[point.index];
      if (column !== undefined) for (const tenant of view.tenants) rates.promise(point, tenant, column[tenant.index]);
    }
    for (const budget of budgets(view, params)) {
      const { demands, loads } = budget.resource;
      const promised = promisedLoads(budget, promises);
      const floors = demands.map((demand, i) => Math.min(promised[i], params.gamma * demand));
      const sum = floors.reduce((a, b) => a + b, 0);
      if (sum === 0) continue;
      const kept = Math.min(1, ((1 - params.reserve) * budget.capacity) / sum);
      const guarantees = floors.map((floor) => kept * floor);
      const broken = budget.resource.slowdown > params.threshold && floors.some((floor, i) => floor > loads[i]);
      const wanted = demands.map((demand, i) => Math.max(demand, guarantees[i]));
      const fair = levelShares(view, budget.capacity, { demands: wanted, weights, guarantees });
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
  remedy: ({ tenant, point, resource }) =>
    resource === undefined
      ? `a higher cap at ${point.name} (now ${own(tenant.terms?.caps, point.name) ?? "that of its group"})`
      : `a guarantee of its own at ${point.name}, smaller guarantees of others, or more capacity behind ${resource.name}`,
});

/** By tenant index: the load on the resource that comes with what is promised at the points that lead there. */
function promisedLoads({ resource, points }: Budget, promises: readonly (Float64Array | undefined)[]): Float64Array {
  const most = new Float64Array(resource.loads.length);
  const total = resource.totalLoad();
  for (const { index, throughputs, totalThroughput } of points) {
    const column = promises[index];
    if (column === undefined) continue;
    const everybodys = totalThroughput > 0 ? total / totalThroughput : 0;
    for (let i = 0; i < most.length; i++) {
      if (column[i] === 0) continue;
      const perCost = throughputs[i] > 0 ? resource.loads[i] / throughputs[i] : everybodys;
      most[i] = Math.max(most[i], column[i] * perCost);
    }
  }
  return most;
}
