/** What quantiles read from histograms are held to: one bucket after the other, nothing clever. */
import { LATENCY_BUCKETS, latencyBucketUpperUs } from "../proto/histogram.js";

/**
 * The q-quantile (0 < q ≤ 1) of a histogram with `LATENCY_BUCKETS` counts from `offset`, in µs: the upper edge of the
 * bucket that holds it; 0 when the histogram is empty.
 */
export function latencyQuantileUs(counts: ArrayLike<number>, q: number, offset = 0): number {
  let total = 0;
  for (let b = 0; b < LATENCY_BUCKETS; b++) total += counts[offset + b];
  if (total === 0) return 0;
  let left = q * total;
  for (let b = 0; b < LATENCY_BUCKETS; b++) {
    left -= counts[offset + b];
    if (left <= 1e-9 * total) return latencyBucketUpperUs(b);
  }
  return latencyBucketUpperUs(LATENCY_BUCKETS - 1);
}
