/**
 * What a policy sees of those that decided before it in this window: their limits, and demands within them.
 *
 *   demand'(r,w) = min( demand(r,w), max over points p feeding r of the load that decided(p,w) lets w put on r )
 *
 * Without this, a tenant that a latency objective holds to a tenth would still count as wanting all of it, and fairness would
 * cut others to keep its share free, which nobody then uses.
 */
import { type Point, Rates, type Resource, type Tenant, type View } from "../policies/index.js";

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

  /** One limit of the policy that decided last; call `bound` after all of them. */
  limit(point: Point, tenant: Tenant, ratePerSec: number, because: Resource | undefined): void {
    this.#rates.limit(point, tenant, ratePerSec, because);
  }

  /** The limits of a policy are in: those after it see them. */
  bound(): void {
    const { view } = this;
    const limited = new Uint8Array(view.tenants.length);
    this.#rates.forEach((_, tenant) => {
      limited[tenant] = 1;
    });
    const rooms = view.points.map((point) => this.#roomsAt(point, limited));
    for (const resource of view.resources) this.#boundDemands(resource, rooms);
    this.view = { ...view, decided: this.#rates };
  }

  /** All have decided: demands are again what tenants ask for. */
  restore(): void {
    for (const [r, before] of this.#before.entries()) if (before !== undefined) this.view.resources[r].demands.set(before);
  }

  /** By tenant: how many times what came through may come; −rate where nothing did but some waits; NaN: nothing is to be said. */
  #roomsAt(point: Point, limited: Uint8Array): Float64Array {
    const rates = this.#rates.column(point);
    const { throughputs, waitings } = point;
    const rooms = new Float64Array(limited.length).fill(Number.NaN);
    for (let t = 0; t < rooms.length; t++) {
      if (limited[t] === 0) continue;
      const rate = rates === undefined ? Number.POSITIVE_INFINITY : rates[t];
      if (throughputs[t] > 0) rooms[t] = rate / throughputs[t];
      else if (waitings[t] > 0) rooms[t] = -rate;
    }
    return rooms;
  }

  #boundDemands(resource: Resource, roomsByPoint: readonly Float64Array[]): void {
    const { demands, loads, index } = resource;
    this.#before[index] ??= demands.slice();
    const allowed = new Float64Array(demands.length);
    for (const point of this.view.points) {
      if (!point.feeds(resource)) continue;
      const everybodys = point.totalThroughput > 0 ? resource.totalLoad() / point.totalThroughput : 0;
      const rooms = roomsByPoint[point.index];
      for (let t = 0; t < allowed.length; t++) {
        const room = rooms[t];
        if (Number.isNaN(room)) continue;
        const unlimited = room === Number.POSITIVE_INFINITY || room === Number.NEGATIVE_INFINITY;
        const load = unlimited ? Number.POSITIVE_INFINITY : room >= 0 ? room * loads[t] : -room * everybodys;
        if (load > allowed[t]) allowed[t] = load;
      }
    }
    // Where nothing of it comes through or waits, no limit says anything about what it wants.
    for (let t = 0; t < allowed.length; t++) if (allowed[t] > 0 && allowed[t] < demands[t]) demands[t] = allowed[t];
  }
}
