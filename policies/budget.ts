/**
 * What one resource should carry in the next window, and how a division of that among tenants becomes rates. The common half
 * of policies that divide what is scarce; what is fair, they say themselves.
 *
 *   C        = what the resource can carry, as learned while work stood in line [view.ts]; at first unknown
 *   room     = (T − slowdown) · service / (K · window)    how much longer the line may be than it is, in windows, per K of them
 *   exact    = C · (1 + room)                             what brings the line to T within K windows
 *   gentle   = Σ expected · (1 + γ·log₂(T/slowdown))      a step from what rates allow now, γ = 0.02
 *   full     = Σ load · (1 − 1/T)/(1 − 1/slowdown)        what a single server with arrivals at random would carry at T
 *   capacity = slowdown > T ?  min(gentle, exact)  :  min(full, max(gentle, exact)),   kept within 1−α … 1+β of Σ expected
 *   ceiling  = C; where that is unknown, all slots at work all the time; where those are, Σ expected · ρ(T)/ρ(slowdown);   ρ(s) = √(1 − 1/s)
 *
 * Why it is written around C and not around what is carried now: a step from the present compounds. Slowdown is seen a window and a
 * half late, so a factor that is right once is applied three times, and shares swung by a third every six windows for ever. What
 * follows from C is the same however often it is said. An error of C is an offset of the line, and C corrects itself while work
 * stands in line; `gentle` is for capacity that has changed, and for the unknown.
 *
 * The ceiling tells what part of a resource a tenant has that is not full. While neither C nor its slots are known it is a guess, by a queue before two
 * servers (M/M/2): right where the resource is as slow as it may be, and worse the calmer it is. With arrivals that a throttle has made
 * even it was five times too much, and two tenants of equal weights had dominant shares as 1.5 to 1.
 *
 * Growth β is twice that of bottleneck fairness: these policies leave some far less than others, who have further to come back.
 */
import { type Holds, holdsOf } from "./holds.js";
import type { Rates } from "./rates.js";
import type { Point, Resource, View } from "./view.js";

/** How fast, and up to where. A policy that divides resources has these among its parameters. */
export interface Pace {
  /** α: largest cut of a resource's total load per window, fraction of 1. */
  alpha: number;
  /** β: largest growth of it per window, fraction of 1. */
  beta: number;
  /** T: the slowdown, relative to calm, at which a resource counts as full; > 1. */
  threshold: number;
  /** K: windows in which load is brought to where it should be. */
  settle: number;
}

/** α, β, T and K as these policies have them unless told otherwise. */
export const PACE: Readonly<Pace> = Object.freeze({ alpha: 0.3, beta: 0.2, threshold: 4, settle: 1.5 });

/** What they may be. Without a cut or a growth a loop would not move; with K below a half it would swing. */
export const PACE_RANGES = { alpha: [0.001, 0.9], beta: [0.001, 10], threshold: [1.01, 10_000], settle: [0.5, 1_000] } as const;

/** γ: step for each factor of two that slowdown is off its threshold. */
const GENTLE = 0.02;
/** A resource that carries so much of what it can is not calm, however short its queue. */
const NEARLY = 0.85;
/** A resource is taken to be slowed down by this much at least: of one that is not at all, nothing can be told. */
const CALMEST = 0.01;

/** ρ: the part of its servers that a resource keeps busy at this slowdown, ≥ 1. */
function busyPart(slowdown: number): number {
  return Math.sqrt(1 - 1 / slowdown);
}

/** What one resource should carry in the next window, for policies that divide it. */
export class Budget {
  readonly resource: Resource;
  /** Points whose requests lead there. */
  readonly points: readonly Point[];
  /** What the resource should carry, as a fraction of what it is expected to. */
  readonly carry: number;
  /** The same in its unit. */
  readonly capacity: number;
  /** What it could carry, ≥ capacity where it is not full. */
  readonly ceiling: number;
  /** Is it far from full? Then nothing is taken from anybody. */
  readonly calm: boolean;
  /** By tenant index: its load under the rates now in force. */
  readonly expected: Float64Array;
  /**
   * By tenant index: what it may come to use. Of those held back at least 1+β of what is expected: clients that wait for their
   * answers ask for more when they get more, and who gave them only what waits would let them grow by that a window.
   */
  readonly demands: Float64Array;
  /** Σ expected. */
  readonly total: number;
  /** By tenant index, 1 for those who are held back now. */
  readonly held: Uint8Array;
  /** By tenant index, the resource it is held back because of; −1: none. */
  readonly #because: Int32Array;

