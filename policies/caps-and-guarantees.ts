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
import type { Tenant, View } from "./view.js";

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
      if (caps !== undefined) rates.limitAll(point, caps);
    }
    const promises = view.points.map((point) => agreed.promises(point));
    if (promises.every((column) => column === undefined)) return rates;
    const promisees = promiseesOf(view, promises);
    for (const point of view.points) {
      const column = promises[point.index];
      if (column !== undefined) for (const tenant of promisees) rates.promise(point, tenant, column[tenant.index]);
    }
    for (const budget of budgets(view, params)) {
      const { demands, loads } = budget.resource;
      const floors = promisedLoads(budget, promises, promisees);
      let sum = 0;
      let missed = false;
      for (let i = 0; i < floors.length; i++) {
        floors[i] = Math.min(floors[i], params.gamma * demands[i]);
        sum += floors[i];
        if (floors[i] > loads[i]) missed = true;
      }
      if (sum === 0) continue;
      const kept = Math.min(1, ((1 - params.reserve) * budget.capacity) / sum);
      const wanted = demands.slice();
      for (let i = 0; i < wanted.length; i++) {
        floors[i] *= kept;
        wanted[i] = Math.max(wanted[i], floors[i]);
      }
      const fair = levelShares(view, budget.capacity, { demands: wanted, weights, guarantees: floors });
      const broken = missed && budget.resource.slowdown > params.threshold;
      // Whoever was held back for it grows again; whoever was not has no part in it.
      if (!broken) for (let i = 0; i < fair.length; i++) if (budget.held[i] === 0) fair[i] = wanted[i];
      budget.give(rates, fair, broken ? undefined : budget.carry);
    }
    return rates;
  },
  remedy: ({ tenant, point, resource }) =>
    resource === undefined
      ? `a higher cap at ${point.name} (now ${own(tenant.terms?.caps, point.name) ?? "that of its group"})`
      : `a guarantee of its own at ${point.name}, smaller guarantees of others, or more capacity behind ${resource.name}`,
});

/** Who is promised something somewhere. */
function promiseesOf({ tenants }: View, promises: readonly (Float64Array | undefined)[]): Tenant[] {
  const promised = new Uint8Array(tenants.length);
  for (const column of promises) {
    if (column !== undefined) for (let i = 0; i < promised.length; i++) if (column[i] > 0) promised[i] = 1;
  }
  return tenants.filter(({ index }) => promised[index] === 1);
}

/** By tenant index: the load on the resource that comes with what is promised at the points that lead there. */
function promisedLoads(
  { resource, points }: Budget,
  promises: readonly (Float64Array | undefined)[],
  promisees: readonly Tenant[],
): Float64Array {
  const most = new Float64Array(resource.loads.length);
  const total = resource.totalLoad();
  for (const { index, throughputs, totalThroughput } of points) {
    const column = promises[index];
    if (column === undefined) continue;
    const everybodys = totalThroughput > 0 ? total / totalThroughput : 0;
    for (const { index: i } of promisees) {
      const perCost = throughputs[i] > 0 ? resource.loads[i] / throughputs[i] : everybodys;
      most[i] = Math.max(most[i], column[i] * perCost);
    }
  }
  return most;
}
