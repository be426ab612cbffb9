/**
 * Latency histograms both halves agree on: logarithmic buckets, eight to the octave, so that a quantile read from one is at
 * most 2^(1/8) − 1 = 9 % above the truth. Buckets merge by adding; 288 of them span 1 µs to 2^36 µs (19 hours).
 *
 *   bucket(x) = floor(8 · log2 x) for x ≥ 1,   upper(b) = 2^((b + 1) / 8)
 *
 * Computed from the bits of the number rather than by `Math.log2`, whose last digit may differ between machines: the
 * octave is the position of the leading one, the eighth is found among seven precomputed boundaries.
 */
export const LATENCY_BUCKETS = 288;

const EIGHTHS = Float64Array.from({ length: 7 }, (_, i) => Math.round(2 ** ((i + 1) / 8) * 2 ** 30) / 2 ** 30);

/** The bucket of a duration in µs: 0..287. Durations below 1 µs fall into the first, beyond the range into the last. */
export function latencyBucket(us: number): number {
  if (!(us >= 1)) return 0;
  if (us >= 2 ** 36) return LATENCY_BUCKETS - 1;
  const octave = us < 2 ** 32 ? 31 - Math.clz32(us) : 63 - Math.clz32(us / 2 ** 32);
  const fraction = us / POWERS[octave];
  // Three comparisons find the eighth.
  let eighth = 0;
  if (fraction >= EIGHTHS[3]) eighth = 4;
  if (fraction >= EIGHTHS[eighth + 1]) eighth += 2;
  if (fraction >= EIGHTHS[eighth]) eighth += 1;
  return octave * 8 + eighth;
}

const POWERS = Float64Array.from({ length: 37 }, (_, i) => 2 ** i);

/** 2^((b + 1) / 8), from the same boundaries that buckets are told apart by. */
const UPPERS_US = Float64Array.from({ length: LATENCY_BUCKETS }, (_, b) => {
  const octave = (b + 1) >> 3;
  const eighth = (b + 1) & 7;
  return eighth === 0 ? POWERS[octave] : POWERS[octave] * EIGHTHS[eighth - 1];
});

/** The upper edge of a bucket, µs: the value reported for whatever fell into it. */
export function latencyBucketUpperUs(bucket: number): number {
  return UPPERS_US[bucket];
}
