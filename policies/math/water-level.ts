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
 * Σ share rises with λ in straight pieces that end where a vessel begins to fill or meets its lid. On the piece at hand we solve for
 * λ and go there, until that piece is the one: Newton's method, a handful of looks at all vessels, where to sort their ends took
 * most of the time. It bends both ways, so every look also moves an end of the interval λ is in, and every eighth halves that.
 * A sum is added up anew in each look; a running sum would lose small vessels beside big ones. With `already` far larger than C,
 * shares are as exact as `already` is.
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

  const vessels: Vessels = { tops, floors, widths: column(weights, n, 1), heaps: column(already, n, 0) };
  const level = levelOf(capacity, vessels);
  const { widths, heaps } = vessels;
  for (let i = 0; i < n; i++) tops[i] = Math.min(Math.max(level * widths[i] - heaps[i], floors[i]), tops[i]);
  return tops;
}

interface Vessels {
  tops: Float64Array;
  floors: Float64Array;
  widths: Float64Array;
  heaps: Float64Array;
}

function column(given: ArrayLike<number> | undefined, length: number, otherwise: number): Float64Array {
  return given === undefined ? new Float64Array(length).fill(otherwise) : new Float64Array(given);
}

/** λ, where Σ floors < capacity < Σ tops. */
function levelOf(capacity: number, { tops, floors, widths, heaps }: Vessels): number {
  let low = 0;
  // Whoever stands between floor and top at λ has no more than there is: λ is below twice the level of one who has it all.
  let high = 0;
  for (let i = 0; i < tops.length; i++) high = Math.max(high, (2 * (capacity + heaps[i])) / widths[i]);
  let level = (capacity + sum(heaps)) / sum(widths);
  for (let look = 1; ; look++) {
    let left = capacity;
    let width = 0;
    let heap = 0;
    for (let i = 0; i < tops.length; i++) {
      const share = level * widths[i] - heaps[i];
      if (share >= tops[i]) left -= tops[i];
      else if (share < floors[i]) left -= floors[i];
      else {
        width += widths[i];
        heap += heaps[i];
      }
    }
    // A flat piece only tells on which side of it λ is.
    const solved = width > 0 ? (left + heap) / width : left === 0 ? level : left * Number.POSITIVE_INFINITY;
    if (solved === level) return level;
    if (solved > level) low = level;
    else high = level;
    level = solved > low && solved < high && look % 8 > 0 ? solved : (low + high) / 2;
    if (!(level > low && level < high)) return low;
  }
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
