/**
 * Latency objectives [Retro §4.3, LATENCYSLO(α, β)]: a tenant with a target (99 of 100 requests within so many µs) is given
 * room by those without, on the resources where it waits, and only there.
 *
 *   latency(h) = max over points p of  max(p99(p,h), age of its oldest waiting request)              aim(h) = margin · target(h)
 *   wait(h,r)  = latency(r,h) · (1 − 1/slowdown(r))               f(h,r) = wait(h,r) / max_r wait(h,r)
 *   S'         = 1 + (slowdown(r) − 1) · aim(h)/latency(h), not below √slowdown(r) nor S₀       the slowdown to go for
 *   ratio      = φ(S') / φ(slowdown(r))                           what r may carry then, of what it carries now; φ(s) = (1 − 1/s)^⅛
 *   pile(h,r)  = f(h,r) · (latency(h) − aim(h)) / window          work that stands in the queue beyond what h can bear, windows
 *   drain(r)   = 1 − R(r)/load(r)                                 of it what the rates now in force work off; R: what they let in
 *   capacity   = load(r) · min over h of  1 − f(h,r)·(1 − ratio) − (pile(h,r) − drain(r))⁺ / K
 *                never less than 1−α of what goes in, nor more than 1+β
 *
 * What must go, goes from those without a target, from the largest users of r first (water level, down the tree of groups), never
 * below a minimum. A target is for what is within its owner's fair share: who is held back, or uses far more of r than its share, is
 * there as one without. When all targets are met with room to spare, ratio is above 1 and those held back grow.
 *
 * Load and slowdown are of the same window, so load · ratio tells what r can do whatever the rates are, and nothing is reckoned
 * twice. What is slow to show are queues: who is answered now has met the queue of a while ago. A rule that looks at
 * latency alone goes on cutting while the queue is worked off, lets go when it is empty, and swings for ever (measured: 1 to
 * 360 ms around a target of 50). So what stands is reckoned as work, and what is being worked off already is not cut again.
 *
 * φ is a guess: how full is what is so slow? One server and arrivals by chance (M/M/1): 1 − 1/s. But a throttle sends evenly,
 * and before many servers little waits until all are busy: then the room that 1 − 1/s promises is not there. With the fourth
 * root latency still swung where service times hardly differ, with the eighth it does not. A wrong guess costs time, no more.
 *
 * Where we differ from the paper, and why:
 * - The step follows from how far off the target is, by what queues do, instead of a product of α, miss and log
 *   slowdown, whose factor goes below zero. It is as large as it needs to be, and bounded.
 * - Every target that is missed counts, not only the worst, and each at the resources where its owner waits. Relaxing is not
 *   global: a resource relaxes when whoever waits there is in time.
 * - A resource where work hardly waits (slowdown below S₀, or a tenth of the longest wait) is cut for nobody: what makes it slow is
 *   not others, and a target below what an idle system gives cannot be met by shedding.
 * - A flood may have a target. Its owner would miss it by its own doing, and all others would be cut to their minimum for it.
 * - A tenant that gets nothing through has no percentile; the age of what it has waiting stands in for it.
 */
import { type Budget, budgets, PACE, PACE_RANGES, weightsOf } from "./budget.js";
import { fairShares, levelShares } from "./families.js";
import { definePolicy } from "./policy.js";
import { Rates } from "./rates.js";
import type { Point, Tenant, View } from "./view.js";

/** S₀: below this slowdown, waiting is not what takes time. */
const IN_NO_QUEUE = 1.2;

/** Who waits ten times as long elsewhere is not helped here. */
const ELSEWHERE = 0.1;

/** Who uses more than this many times its fair share of a resource is not spared there. */
const FAR_OVER = 1.25;

