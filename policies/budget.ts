/**
 * What one resource should carry in the next window, and how a division of that among tenants becomes rates. The common half
 * of policies that divide what is scarce; what is fair, they say themselves: see bottleneck-fairness.ts, whose reasoning this is.
 *
 *   excess   = (slowdown − T) · service / window          how much longer an operation waits than it may, windows
 *   full     = (1 − 1/T) / (1 − 1/slowdown)               how much more the resource can do until it is slowed down by T
 *   carry    = 1 + (full − 1, or −excess where that is further from 0) / K,   kept within 1−α … 1+β
 *   capacity = carry · Σ expected                         expected: load, or what a rate in force allows
 *   ceiling  = Σ expected · ρ(T) / ρ(slowdown)            what a resource below T could carry at T;   ρ(s) = √(1 − 1/s)
 *
 * The ceiling tells what part of a resource a tenant has that is not full. It is a guess, by a queue before two servers (M/M/2);
 * for one server ρ is 1 − 1/s, for many it comes close to 1 at once, and how many there are cannot be seen. It is right where
 * the resource is as slow as it may be, and worse the calmer it is. With 1 − 1/s, two tenants of weights 2 and 1 before two
 * disks of two servers each had dominant shares as 1.67 to 1; with the root, as 1.93 to 1.
 *
 * Growth β is twice that of bottleneck fairness: these policies leave some far less than others, who have further to come back.
 */
import type { Rates } from "./rates.js";
import { expectedLoad, heldBack, heldBecause, type Point, type Resource, type Tenant, type View } from "./view.js";

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
export const PACE: Readonly<Pace> = Object.freeze({ alpha: 0.3, beta: 0.2, threshold: 4, settle: 1 });

/** A resource is taken to be slowed down by this much at least: of one that is not at all, nothing can be told. */
const CALMEST = 0.01;

/** ρ: the part of its servers that a resource keeps busy at this slowdown, ≥ 1. */
export function busyPart(slowdown: number): number {
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
  /** Σ expected. */
  readonly total: number;
  /** By tenant index, 1 for those who are held back now. */
  readonly held: Uint8Array;
  readonly #view: View;

  constructor(view: View, resource: Resource, held: Uint8Array, { alpha, beta, threshold, settle }: Pace) {
    this.#view = view;
    this.resource = resource;
    this.held = held;
    this.points = view.points.filter((point) => point.feeds(resource));
    this.expected = resource.loads.slice();
    let total = resource.totalLoad();
    for (const tenant of view.tenants) {
      if (held[tenant.index] === 0) continue;
      const load = resource.load(tenant);
      this.expected[tenant.index] = expectedLoad(resource, tenant, this.points);
      total += Math.min(this.expected[tenant.index], (1 + beta) * load) - load;
    }
    const { slowdown, calmServiceUs } = resource;
    const excess = ((slowdown - threshold) * calmServiceUs) / view.windowUs;
    const full = (1 - 1 / threshold) / (1 - 1 / slowdown);
    const step = slowdown > threshold ? Math.min(full - 1, -excess) : Math.max(full - 1, -excess);
    this.total = total;
    this.calm = slowdown < Math.sqrt(threshold);
    this.carry = Math.min(Math.max(1 + step / settle, 1 - alpha), 1 + beta);
    this.capacity = this.carry * total;
    this.ceiling = Math.max(this.capacity, (total * busyPart(threshold)) / busyPart(Math.max(slowdown, 1 + CALMEST)));
  }

  /** By tenant index: this part of an equal share by weight of the load, or what it asks for when that is less. */
  minima(part: number, weights: Float64Array): Float64Array {
    const { demands } = this.resource;
    let wanting = 0;
    for (let i = 0; i < demands.length; i++) if (demands[i] > 0) wanting += weights[i];
    return demands.map((demand, i) => (demand > 0 ? Math.min(demand, (part * this.total * weights[i]) / wanting) : 0));
  }

  /** What the tenant asks of the resource and can put on it, at the most, under the limits decided so far. */
  left(rates: Rates, tenant: Tenant): number {
    let room = 0;
    for (const point of this.points) {
      const through = point.throughput(tenant);
      if (through > 0) room = Math.max(room, (rates.get(point, tenant) ?? Number.POSITIVE_INFINITY) / through);
    }
    const load = this.resource.load(tenant);
    const demand = this.resource.demand(tenant);
    return load > 0 && room > 0 ? Math.min(demand, load * room) : demand;
  }

  /**
   * Limits whoever may have less than it asks for, at the points that lead here; and whoever is held back now, since it is let
   * go only when its rate has grown beyond what it asks for.
   *
   * @param share   by tenant index, what it may put on the resource, its unit
   * @param atLeast nobody is given less than this part of what it is expected to use
   */
  give(rates: Rates, share: ArrayLike<number>, atLeast = this.calm ? this.carry : 0): void {
    const { resource, expected, held } = this;
    for (const tenant of this.#view.tenants) {
      const { index } = tenant;
      const demand = resource.demands[index];
      // Nothing of it uses this resource or waits to: a rate that follows from no use would be zero, and refuse its first request.
      if (demand === 0) continue;
      const load = Math.max(share[index], atLeast * expected[index]);
      if (held[index] === 0 && load >= demand) continue;
      // What bounds how fast a tenant may grow is not what it is held back because of.
      const because = this.calm ? (heldBecause(this.#view, tenant) ?? resource) : resource;
      for (const point of this.points) rates.limit(point, tenant, point.rateFor(resource, tenant, load), because);
    }
  }
}

/** The budget of every resource. */
export function budgets(view: View, pace: Pace): Budget[] {
  const held = heldBack(view);
  return view.resources.map((resource) => new Budget(view, resource, held, pace));
}

/** Weights by tenant index. */
export function weightsOf(view: View): Float64Array {
  const weights = new Float64Array(view.tenants.length);
  for (const { index, weight } of view.tenants) weights[index] = weight;
  return weights;
}
