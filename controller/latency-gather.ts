/**
 * Quantiles of latency per tenant, from the sparse histogram entries of all instances. A dense histogram for every (point,
 * tenant) would be gigabytes; the entries of one window are few. They are sorted by tenant in one counting pass, and each
 * tenant's few are then walked in order of bucket.
 */
import { LATENCY_BUCKETS, latencyBucketUpperUs } from "../proto/histogram.js";

export class LatencyGather {
  #tenant = new Int32Array(1_024);
  #bucket = new Uint16Array(1_024);
  #count = new Float64Array(1_024);
  #size = 0;
  #starts = new Int32Array(0);
  #order = new Int32Array(0);
  readonly #histogram = new Float64Array(LATENCY_BUCKETS);

  /** One entry: so many requests of this tenant fell into this bucket. */
  add(tenant: number, bucket: number, count: number): void {
    if (this.#size === this.#tenant.length) this.#grow();
    this.#tenant[this.#size] = tenant;
    this.#bucket[this.#size] = bucket;
    this.#count[this.#size++] = count;
  }

  /**
   * Writes the quantiles, µs, of every tenant that has entries, and begins anew.
   *
   * @param p50sUs by tenant; untouched where there is no entry
   * @param p99sUs likewise
   */
  finish(p50sUs: Float64Array, p99sUs: Float64Array): void {
    const size = this.#size;
    this.#size = 0;
    if (size === 0) return;
    const tenants = p99sUs.length;
    if (this.#starts.length < tenants + 1) this.#starts = new Int32Array(2 * tenants + 1);
    if (this.#order.length < size) this.#order = new Int32Array(2 * size);
    const starts = this.#starts.fill(0, 0, tenants + 1);
    for (let i = 0; i < size; i++) starts[this.#tenant[i] + 1]++;
    for (let t = 0; t < tenants; t++) starts[t + 1] += starts[t];
    // Filling moves each start to its tenant's end, which is the next one's start.
    for (let i = 0; i < size; i++) this.#order[starts[this.#tenant[i]]++] = i;
    for (let t = 0, from = 0; t < tenants; t++) {
      if (starts[t] > from) this.#quantiles(t, from, starts[t], p50sUs, p99sUs);
      from = starts[t];
    }
  }

  #quantiles(tenant: number, from: number, to: number, p50sUs: Float64Array, p99sUs: Float64Array): void {
    const histogram = this.#histogram;
    if (to - from === 1) {
      p50sUs[tenant] = p99sUs[tenant] = latencyBucketUpperUs(this.#bucket[this.#order[from]]);
      return;
    }
    let lowest = LATENCY_BUCKETS;
    let highest = 0;
    let total = 0;
    for (let i = from; i < to; i++) {
      const entry = this.#order[i];
      const bucket = this.#bucket[entry];
      histogram[bucket] += this.#count[entry];
      total += this.#count[entry];
      if (bucket < lowest) lowest = bucket;
      if (bucket > highest) highest = bucket;
    }
    let below = 0;
    let median = -1;
    let tail = -1;
    for (let bucket = lowest; bucket <= highest; bucket++) {
      below += histogram[bucket];
      histogram[bucket] = 0;
      if (median < 0 && below >= 0.5 * total) median = bucket;
      if (tail < 0 && below >= (0.99 - 1e-9) * total) tail = bucket;
    }
    if (total === 0) return;
    p50sUs[tenant] = latencyBucketUpperUs(median);
    p99sUs[tenant] = latencyBucketUpperUs(tail);
  }

  #grow(): void {
    const size = 2 * this.#tenant.length;
    const tenant = new Int32Array(size);
    const bucket = new Uint16Array(size);
    const count = new Float64Array(size);
    tenant.set(this.#tenant);
    bucket.set(this.#bucket);
    count.set(this.#count);
    this.#tenant = tenant;
    this.#bucket = bucket;
    this.#count = count;
  }
}
