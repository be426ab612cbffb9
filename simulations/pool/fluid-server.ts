/**
 * Generalized processor sharing: the ideal server of rate C that works on every backlogged tenant at once, in proportion to its
 * weight φ [Parekh, Gallager 1993]. Real schedulers are judged by how far they are ahead of it or behind.
 *
 *   dV/dt = C / Σφ(backlogged)          V: virtual time, cost units per unit of weight
 *   arrival of l, idle:     F ← V + l/φ          arrival of l, backlogged:  F ← F + l/φ
 *   served so far:          W = arrived − φ·(F − V)          a tenant is done when V reaches its F
 *
 * Only arrivals and ends of backlogs are events, so an advance costs O(log n) per tenant that becomes idle in it, whatever the
 * time between. A tenant that always has something to do has F = ∞ and W = φ·(V − V₀).
 */
import { IndexedHeap } from "../../enforcement/index.js";

export class FluidServer {
  /** V. */
  virtualTime = 0;
  readonly #rate: number;
  readonly #weights: Float64Array | undefined;
  readonly #finish: Float64Array; // F by tenant; NaN: idle
  readonly #arrived: Float64Array; // by tenant; of a tenant that is always backlogged: −φ·V₀
  readonly #ends = new IndexedHeap(); // backlogged tenants by F
  #activeWeight = 0;
  #nowUs = 0;

  /** @param rate C, cost units per second @param weights φ by tenant; default 1 each */
  constructor(rate: number, tenants: number, weights?: Float64Array) {
    this.#rate = rate / 1e6;
    this.#weights = weights;
    this.#finish = new Float64Array(tenants).fill(Number.NaN);
    this.#arrived = new Float64Array(tenants);
  }

  /** From now on the tenant never runs out of work. It must be idle. */
  backlog(tenant: number, nowUs: number): void {
    this.advance(nowUs);
    const weight = this.#weightOf(tenant);
    this.#finish[tenant] = Number.POSITIVE_INFINITY;
    this.#arrived[tenant] -= weight * this.virtualTime;
    this.#activeWeight += weight;
  }

  /** Work of `cost` arrives; nothing changes for a tenant that is always backlogged. */
  arrive(tenant: number, cost: number, nowUs: number): void {
    this.advance(nowUs);
    const finish = this.#finish[tenant];
    if (finish === Number.POSITIVE_INFINITY) return;
    const weight = this.#weightOf(tenant);
    this.#arrived[tenant] += cost;
    if (Number.isNaN(finish)) this.#activeWeight += weight;
    const end = (Number.isNaN(finish) ? this.virtualTime : finish) + cost / weight;
    this.#finish[tenant] = end;
    this.#ends.set(tenant, end);
  }

  /** Works until `nowUs`, which must not lie before the last call's. */
  advance(nowUs: number): void {
    let work = (nowUs - this.#nowUs) * this.#rate;
    this.#nowUs = nowUs;
    while (this.#ends.size > 0) {
      const end = this.#ends.firstKey();
      const needed = (end - this.virtualTime) * this.#activeWeight;
      if (needed > work) break;
      work -= needed;
      const tenant = this.#ends.first();
      this.#ends.remove(tenant);
      this.#finish[tenant] = Number.NaN;
      this.#activeWeight -= this.#weightOf(tenant);
      this.virtualTime = end;
      // What adding and subtracting weights left behind must not become somebody's share.
      if (this.#activeWeight < 1e-9) this.#activeWeight = 0;
    }
    if (this.#activeWeight > 0) this.virtualTime += work / this.#activeWeight;
  }

  /** Has it still work for the tenant? */
  busyWith(tenant: number): boolean {
    return !Number.isNaN(this.#finish[tenant]);
  }

  /** W_GPS of the tenant at the time of the last call, cost units. */
  served(tenant: number): number {
    const finish = this.#finish[tenant];
    if (Number.isNaN(finish)) return this.#arrived[tenant];
    if (finish === Number.POSITIVE_INFINITY) return this.#arrived[tenant] + this.#weightOf(tenant) * this.virtualTime;
    return this.#arrived[tenant] - this.#weightOf(tenant) * (finish - this.virtualTime);
  }

  #weightOf(tenant: number): number {
    return this.#weights === undefined ? 1 : this.#weights[tenant];
  }
}
