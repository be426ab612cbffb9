/**
 * Bottleneck fairness [Retro §4.1, BFAIR(α, β, T)]: whoever uses more than its max-min share of an overloaded resource is
 * brought back to that share, at the points that lead there; nobody else is touched.
 *
 *   excess(r)  = (slowdown(r) − T) · service(r)              how much longer an operation waits than it may, µs
 *   full(r)    = (1 − 1/T) / (1 − 1/slowdown(r))             how much more it can do until it is slowed down by T [M/M/1]
 *   c(r)       = 1 + (full(r) − 1, or −excess(r)/window where that is further from 0) / K,   at least 1−α
 *   carried(r) = Σ_w expected(r,w)                           expected: load, or what a rate in force allows
 *   total(r)   = c(r) · carried(r),   at most max((1+β) · carried(r), ρ(T) · C(r))
 *   fair[r,w]  = MaxMin(total(r), demand(r,w), weight(w))
 *   rate(p,w)  = min over r fed by p with fair[r,w] < demand[r,w] of the rate that puts fair[r,w] on r; else unlimited
 *
 * c(r) is how much the resource should carry now, as a fraction of what it carries. Where a queue stands, load is what the
 * resource can do, and letting in 1 − excess/(K·window) of it works the excess off in K windows: no faster than the loop can
 * see, hence without swinging. Where none stands, waiting tells how much is left: a server that is busy a part ρ of its time
 * slows down by 1/(1 − ρ), more or less, and a rough guess is enough for a loop that looks again in a window.
 *
 * Growth is bounded, since the guess is wild where hardly anything waits: to β a window, but there is nothing to be careful about
 * up to what the resource is known to carry. C(r) is what all slots do that are always at work, or what was learned where that is
 * less [view.ts], 0 where neither is known; ρ(T) = √(1 − 1/T) of it is slowed down by T, more or less [budget.ts]. By β alone a
 * resource whose tenants had been busy elsewhere came back at 10 % a window, and on a recorded day of Hadoop jobs a third of
 * the disks was unused while work waited. It is the less of the two since a tenant whose data is on one of four machines can use a
 * quarter of all slots; that shows once work stands in line there.
 *
 * Where we differ from the paper, and why:
 * - The paper cuts by α above T and relaxes by β below it, for ever, and so hovers; c(r) comes to rest at T.
 * - Every resource is served in every window, not only the slowest: a tenant may flood two.
 * - Rates follow from measured use, so none can wind up over a calm hour and then be cut in vain. Use is always a little less
 *   than the rate that allows it (what split and buckets leave unused), and to multiply use would give that little away window
 *   after window; so of those held back it is what their rates allow that counts, up to 1+β of their use.
 * - Demand counts waiting work, so that a throttled tenant does not look satisfied, and neither does a starved one. How much
 *   more clients would ask for that wait for their answers cannot be known: so whoever is held back now is let go only when
 *   its rate has grown beyond what it asks for, never from one window to the next.
 * - A calm resource (slowdown below √T) takes nothing away: it only bounds how fast those still held back may grow, by
 *   total(r)/carried(r) on what their rates allow now, since use lags behind a rate that was just raised. The reason that is told
 *   stays the resource that was full.
 * - Where tenants belong to groups, shares go down the tree: an organisation's is divided among its teams, a team's among its users.
 * - Only points observed to feed the resource are limited: other traffic of the same tenant goes free. At one by which little came of
 *   late a tenant may begin anew all the same (inflows.ts).
 * - Nothing congested, nobody waiting, no load: no case divides zero by zero, and every tenant is unlimited.
 */
import { PACE_RANGES, weightsOf } from "./budget.js";
import { fairShares } from "./families.js";
import { holdsOf } from "./holds.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";
import type { Resource } from "./view.js";

/** Whoever uses more than its max-min share of an overloaded resource is brought back to that share [Retro §4.1]. */
export const bottleneckFairness = definePolicy({
  name: "bottleneck-fairness",
  params: {
    /** α: largest cut of a resource's total load per window, fraction of 1. */
    alpha: 0.3,
    /** β: largest growth of it per window, fraction of 1, beyond what the resource is known to carry. */
    beta: 0.1,
    /** T: the slowdown, relative to calm, at which a resource counts as full; > 1. */
    threshold: 4,
    /**
     * K: windows in which load is brought to where it should be. Rates act, and are seen to have acted, about one and a half later:
     * at K = 1 the simulated disks swing between 8 and 35 around a T of 25, at 1.5 between 21 and 27, and beyond 2 it takes longer.
     */
    settle: 1.5,
  },
  ranges: PACE_RANGES,
  decide(view, { alpha, beta, threshold, settle }) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    const { held, because, feeders, expected: all } = holdsOf(view);
    for (const resource of view.resources) {
      const { loads, demands } = resource;
      const expected = all[resource.index];
      let carried = resource.totalLoad();
      for (let i = 0; i < loads.length; i++) {
        if (held[i] === 1) carried += Math.min(expected[i], (1 + beta) * loads[i]) - loads[i];
      }
      const excess = ((resource.slowdown - threshold) * resource.calmServiceUs) / view.windowUs;
      const full = (1 - 1 / threshold) / (1 - 1 / resource.slowdown);
      const step = resource.slowdown > threshold ? Math.min(full - 1, -excess) : Math.max(full - 1, -excess);
      const most = Math.max((1 + beta) * carried, Math.sqrt(1 - 1 / threshold) * knownCapacity(resource));
      const total = carried > 0 ? Math.min(Math.max(1 + step / settle, 1 - alpha) * carried, most) : 0;
      const calm = resource.slowdown < Math.sqrt(threshold);
      const fair = fairShares(view, total, demands, weights);
      const shares = new Float64Array(fair.length).fill(Number.POSITIVE_INFINITY);
      const reasons = new Int32Array(fair.length).fill(resource.index);
      for (let i = 0; i < fair.length; i++) {
        // Nothing of it uses this resource or waits to: a rate that follows from no use would be zero, and refuse its first request.
        if (demands[i] === 0) continue;
        const share = calm && expected[i] > 0 ? Math.max(fair[i], total * (expected[i] / carried)) : fair[i];
        if (held[i] === 0 && share >= demands[i]) continue;
        shares[i] = share;
        if (calm && because[i] >= 0) reasons[i] = because[i];
      }
      rates.limitLoads(feeders[resource.index], resource, shares, reasons);
    }
    return rates;
  },
});

/** What a resource can carry, as told or as learned, whichever is less; 0: neither is known. In its unit. */
function knownCapacity({ unit, slots, capacity }: Resource): number {
  const told = unit === "us" ? slots * 1e6 : 0;
  return told > 0 && capacity > 0 ? Math.min(told, capacity) : Math.max(told, capacity);
}
