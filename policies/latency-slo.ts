/**
 * Latency objectives [Retro §4.3, LATENCYSLO(α, β)]: a tenant with a target (99 of 100 requests within so many µs) is given
 * room by those without, on the resources where it waits, and only there.
 *
 *   latency(h) = max over points p of  max(p99(p,h), age of its oldest waiting request)      against target(h)
 *   q(h)       = margin · target(h) / latency(h)                                  < 1: missed, or about to be
 *   wait(h,r)  = latency(r,h) · (1 − 1/slowdown(r))                               f(h,r) = wait(h,r) / max_r wait(h,r)
 *   S'         = max(q(h)·slowdown(r), S₀)                                        the slowdown at which h would be in time
 *   ratio      = ρ(S') / ρ(slowdown(r)),  ρ as in budget.ts                       what r may carry then, of what it carries now
 *   carry(r)   = min over h of  1 − f(h,r)·(1 − ratio), kept within 1−α … 1+β
 *
 * What must go, goes from those without a target, from the largest users of r first (water level), never below a minimum.
 * When all targets are met with room to spare, ratio is above 1 and those held back grow.
 *
 * Where we differ from the paper, and why:
 * - The step follows from how far off the target is, by what queues do, instead of a product of α, miss and log
 *   slowdown, whose factor goes below zero. It is as large as it needs to be, and bounded.
 * - Every target that is missed counts, not only the worst, and each at the resources where its owner waits. Relaxing is not
 *   global: a resource relaxes when whoever waits there is in time.
 * - A resource where work hardly waits (slowdown below S₀) is cut for nobody: what makes it slow is not others, and a target below
 *   what an idle system gives cannot be met by shedding.
 * - A tenant that gets nothing through has no percentile; the age of what it has waiting stands in for it.
 */
import { type Budget, budgets, busyPart, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { waterLevelShares } from "./math/water-level.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";
import type { Tenant, View } from "./view.js";

/** S₀: below this slowdown, waiting is not what takes time. */
const IN_NO_QUEUE = 1.2;

/** Who was promised a latency gets it, at the cost of those who fill the resources it needs [Retro §4.2, LSLO]. */
export const latencySlo = definePolicy({
  name: "latency-slo",
  params: {
    /** Aim this far below the target, as a fraction of it: windows differ. */
    margin: 0.7,
    /** Part of its equal share that is left to everybody, fraction of 1; > 0. */
    minimum: 0.05,
    /** α: largest cut of a resource's total load per window, fraction of 1. */
    alpha: PACE.alpha,
    /** β: largest growth of it per window, fraction of 1. */
    beta: PACE.beta,
  },
  ranges: { margin: [0.01, 1], minimum: [0, 1], alpha: PACE_RANGES.alpha, beta: PACE_RANGES.beta },
  decide(view, { margin, minimum, alpha, beta }) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    const promised = view.tenants.filter(({ terms }) => terms?.p99TargetUs !== undefined);
    if (promised.length === 0) return rates;
    const all = budgets(view, { ...PACE, alpha, beta });
    const carries = all.map(() => 1 + beta);
    for (const tenant of promised) {
      const q = (margin * tenant.terms!.p99TargetUs!) / latency(view, tenant);
      const waits = all.map(({ resource }) => resource.latency(tenant) * (1 - 1 / resource.slowdown));
      const longest = Math.max(...waits);
      all.forEach(({ resource: { slowdown } }, r) => {
        if (waits[r] === 0 || slowdown <= IN_NO_QUEUE) return;
        const ratio = busyPart(Math.max(q * slowdown, IN_NO_QUEUE)) / busyPart(slowdown);
        const carry = ratio < 1 ? 1 - (waits[r] / longest) * (1 - ratio) : ratio;
        carries[r] = Math.max(Math.min(carries[r], carry), 1 - alpha);
      });
    }
    all.forEach((budget, r) => {
      shed(rates, budget, carries[r], { view, weights, minimum });
    });
    return rates;
  },
  remedy({ resource, view }) {
    const late = view.tenants
      .filter((tenant) => tenant.terms?.p99TargetUs !== undefined && (resource?.latency(tenant) ?? 0) > 0)
      .sort((a, b) => latency(view, b) / b.terms!.p99TargetUs! - latency(view, a) / a.terms!.p99TargetUs!)[0];
    const looser = late === undefined ? "" : ` a looser target for ${late.id} (now ${late.terms!.p99TargetUs! / 1_000} ms),`;
    return `requests that need less of ${resource?.name},${looser} or more capacity behind ${resource?.name}`;
  },
});

/** Brings the load of those without a target to where the resource carries `carry` of what it is expected to. */
function shed(
  rates: Rates,
  budget: Budget,
  carry: number,
  { view, weights, minimum }: { view: View; weights: Float64Array; minimum: number },
): void {
  const { resource, expected, total } = budget;
  const ofFree = (column: Float64Array) => column.map((each, i) => (view.tenants[i].terms?.p99TargetUs === undefined ? each : 0));
  const demands = ofFree(resource.demands);
  const pool = sum(ofFree(expected));
  // Who is to lose is left its minimum; when there is more for all, nobody is to lose.
  const minima = ofFree(budget.minima(minimum, weights));
  const guarantees = carry < 1 ? minima : minima.map((least, i) => Math.min(demands[i], Math.max(least, expected[i])));
  const capacity = carry < 1 ? pool - (1 - carry) * total : carry * pool;
  const fair = waterLevelShares(Math.max(capacity, sum(guarantees)), demands, { weights, guarantees });
  const shares = fair.map((share, i) => (view.tenants[i].terms?.p99TargetUs === undefined ? share : Number.POSITIVE_INFINITY));
  budget.give(rates, shares, 0);
}

function sum(column: Float64Array): number {
  return column.reduce((a, b) => a + b, 0);
}

/** What a limit of its own holds back is no fault of others: at such a point only what got through counts. */
function latency(view: View, tenant: Tenant): number {
  let most = 0;
  for (const point of view.points) {
    most = Math.max(most, point.p99(tenant), point.rate(tenant) === undefined ? point.oldest(tenant) : 0);
  }
  return most;
}
