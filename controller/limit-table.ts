/**
 * Rates by (point, tenant), each with its reason: what one policy wants, what is in force, what would be. A pair that is not
 * in the table is unlimited. Columns by seat, one set per point, made when the point is first limited.
 */
export interface Limit {
  /** Cost units per second over all instances. */
  ratePerSec: number;
  /** Index of the policy in the controller's list; −1: held from before, by whom is in `note`. */
  policy: number;
  /** Index of the resource's meter; −1: none. */
  resource: number;
  /** "policy|resource" as an agent told it; only where policy is −1. */
  note: string;
}

/** Rates that differ by less do so by rounding. */
const ALMOST = 1 - 1e-9;

/** One point's limits by seat: `rates` is NaN where unlimited. */
export interface LimitColumns {
  rates: Float64Array;
  policies: Int16Array;
  resources: Int32Array;
  count: number;
}

export class LimitTable {
  readonly #points: (LimitColumns | undefined)[] = [];
  readonly #notes = new Map<number, Map<number, string>>();

  /** Pairs limited. */
  get size(): number {
    let size = 0;
    for (const columns of this.#points) if (columns !== undefined) size += columns.count;
    return size;
  }

  /** Limits a pair, whatever it was before. */
  set(point: number, seat: number, ratePerSec: number, policy: number, resource: number, note = ""): void {
    const columns = this.columns(point, seat + 1);
    if (Number.isNaN(columns.rates[seat])) columns.count++;
    columns.rates[seat] = ratePerSec;
    columns.policies[seat] = policy;
    columns.resources[seat] = resource;
    if (policy < 0) {
      const notes = this.#notes.get(point);
      if (notes === undefined) this.#notes.set(point, new Map([[seat, note]]));
      else notes.set(seat, note);
    }
  }

  /**
   * Limits pairs of a point, each unless a tighter limit stands already, or the same but for rounding: whoever came first is the
   * reason.
   *
   * @param rates     by seat; NaN: nothing is to be limited
   * @param resources by seat, index of the meter; −1: none
   */
  tighten(point: number, rates: Float64Array, policy: number, resources: Int32Array): void {
    const columns = this.columns(point, rates.length);
    for (let seat = 0; seat < rates.length; seat++) {
      const before = columns.rates[seat];
      if (before * ALMOST <= rates[seat] || Number.isNaN(rates[seat])) continue;
      if (Number.isNaN(before)) columns.count++;
      columns.rates[seat] = rates[seat];
      columns.policies[seat] = policy;
      columns.resources[seat] = resources[seat];
    }
  }

  /** The rate of a pair; NaN: unlimited. */
  rate(point: number, seat: number): number {
    const rates = this.#points[point]?.rates;
    return rates !== undefined && seat < rates.length ? rates[seat] : Number.NaN;
  }

  /** The columns of a point; undefined: it was never limited. Read only. */
  at(point: number): LimitColumns | undefined {
    return this.#points[point];
  }

  get(point: number, seat: number): Limit | undefined {
    const ratePerSec = this.rate(point, seat);
    if (Number.isNaN(ratePerSec)) return undefined;
    const columns = this.#points[point]!;
    const policy = columns.policies[seat];
    const note = policy < 0 ? (this.#notes.get(point)?.get(seat) ?? "") : "";
    return { ratePerSec, policy, resource: columns.resources[seat], note };
  }

  /** Calls `visit` for every point at which something is limited, in order. The columns are read only. */
  forEachPoint(visit: (point: number, columns: LimitColumns) => void): void {
    for (let p = 0; p < this.#points.length; p++) {
      const columns = this.#points[p];
      if (columns !== undefined && columns.count > 0) visit(p, columns);
    }
  }

  /** Calls `visit` for every pair, in order of point, then seat. */
  forEach(visit: (point: number, seat: number, ratePerSec: number, policy: number, resource: number) => void): void {
    this.forEachPoint((p, { rates, policies, resources }) => {
      for (let s = 0; s < rates.length; s++) if (!Number.isNaN(rates[s])) visit(p, s, rates[s], policies[s], resources[s]);
    });
  }

  /** Forgets all limits. */
  clear(): void {
    for (const columns of this.#points) {
      if (columns === undefined || columns.count === 0) continue;
      columns.rates.fill(Number.NaN);
      columns.count = 0;
    }
    this.#notes.clear();
  }

  /** Forgets limits on tenants whose seats (marked 1) were given back, and on points that `exists` no longer. */
  prune(gone: Uint8Array | undefined, exists: (point: number) => boolean): void {
    for (let p = 0; p < this.#points.length; p++) {
      const columns = this.#points[p];
      if (columns === undefined) continue;
      if (!exists(p)) {
        this.#points[p] = undefined;
        continue;
      }
      if (gone === undefined || columns.count === 0) continue;
      for (let s = 0; s < gone.length && s < columns.rates.length; s++) {
        if (gone[s] === 0 || Number.isNaN(columns.rates[s])) continue;
        columns.rates[s] = Number.NaN;
        columns.count--;
      }
    }
  }

  /** The columns of a point, for at least so many seats. Whoever writes there keeps their count. */
  columns(point: number, seats: number): LimitColumns {
    while (this.#points.length <= point) this.#points.push(undefined);
    const columns = this.#points[point];
    if (columns !== undefined && seats <= columns.rates.length) return columns;
    const size = Math.max(64, seats, 2 * (columns?.rates.length ?? 0));
    const grown: LimitColumns = {
      rates: new Float64Array(size).fill(Number.NaN),
      policies: new Int16Array(size),
      resources: new Int32Array(size),
      count: columns?.count ?? 0,
    };
    if (columns !== undefined) {
      grown.rates.set(columns.rates);
      grown.policies.set(columns.policies);
      grown.resources.set(columns.resources);
    }
    this.#points[point] = grown;
    return grown;
  }
}
