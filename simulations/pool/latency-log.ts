/**
 * How long requests took, from enqueued to finished, by tenant. Every one is kept (12 bytes), so that quantiles are exact.
 * What is not finished when a run ends counts with the time it has taken so far: else those who starve would look best.
 */
export class LatencyLog {
  count = 0;
  #tenant = new Int32Array(1024);
  #tookUs = new Float64Array(1024);

  add(tenant: number, tookUs: number): void {
    if (this.count === this.#tenant.length) {
      const tenants = new Int32Array(2 * this.count);
      const times = new Float64Array(2 * this.count);
      tenants.set(this.#tenant);
      times.set(this.#tookUs);
      this.#tenant = tenants;
      this.#tookUs = times;
    }
    this.#tenant[this.count] = tenant;
    this.#tookUs[this.count] = tookUs;
    this.count += 1;
  }

  /** By tenant, its latencies in µs, sorted; empty for who had none. */
  byTenant(tenants: number): Float64Array[] {
    const ends = new Int32Array(tenants + 1);
    for (let k = 0; k < this.count; k++) ends[this.#tenant[k] + 1] += 1;
    for (let tenant = 0; tenant < tenants; tenant++) ends[tenant + 1] += ends[tenant];
    const grouped = new Float64Array(this.count);
    const next = ends.slice();
    for (let k = 0; k < this.count; k++) grouped[next[this.#tenant[k]]++] = this.#tookUs[k];
    return Array.from({ length: tenants }, (_, tenant) => grouped.subarray(ends[tenant], ends[tenant + 1]).sort());
  }
}

/** The q-quantile (0…1) of sorted values, the nearest one of them; NaN of nothing. */
export function sortedQuantile(sorted: Float64Array, q: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.min(Math.max(Math.ceil(q * sorted.length) - 1, 0), sorted.length - 1)];
}
