/**
 * Bottleneck fairness [Retro §4.1, BFAIR(α, β, T)]: whoever uses more than its max-min share of an overloaded resource is
 * brought back to that share, at the points that lead there; nobody else is touched.
 *
 *   c(r)       = (T / slowdown(r))^γ, kept within 1−α … 1+β                        how much the resource should carry now
 *   fair[r,w]  = MaxMin(c(r) · Σ_w load(r,w), demand(r,w), weight(w))
 *   rate(p,w)  = min over r fed by p with fair[r,w] < demand[r,w] of the rate that puts fair[r,w] on r; else unlimited
 *
 * Where we differ from the paper, and why:
 * - c(r) is smooth. The paper cuts by α above T and relaxes by β below it, for ever, and so hovers; ours comes to rest at T.
 * - Every resource is served in every window, not only the slowest: a tenant may flood two.
 * - Rates follow from measured use, never from old rates, so none can wind up over a calm hour and then be cut in vain.
 * - Demand counts waiting work, so that a throttled tenant does not look satisfied, and neither does a starved one.
 * - A calm resource (slowdown below √T) takes nothing away: it only bounds how fast those still held back may grow, by c(r)
 *   a window on what their rates allow now, since use lags behind a rate that was just raised.
 * - Only points observed to feed the resource are limited: other traffic of the same tenant goes free.
 * - Nothing congested, nobody waiting, no load: no case divides zero by zero, and every tenant is unlimited.
 */
import { maxMinFair } from "./math/max-min.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";
import { expectedLoad } from "./view.js";

export const bottleneckFairness = definePolicy({
  name: "bottleneck-fairness",
  params: {
    /** Largest cut of a resource's total load per window, fraction of 1. */
    alpha: 0.2,
    /** Largest growth of it per window, fraction of 1. */
    beta: 0.1,
    /** T: the slowdown, relative to calm, at which a resource counts as full; > 1. */
    threshold: 25,
    /** γ: how strongly the distance from T tells; small, because near saturation slowdown moves far more than load. */
    gain: 0.15,
  },
  decide(view, { alpha, beta, threshold, gain }) {
    const rates = new Rates(view);
    const weights = Float64Array.from(view.tenants, (tenant) => tenant.weight);
    for (const resource of view.resources) {
      const carry = Math.min(Math.max((threshold / resource.slowdown) ** gain, 1 - alpha), 1 + beta);
      const fair = maxMinFair(carry * resource.totalLoad(), resource.demands, weights);
      const calm = resource.slowdown < Math.sqrt(threshold);
      const points = view.points.filter((point) => point.feeds(resource));
      for (const tenant of view.tenants) {
        if (fair[tenant.index] >= resource.demand(tenant)) continue;
        const share = calm ? Math.max(fair[tenant.index], carry * expectedLoad(resource, tenant, points)) : fair[tenant.index];
        if (share >= resource.demand(tenant)) continue;
        for (const point of points) rates.limit(point, tenant, point.rateFor(resource, tenant, share), resource);
      }
    }
    return rates;
  },
});
