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

/** Gini's index of inequality, Σᵢ(2i − n − 1)·xᵢ / (n·Σx) over sorted shares: 0 when all get the same, near 1 when one gets all. */
export function giniIndex(shares: readonly number[]): number {
  const sorted = Float64Array.from(shares).sort();
  let weighted = 0;
  let sum = 0;
  for (let i = 0; i < sorted.length; i++) {
    weighted += (2 * i + 1 - sorted.length) * sorted[i];
    sum += sorted[i];
  }
  return sum > 0 ? weighted / (sorted.length * sum) : 0;
}

/** A mean over independent runs, and half the width of its 95 % confidence interval (Student's t; 0 for a single run). */
export function meanWithin(values: readonly number[]): { mean: number; within: number } {
  const n = values.length;
  const mean = meanOf(values);
  if (n < 2) return { mean, within: 0 };
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  return { mean, within: (studentT(n - 1) * Math.sqrt(squares / (n - 1))) / Math.sqrt(n) };
}

/** The two-sided 95 % point of Student's t, by degrees of freedom: a table up to 30, then 1.96 + 2.4/ν (right to 0.003). */
function studentT(freedom: number): number {
  return freedom <= STUDENT.length ? STUDENT[freedom - 1] : 1.96 + 2.4 / freedom;
}

const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101,
  2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
