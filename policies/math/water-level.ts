/**
 * Weighted max-min fairness with caps, guarantees and a past. Picture vessels of width w filled from one tap, on uneven
 * ground: a vessel stands on a heap of what it has had before (`already`), holds water up to its guarantee from the start, and
 * has a lid at its demand or its cap. All stand at one water level λ, except those under their lid or above on their guarantee.
 *
 *   top[i]   = min(demand[i], cap[i])            floor[i] = min(guarantee[i], top[i])
 *   share[i] = min(max(λ·w[i] − already[i], floor[i]), top[i])        with   Σ share = min(C, Σ top)
 *
 * So a guarantee counts toward the fair share, it does not come on top of it; and whoever asks for less than its guarantee
 * leaves the rest to the others. Among all shares with Σ ≤ C and floor ≤ share ≤ top, these are the ones whose smallest level
 * (share + already)/w is highest, then the next smallest, and so on [leximin]. Guarantees that together exceed C cannot be kept:
 * then everybody gets the same fraction of its floor, and nothing else.
 *
 * Σ share rises with λ in straight pieces that end where a vessel begins to fill or meets its lid. We sort those 2n ends,
 * bisect for the piece where Σ share passes C, and solve it: exact, O(n log n). A sum is added up anew at each step of the
 * bisection; a running sum would lose small vessels beside big ones. With `already` far larger than C, shares are as exact as
 * `already` is.
 */
import { checkColumn, Mistakes } from "./mistakes.js";

export interface WaterOptions {
  /** Claims, > 0 and finite; 1 each when absent. */
  weights?: ArrayLike<number>;
  /** What each gets at least, if it asks for it: ≥ 0, finite, unit of the demands; 0 each when absent. */
  guarantees?: ArrayLike<number>;
  /** What each gets at most: ≥ 0, Infinity for none; none when absent. A cap below a guarantee wins. */
  caps?: ArrayLike<number>;
  /** What each has had before and is to be reckoned with, ≥ 0, finite, unit of the demands; 0 each when absent. */
  already?: ArrayLike<number>;
}

/**
 * @param capacity what there is to share, ≥ 0; Infinity gives everybody its demand or its cap
 * @param demands  what each wants, ≥ 0; Infinity for "as much as possible"
 * @returns what each gets, in the order of `demands`
 * @throws TenantryError BAD_ARGUMENT that lists every value out of range
 * @example waterLevelShares(10, [9, 9, 9], { guarantees: [6, 0, 0], caps: [9, 1, 9] }) // [6, 1, 3]
 */
export function waterLevelShares(capacity: number, demands: ArrayLike<number>, options: WaterOptions = {}): Float64Array {
  const { weights, guarantees, caps, already } = options;
  const n = demands.length;
  check(capacity, demands, options);
  const tops = Float64Array.from(demands, (demand, i) => (caps === undefined ? demand : Math.min(demand, caps[i])));
  if (sum(tops) <= capacity) return tops;
  const floors = Float64Array.from(tops, (top, i) => (guarantees === undefined ? 0 : Math.min(guarantees[i], top)));
  const promised = sum(floors);
  if (promised >= capacity) return floors.map((floor) => (floor === 0 ? 0 : floor * (capacity / promised)));

  const widths = Float64Array.from(tops, (_, i) => (weights === undefined ? 1 : weights[i]));
  const heaps = Float64Array.from(tops, (_, i) => (already === undefined ? 0 : already[i]));
  // The level at which a vessel begins to fill, and that at which it meets its lid.
  const begins = new Float64Array(n);
  const ends = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    begins[i] = (floors[i] + heaps[i]) / widths[i];
    ends[i] = (tops[i] + heaps[i]) / widths[i];
  }
  const shareAt = (level: number, i: number) =>
    ends[i] <= level ? tops[i] : begins[i] >= level ? floors[i] : level * widths[i] - heaps[i];
  const pouredAt = (level: number) => {
    let poured = 0;
    for (let i = 0; i < n; i++) poured += shareAt(level, i);
    return poured;
  };
  const level = solve(capacity, lastWithin(capacity, pouredAt, begins, ends), { tops, floors, widths, heaps, begins, ends });
  return tops.map((top, i) => Math.min(Math.max(shareAt(level, i), floors[i]), top));
}

/** The highest end of a piece at which no more than `capacity` is poured. */
function lastWithin(capacity: number, pouredAt: (level: number) => number, begins: Float64Array, ends: Float64Array): number {
  const levels = new Float64Array(begins.length + ends.length);
  levels.set(begins);
  levels.set(ends, begins.length);
  levels.sort();
  let low = 0;
  let high = levels.length - 1;
  // At the lowest, only floors are filled, and those are less than the capacity.
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (levels[middle] < Number.POSITIVE_INFINITY && pouredAt(levels[middle]) <= capacity) low = middle;
    else high = middle - 1;
  }
  return levels[low];
}

type Vessels = Record<"tops" | "floors" | "widths" | "heaps" | "begins" | "ends", Float64Array>;

/** The level at which exactly `capacity` is poured, on the piece that begins at `from`. */
function solve(capacity: number, from: number, { tops, floors, widths, heaps, begins, ends }: Vessels): number {
  let left = capacity;
  let width = 0;
  let heap = 0;
  for (let i = 0; i < tops.length; i++) {
    if (ends[i] <= from) left -= tops[i];
    else if (begins[i] > from) left -= floors[i];
    else {
      width += widths[i];
      heap += heaps[i];
    }
  }
  return width > 0 ? Math.max((Math.max(left, 0) + heap) / width, from) : from;
}

function sum(column: Float64Array): number {
  let total = 0;
  for (let i = 0; i < column.length; i++) total += column[i];
  return total;
}

function check(capacity: number, demands: ArrayLike<number>, { weights, guarantees, caps, already }: WaterOptions): void {
  const mistakes = new Mistakes("waterLevelShares");
  const { length } = demands;
  mistakes.unless(capacity >= 0, "capacity", capacity, "a number ≥ 0");
  checkColumn(mistakes, "demands", demands, { length, least: "≥ 0", finite: false });
  checkColumn(mistakes, "weights", weights, { length, least: "> 0", finite: true });
  checkColumn(mistakes, "guarantees", guarantees, { length, least: "≥ 0", finite: true });
  checkColumn(mistakes, "caps", caps, { length, least: "≥ 0", finite: false });
  checkColumn(mistakes, "already", already, { length, least: "≥ 0", finite: true });
  mistakes.refuse();
}
