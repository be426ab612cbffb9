/**
 * Weighted max-min fairness: share a capacity C so that nobody's share can grow without shrinking that of somebody who has
 * less. Picture vessels of width w[i] and height d[i]/w[i] filled from one tap: all stand at one water level λ, except those
 * already full.
 *
 *   share[i] = min(d[i], λ·w[i])   with   Σ share = min(C, Σ d)
 *
 * Pour C as if nobody were ever full: the level that gives is too low, for those it fills leave some. Take what they want out of
 * C and pour the rest into the others; and again, until nobody more is full. This is Newton's method on Σ min(d, λ·w), which
 * bends only downward, so the level only rises, and each round leaves at most half of the excess or half of the width: a handful of
 * rounds, where sorting took most of the time. A sum is added up anew in each, so nothing small is lost beside what is big.
 */
import { TenantryError } from "../../proto/errors.js";

/**
 * @param capacity what there is to share, ≥ 0; Infinity gives everybody its demand
 * @param demands  what each wants, ≥ 0, same unit; Infinity for "as much as possible"
 * @param weights  claims, > 0 and finite; 1 each when absent
 * @returns what each gets, in the order of `demands`
 * @throws TenantryError BAD_ARGUMENT naming the first value out of range
 * @example maxMinFair(10, [2, 8, 8]) // [2, 4, 4]
 */
export function maxMinFair(capacity: number, demands: ArrayLike<number>, weights?: ArrayLike<number>): Float64Array {
  const n = demands.length;
  check(capacity, demands, weights);
  const share = new Float64Array(n);
  let total = 0;
  for (let i = 0; i < n; i++) total += demands[i];
  const level = total <= capacity ? Number.POSITIVE_INFINITY : levelOf(capacity, demands, weights);
  for (let i = 0; i < n; i++) share[i] = Math.min(demands[i], level * (weights === undefined ? 1 : weights[i]));
  return share;
}

/** λ, where not everybody can be full. */
function levelOf(capacity: number, demands: ArrayLike<number>, weights: ArrayLike<number> | undefined): number {
  let level = -1;
  for (;;) {
    let left = capacity;
    let open = 0;
    for (let i = 0; i < demands.length; i++) {
      const weight = weights === undefined ? 1 : weights[i];
      if (demands[i] <= level * weight) left -= demands[i];
      else open += weight;
    }
    const next = open > 0 ? left / open : level;
    if (!(next > level)) return level;
    level = next;
  }
}

function check(capacity: number, demands: ArrayLike<number>, weights: ArrayLike<number> | undefined): void {
  if (!(capacity >= 0)) throw fault("capacity", capacity, "a number ≥ 0");
  if (weights !== undefined && weights.length !== demands.length) {
    throw fault("weights.length", weights.length, `${demands.length}, one weight per demand`);
  }
  for (let i = 0; i < demands.length; i++) {
    if (!(demands[i] >= 0)) throw fault(`demands[${i}]`, demands[i], "a number ≥ 0");
    if (weights !== undefined && !(weights[i] > 0 && weights[i] < Number.POSITIVE_INFINITY)) {
      throw fault(`weights[${i}]`, weights[i], "a finite number > 0");
    }
  }
}

function fault(what: string, value: number, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `maxMinFair: ${what} is ${value}; expected ${expected}`);
}
