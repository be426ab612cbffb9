/** The fluid server that schedulers are compared with; it shares no line with what it judges. */

/** GPS: one server of a fixed speed works on all tenants that have work, by weight. Known costs; O(tenants) per event. */
export class FluidServer {
  readonly #speed: number;
  readonly #left = new Map<string, number>();
  readonly #weights: (tenant: string) => number;
  readonly served = new Map<string, number>();
  #now = 0;

  constructor(costUnitsPerSec: number, weights: (tenant: string) => number = () => 1) {
    this.#speed = costUnitsPerSec / 1e6;
    this.#weights = weights;
  }

  arrive(tenant: string, cost: number, nowUs: number): void {
    this.advance(nowUs);
    this.#left.set(tenant, (this.#left.get(tenant) ?? 0) + cost);
  }

  advance(nowUs: number): void {
    let budget = (nowUs - this.#now) * this.#speed;
    this.#now = nowUs;
    while (budget > 1e-12) {
      const busy = [...this.#left].filter(([, left]) => left > 1e-12);
      if (busy.length === 0) return;
      const weight = busy.reduce((sum, [tenant]) => sum + this.#weights(tenant), 0);
      // Until the first of them is done, everybody gets its part.
      const share = Math.min(budget / weight, ...busy.map(([tenant, left]) => left / this.#weights(tenant)));
      for (const [tenant, left] of busy) {
        const part = share * this.#weights(tenant);
        this.#left.set(tenant, left - part);
        this.served.set(tenant, (this.served.get(tenant) ?? 0) + part);
      }
      budget -= share * weight;
    }
  }
}