  constructor(
    view: View,
    resource: Resource,
    { held, because, feeders, expected }: Holds,
    { alpha, beta, threshold, settle }: Pace,
  ) {
    this.resource = resource;
    this.held = held;
    this.#because = because;
    this.points = feeders[resource.index];
    this.expected = expected[resource.index];
    this.demands = resource.demands.slice();
    const { loads, slowdown, calmServiceUs, capacity: most } = resource;
    let total = resource.totalLoad();
    for (let i = 0; i < loads.length; i++) {
      if (held[i] === 0) continue;
      total += Math.min(this.expected[i], (1 + beta) * loads[i]) - loads[i];
      this.demands[i] = Math.max(this.demands[i], (1 + beta) * this.expected[i]);
    }
    const known = most > 0 && total > 0;
    const above = slowdown > threshold;
    const room = ((threshold - slowdown) * calmServiceUs) / (settle * view.windowUs);
    const gentle = 1 + GENTLE * Math.log2(threshold / slowdown);
    const full = (1 - 1 / threshold) / (1 - 1 / slowdown);
    // As fractions of the total. What is not known is taken to be what is carried, and below T what a single server would.
    const exact = known ? (most / total) * (1 + room) : above ? 1 + room : full;
    const wanted = above ? Math.min(gentle, exact) : Math.min(full, Math.max(gentle, exact));
    this.total = total;
    this.calm = slowdown < Math.sqrt(threshold) && !(known && total > NEARLY * most);
    this.carry = Math.min(Math.max(wanted, 1 - alpha), 1 + beta);
    this.capacity = this.carry * total;
    const guess = (total * busyPart(threshold)) / busyPart(Math.max(slowdown, 1 + CALMEST));
    const told = resource.unit === "us" ? resource.slots * 1e6 : 0;
    this.ceiling = known ? most : Math.max(this.capacity, told > 0 ? told : guess);
  }

  /** By tenant index: this part of an equal share by weight of the load, or what it asks for when that is less. */
  minima(part: number, weights: Float64Array): Float64Array {
    const { demands } = this.resource;
    const minima = new Float64Array(demands.length);
    let wanting = 0;
    for (let i = 0; i < minima.length; i++) if (demands[i] > 0) wanting += weights[i];
    for (let i = 0; i < minima.length; i++) {
      if (demands[i] > 0) minima[i] = Math.min(demands[i], (part * this.total * weights[i]) / wanting);
    }
    return minima;
  }

  /** By tenant index: what it asks of the resource and can put on it, at the most, under the limits decided so far. */
  left(rates: Rates): Float64Array {
    const { demands, loads } = this.resource;
    const rooms = new Float64Array(demands.length);
    for (const point of this.points) {
      const limits = rates.column(point);
      for (let i = 0; i < rooms.length; i++) {
        const through = point.throughputs[i];
        if (through > 0) rooms[i] = Math.max(rooms[i], (limits === undefined ? Number.POSITIVE_INFINITY : limits[i]) / through);
      }
    }
    const left = demands.slice();
    for (let i = 0; i < left.length; i++) if (loads[i] > 0 && rooms[i] > 0) left[i] = Math.min(left[i], loads[i] * rooms[i]);
    return left;
  }

  /**
   * Limits whoever may have less than it asks for, at the points that lead here; and whoever is held back now, since it is let
   * go only when its rate has grown beyond what it asks for.
   *
   * @param share   by tenant index, what it may put on the resource, its unit
   * @param atLeast nobody is given less than this part of what it is expected to use
   */
  give(rates: Rates, share: ArrayLike<number>, atLeast = this.calm ? this.carry : 0): void {
    const { resource, demands, expected, held } = this;
    const shares = new Float64Array(demands.length).fill(Number.POSITIVE_INFINITY);
    const reasons = new Int32Array(demands.length).fill(resource.index);
    for (let i = 0; i < demands.length; i++) {
      // Nothing of it uses this resource or waits to: a rate that follows from no use would be zero, and refuse its first request.
      if (demands[i] === 0) continue;
      const load = Math.max(share[i], atLeast * expected[i]);
      if (held[i] === 0 && load >= demands[i]) continue;
      shares[i] = load;
      // What bounds how fast a tenant may grow is not what it is held back because of.
      if (this.calm && this.#because[i] >= 0) reasons[i] = this.#because[i];
    }
    rates.limitLoads(this.points, resource, shares, reasons);
  }
}

/** The budget of every resource. */
export function budgets(view: View, pace: Pace): Budget[] {
  const holds = holdsOf(view);
  return view.resources.map((resource) => new Budget(view, resource, holds, pace));
}

/** Weights by tenant index. */
export function weightsOf(view: View): Float64Array {
  const weights = new Float64Array(view.tenants.length);
  for (const { index, weight } of view.tenants) weights[index] = weight;
  return weights;
}
