import fc from "fast-check";
import { expect, test } from "vitest";
import { LATENCY_BUCKETS, latencyBucket, latencyBucketUpperUs } from "../../proto/histogram.js";
import { latencyQuantileUs } from "../latency-quantile.js";

test("every duration falls into a bucket whose edges enclose it", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 2 ** 36 - 1, noNaN: true }), (us) => {
      const bucket = latencyBucket(us);
      const upper = latencyBucketUpperUs(bucket);
      expect(us).toBeLessThanOrEqual(upper * (1 + 1e-8));
      expect(us).toBeGreaterThanOrEqual((upper / 2 ** (1 / 8)) * (1 - 1e-8));
    }),
    { numRuns: 5_000 },
  );
});

test("buckets never decrease as durations grow, and stay in range for any number", () => {
  let before = 0;
  for (let us = 0; us < 5_000; us++) {
    const bucket = latencyBucket(us);
    expect(bucket).toBeGreaterThanOrEqual(before);
    before = bucket;
  }
  for (const odd of [-1, 0, 0.5, Number.NaN, 2 ** 32 - 1, 2 ** 32, 2 ** 36, Number.POSITIVE_INFINITY]) {
    const bucket = latencyBucket(odd);
    expect(Number.isInteger(bucket) && bucket >= 0 && bucket < LATENCY_BUCKETS).toBe(true);
  }
});

test("a quantile is at least the sample's own and at most a bucket above it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.9, 0.99, 1),
      (samples, q) => {
        const counts = new Float64Array(LATENCY_BUCKETS);
        for (const sample of samples) counts[latencyBucket(sample)] += 1;
        const sorted = samples.slice().sort((a, b) => a - b);
        const truth = sorted[Math.max(0, Math.ceil(q * sorted.length - 1e-9) - 1)];
        const read = latencyQuantileUs(counts, q);
        expect(read).toBeGreaterThanOrEqual(truth * (1 - 1e-8));
        expect(read).toBeLessThanOrEqual(truth * 2 ** (1 / 8) * (1 + 1e-8));
      },
    ),
  );
  expect(latencyQuantileUs(new Float64Array(LATENCY_BUCKETS), 0.99)).toBe(0);
});
