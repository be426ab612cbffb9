/**
 * What a policy sees of those that decided before it in this window: their limits, and demands within them.
 *
 *   demand'(r,w) = min( demand(r,w), max over points p feeding r of the load that decided(p,w) lets w put on r )
 *
 * Without this, a tenant that a latency objective holds to a tenth would still count as wanting all of it, and fairness would
 * cut others to keep its share free, which nobody then uses.
 */
import { holdsOf, type Point, Rates, type Resource, type View } from "../policies/index.js";

export class Decided {
  /** What the next policy sees. */
  view: View;
  readonly #rates: Rates;
  /** Demands as they were, by resource; undefined: untouched. */
  readonly #before: (Float64Array | undefined)[];

  constructor(view: View) {
    this.view = view;
    this.#rates = new Rates(view);
    this.#before = new Array(view.resources.length).fill(undefined);
  }

  /**
   * Limits of the policy that decided last; call `bound` after all of them.
   *
   * @param ratesPerSec by tenant index; Infinity: not limited
   * @param because     by tenant index, the resource, by its index; −1: none
   */
  limit(point: Point, ratesPerSec: Float64Array, because: Int32Array): void {
    this.#rates.limitAll(point, ratesPerSec, because);
  }

  /** The limits of a policy are in: those after it see them. */
  bound(): void {
    const { view } = this;
    const limited = new Uint8Array(view.tenants.length);
    this.#rates.forEachPoint((_, rates) => {
      for (let t = 0; t < limited.length; t++) if (rates[t] < Number.POSITIVE_INFINITY) limited[t] = 1;
    });
    const { feeders } = holdsOf(view);
    const ways = new Map(feeders.map((points) => [points, undefined as Ways | undefined]));
    for (const points of ways.keys()) ways.set(points, this.#waysThrough(points, limited));
    for (const resource of view.resources) this.#boundDemands(resource, ways.get(feeders[resource.index])!);
    this.view = { ...view, decided: this.#rates };
  }

  /** All have decided: demands are again what tenants ask for. */
  restore(): void {
    for (const [r, before] of this.#before.entries()) if (before !== undefined) this.view.resources[r].demands.set(before);
  }

  #waysThrough(points: readonly Point[], limited: Uint8Array): Ways {
    const rooms = new Float64Array(limited.length);
    const shut: Ways["shut"] = [];
    for (const point of points) {
      const rates = this.#rates.column(point);
      const { throughputs, waitings } = point;
      for (let t = 0; t < rooms.length; t++) {
        if (limited[t] === 0) continue;
        const rate = rates === undefined ? Number.POSITIVE_INFINITY : rates[t];
        if (throughputs[t] > 0) rooms[t] = Math.max(rooms[t], rate / throughputs[t]);
        else if (waitings[t] > 0) shut.push({ point, tenant: t, rate });
      }
    }
    return { rooms, shut };
  }

  #boundDemands(resource: Resource, { rooms, shut }: Ways): void {
    const { demands, loads, index } = resource;
    this.#before[index] ??= demands.slice();
    const allowed = rooms.slice();
    for (let t = 0; t < allowed.length; t++) if (allowed[t] < Number.POSITIVE_INFINITY) allowed[t] *= loads[t];
    for (const { point, tenant, rate } of shut) {
      const everybodys = point.totalThroughput > 0 ? resource.totalLoad() / point.totalThroughput : 0;
      allowed[tenant] = Math.max(allowed[tenant], rate === Number.POSITIVE_INFINITY ? rate : rate * everybodys);
    }
    // Where nothing of it comes through or waits, no limit says anything about what it wants.
    for (let t = 0; t < allowed.length; t++) if (allowed[t] > 0 && allowed[t] < demands[t]) demands[t] = allowed[t];
  }
}

/** How those who are limited come to a resource; alike for all resources that the same points feed. */
interface Ways {
  /** By tenant: how many times what came through may come, at the point that leaves it most. */
  readonly rooms: Float64Array;
  /** Where nothing of it came through but some waits, and the rate it has there. */
  readonly shut: { readonly point: Point; readonly tenant: number; readonly rate: number }[];
}
