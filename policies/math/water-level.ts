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

/** What bounds the shares besides demand and weight. */
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
  const tops = new Float64Array(n);
  const floors = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    tops[i] = caps === undefined ? demands[i] : Math.min(demands[i], caps[i]);
    floors[i] = guarantees === undefined ? 0 : Math.min(guarantees[i], tops[i]);
  }
  if (sum(tops) <= capacity) return tops;
  const promised = sum(floors);
  if (promised >= capacity) return floors.map((floor) => (floor === 0 ? 0 : floor * (capacity / promised)));

  const vessels: Vessels = {
    tops,
    floors,
    widths: column(weights, n, 1),
    heaps: column(already, n, 0),
    begins: floors,
    ends: tops,
  };
  vessels.begins = vessels.floors.map((floor, i) => (floor + vessels.heaps[i]) / vessels.widths[i]);
  vessels.ends = vessels.tops.map((top, i) => (top + vessels.heaps[i]) / vessels.widths[i]);
  const level = solve(capacity, lastWithin(capacity, vessels), vessels);
  const { widths, heaps, begins, ends } = vessels;
  for (let i = 0; i < n; i++) {
    if (ends[i] <= level) continue;
    tops[i] = begins[i] >= level ? floors[i] : Math.min(Math.max(level * widths[i] - heaps[i], floors[i]), tops[i]);
  }
  return tops;
}

interface Vessels {
  tops: Float64Array;
  floors: Float64Array;
  widths: Float64Array;
  heaps: Float64Array;
  /** The level at which it begins to fill, and that at which it meets its lid. */
  begins: Float64Array;
  ends: Float64Array;
}

function column(given: ArrayLike<number> | undefined, length: number, otherwise: number): Float64Array {
  return given === undefined ? new Float64Array(length).fill(otherwise) : new Float64Array(given);
}

/** The highest end of a piece at which no more than `capacity` is poured. */
function lastWithin(capacity: number, vessels: Vessels): number {
  const { begins, ends } = vessels;
  const levels = new Float64Array(begins.length + ends.length);
  levels.set(begins);
  levels.set(ends, begins.length);
  levels.sort();
  let low = 0;
  let high = levels.length - 1;
  // At the lowest, only floors are filled, and those are less than the capacity.
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (levels[middle] < Number.POSITIVE_INFINITY && poured(levels[middle], vessels) <= capacity) low = middle;
    else high = middle - 1;
  }
  return levels[low];
}

/** How much all vessels hold with the water at `level`. */
function poured(level: number, { tops, floors, widths, heaps, begins, ends }: Vessels): number {
  let held = 0;
  for (let i = 0; i < tops.length; i++) {
    held += ends[i] <= level ? tops[i] : begins[i] >= level ? floors[i] : level * widths[i] - heaps[i];
  }
  return held;
}

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
