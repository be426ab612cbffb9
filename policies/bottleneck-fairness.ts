/**
 * Bottleneck fairness [Retro §4.1, BFAIR(α, β, T)]: whoever uses more than its max-min share of an overloaded resource is
 * brought back to that share, at the points that lead there; nobody else is touched.
 *
 *   excess(r)  = (slowdown(r) − T) · service(r)              how much longer an operation waits than it may, µs
 *   full(r)    = (1 − 1/T) / (1 − 1/slowdown(r))             how much more it can do until it is slowed down by T [M/M/1]
 *   c(r)       = 1 + (full(r) − 1, or −excess(r)/window where that is further from 0) / K,   kept within 1−α … 1+β
 *   fair[r,w]  = MaxMin(c(r) · Σ_w expected(r,w), demand(r,w), weight(w))         expected: load, or what a rate in force allows
 *   rate(p,w)  = min over r fed by p with fair[r,w] < demand[r,w] of the rate that puts fair[r,w] on r; else unlimited
 *
 * c(r) is how much the resource should carry now, as a fraction of what it carries. Where a queue stands, load is what the
 * resource can do, and letting in 1 − excess/(K·window) of it works the excess off in K windows: no faster than the loop can
 * see, hence without swinging. Where none stands, waiting tells how much is left: a server that is busy a part ρ of its time
 * slows down by 1/(1 − ρ), more or less, and a rough guess is enough for a loop that looks again in a window.
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
 * - A calm resource (slowdown below √T) takes nothing away: it only bounds how fast those still held back may grow, by c(r)
 *   a window on what their rates allow now, since use lags behind a rate that was just raised. The reason that is told stays
 *   the resource that was full.
 * - Where tenants belong to groups, shares go down the tree: an organisation's is divided among its teams, a team's among its users.
 * - Only points observed to feed the resource are limited: other traffic of the same tenant goes free.
 * - Nothing congested, nobody waiting, no load: no case divides zero by zero, and every tenant is unlimited.
 */
import { PACE_RANGES, weightsOf } from "./budget.js";
import { fairShares } from "./families.js";
import { holdsOf } from "./holds.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";

/** Whoever uses more than its max-min share of an overloaded resource is brought back to that share [Retro §4.1]. */
export const bottleneckFairness = definePolicy({
  name: "bottleneck-fairness",
  params: {
    /** α: largest cut of a resource's total load per window, fraction of 1. */
    alpha: 0.3,
    /** β: largest growth of it per window, fraction of 1. */
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
      const excess = ((resource.slowdown - threshold) * resource.calmServiceUs) / view.windowUs;
      const full = (1 - 1 / threshold) / (1 - 1 / resource.slowdown);
      const step = resource.slowdown > threshold ? Math.min(full - 1, -excess) : Math.max(full - 1, -excess);
      const carry = Math.min(Math.max(1 + step / settle, 1 - alpha), 1 + beta);
      const calm = resource.slowdown < Math.sqrt(threshold);
      const { loads, demands } = resource;
      const expected = all[resource.index];
      let total = resource.totalLoad();
      for (let i = 0; i < loads.length; i++) {
        if (held[i] === 1) total += Math.min(expected[i], (1 + beta) * loads[i]) - loads[i];
      }
      const fair = fairShares(view, carry * total, demands, weights);
      const shares = new Float64Array(fair.length).fill(Number.POSITIVE_INFINITY);
      const reasons = new Int32Array(fair.length).fill(resource.index);
      for (let i = 0; i < fair.length; i++) {
        // Nothing of it uses this resource or waits to: a rate that follows from no use would be zero, and refuse its first request.
        if (demands[i] === 0) continue;
        const share = calm ? Math.max(fair[i], carry * expected[i]) : fair[i];
        if (held[i] === 0 && share >= demands[i]) continue;
        shares[i] = share;
        if (calm && because[i] >= 0) reasons[i] = because[i];
      }
      rates.limitLoads(feeders[resource.index], resource, shares, reasons);
    }
    return rates;
  },
});