/** Who was promised a latency gets it, at the cost of those who fill the resources it needs [Retro §4.2, LSLO]. */
export const latencySlo = definePolicy({
  name: "latency-slo",
  params: {
    /** Aim this far below the target, as a fraction of it: windows differ. */
    margin: 0.65,
    /** Part of its equal share that is left to everybody, fraction of 1; > 0. */
    minimum: 0.05,
    /** α: largest cut of a resource's total load per window, fraction of 1. A percentile is noisy: larger cuts follow its noise. */
    alpha: 0.2,
    /** β: largest growth of it per window, fraction of 1. */
    beta: PACE.beta,
    /** K: windows in which what has piled up is worked off. */
    settle: 1,
  },
  ranges: {
    margin: [0.01, 1],
    minimum: [0, 1],
    alpha: PACE_RANGES.alpha,
    beta: PACE_RANGES.beta,
    settle: PACE_RANGES.settle,
  },
  decide(view, { margin, minimum, alpha, beta, settle }) {
    const rates = new Rates(view);
    const weights = weightsOf(view);
    const promised = view.tenants.filter(({ terms }) => terms?.p99TargetUs !== undefined);
    if (promised.length === 0) return rates;
    const all = budgets(view, { ...PACE, alpha, beta });
    const loads = all.map(({ resource }) => resource.totalLoad());
    const admitted = admittedLoads(all, beta);
    const capacities = loads.map((load, r) => (1 + beta) * Math.max(load, admitted[r]));
    const spared = all.map((budget) => sparedAt(view, budget, weights));
    for (const tenant of promised) {
      const aimUs = margin * tenant.terms!.p99TargetUs!;
      const latencyUs = latency(view, tenant);
      const waits = waitsOf(tenant, all);
      const longest = Math.max(...waits);
      all.forEach(({ resource: { slowdown } }, r) => {
        if (!(waits[r] > ELSEWHERE * longest) || loads[r] === 0 || spared[r][tenant.index] === 0) return;
        const part = waits[r] / longest;
        const least = Math.min(slowdown, IN_NO_QUEUE);
        const aim = Math.max(1 + (aimUs / latencyUs) * (slowdown - 1), Math.sqrt(slowdown), least);
        const ratio = fullness(aim) / fullness(slowdown);
        const pile = slowdown > least ? (part * Math.max(0, latencyUs - aimUs)) / view.windowUs : 0;
        const drain = Math.max(0, 1 - admitted[r] / loads[r]);
        const carry = (ratio < 1 ? 1 - part * (1 - ratio) : ratio) - Math.max(0, pile - drain) / settle;
        const leastLoad = (1 - alpha) * Math.min(loads[r], admitted[r]);
        capacities[r] = Math.min(capacities[r], Math.max(carry * loads[r], leastLoad));
      });
    }
    all.forEach((budget, r) => {
      shed(rates, budget, capacities[r], { view, spared: spared[r], weights, minimum });
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

/** φ: how full a resource is taken to be at this slowdown, ≥ 1; flatter than the ρ of budget.ts, for what a throttle has made even. */
function fullness(slowdown: number): number {
  return Math.sqrt(Math.sqrt(Math.sqrt(1 - 1 / slowdown)));
}

/** R: the load that the rates in force let in, by resource: less than there is where they were just cut, more where they were raised. */
function admittedLoads(all: readonly Budget[], beta: number): number[] {
  const partsAt = new Map<readonly Point[], Float64Array>();
  return all.map(({ resource: { loads }, points, held }) => {
    const parts = partsAt.get(points) ?? admittedParts(points, held, beta);
    partsAt.set(points, parts);
    let sum = 0;
    for (let i = 0; i < loads.length; i++) sum += loads[i] * parts[i];
    return sum;
  });
}

/** By tenant index: what part of its load the rates at these points let in. */
function admittedParts(points: readonly Point[], held: Uint8Array, beta: number): Float64Array {
  const parts = new Float64Array(held.length).fill(1);
  const rooms = parts.slice();
  for (let i = 0; i < rooms.length; i++) if (held[i] === 1) rooms[i] = 1 + beta;
  for (const { rates, throughputs } of points) {
    for (let i = 0; i < parts.length; i++) {
      // Of one that gets nothing through, no rate lets in a part.
      if (throughputs[i] > 0 && rates[i] <= rooms[i] * throughputs[i]) parts[i] = rooms[i] = rates[i] / throughputs[i];
    }
  }
  return parts;
}

/**
 * By tenant index, 1 for those at whose cost nobody is helped at this resource: they have a target, are not held back, and use no
 * more than their fair share of what it can carry, or not much. What those would use who are held back is not known: all there is.
 */
function sparedAt(view: View, { resource, held, ceiling }: Budget, weights: Float64Array): Uint8Array {
  const { loads, demands } = resource;
  const wanted = demands.slice();
  for (let i = 0; i < wanted.length; i++) if (held[i] === 1 && loads[i] > 0) wanted[i] = Math.max(wanted[i], ceiling);
  const fair = fairShares(view, ceiling, wanted, weights);
  const spared = new Uint8Array(wanted.length);
  for (const { index: i, terms } of view.tenants) {
    if (terms?.p99TargetUs !== undefined && held[i] === 0 && loads[i] <= FAR_OVER * fair[i]) spared[i] = 1;
  }
  return spared;
}

/** Brings the load of those who are not spared to what the resource can carry beside those who are. */
function shed(
  rates: Rates,
  budget: Budget,
  capacity: number,
  { view, spared, weights, minimum }: { view: View; spared: Uint8Array; weights: Float64Array; minimum: number },
): void {
  const { resource } = budget;
  // Of those held back more than is seen: clients that wait for answers ask for no more than they get.
  const demands = budget.demands.slice();
  const guarantees = budget.minima(minimum, weights);
  let free = 0;
  let promised = 0;
  for (let i = 0; i < demands.length; i++) {
    if (spared[i] === 1) demands[i] = guarantees[i] = 0;
    else free += resource.loads[i];
    promised += guarantees[i];
  }
  const left = capacity - (resource.totalLoad() - free);
  const shares = levelShares(view, Math.max(left, promised), { demands, weights, guarantees });
  for (let i = 0; i < shares.length; i++) if (spared[i] === 1) shares[i] = Number.POSITIVE_INFINITY;
  budget.give(rates, shares, 0);
}

/** wait(h,r), by resource. Of whom nothing gets as far as a resource yet, it is for any that its waiting requests would reach. */
function waitsOf(tenant: Tenant, all: readonly Budget[]): number[] {
  const seen = all.map(({ resource }) => resource.latency(tenant) * (1 - 1 / resource.slowdown));
  if (seen.some((wait) => wait > 0)) return seen;
  return all.map(({ resource, points }) => (points.some((point) => point.oldest(tenant) > 0) ? 1 - 1 / resource.slowdown : 0));
}

/** What a limit of its own holds back is no fault of others: at such a point only what got through counts. */
function latency(view: View, tenant: Tenant): number {
  let most = 0;
  for (const point of view.points) {
    most = Math.max(most, point.p99(tenant), point.rate(tenant) === undefined ? point.oldest(tenant) : 0);
  }
  return most;
}
