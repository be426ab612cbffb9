/**
 * How runs are judged: fairness, steadiness, and summaries of series, each defined once.
 */

/**
 * Jain's fairness index: (Σx)² / (n · Σx²). 1 when all get the same, 1/n when one gets everything; NaN of nothing.
 *
 * @example jainIndex([300, 300, 300]) // 1
 */
export function jainIndex(shares: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return squares === 0 ? Number.NaN : (sum * sum) / (shares.length * squares);
}

/** Mean of `values` from window `from` up to, not including, `to`; NaN of nothing. */
export function meanOf(values: readonly number[], from = 0, to = values.length): number {
  let sum = 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    sum += values[i];
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}

/** The q-quantile (0…1) of `values`, the nearest one of them; NaN of nothing. */
export function quantileOf(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.max(Math.ceil(q * sorted.length) - 1, 0), sorted.length - 1)];
}

/**
 * How many windows after `from` the last window that is not `good` ends: 0 when all are good, all of them when the very last
 * one is not. Settled means settled: a good stretch that ends does not count.
 */
export function settledAfter(values: readonly number[], from: number, good: (value: number) => boolean): number {
  for (let i = values.length - 1; i >= from; i--) {
    if (!good(values[i])) return i + 1 - from;
  }
  return 0;
}
