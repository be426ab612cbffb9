/**
 * One rate, many instances. Where the demand is, there the rate must be; and yet what all instances together may use must
 * never pass the rate, in whatever order messages arrive.
 *
 * Shares:   share[i] = u·R·((1−e)·d[i]/Σd + e/n)      u = 0.99, e = 0.05
 * `u` leaves a reserve, from which an instance that just joined draws before the others have made room. `e` is spread evenly,
 * so that demand that moves finds something at once. Under any skew the one instance that has all the demand gets at least
 * u·(1−e) = 94 % of the rate. Without demand anywhere, shares are even.
 *
 * Fallbacks (for when no controller answers) are the same with e = 1/2: demand moves while nobody watches.
 *
 * Shrink, then grow: an instance may be using any rate it was granted and has not yet replaced ("outstanding"). Lowering it
 * counts only when it says so, or its lease has run out; until then what it had is taken. Raises share what is left.
 */
export const USABLE = 0.99;
export const EVEN_PART = 0.05;
export const FALLBACK_EVEN_PART = 0.5;

/** Outstanding of an instance that was never granted a rate: it just joined, or was unlimited until now. */
export const JOINER = -1;

/**
 * Shares of a rate.
 *
 * @param rate     what there is, ≥ 0
 * @param demands  of each instance, ≥ 0, any unit
 * @param evenPart fraction spread evenly, 0..1
 * @param shares   filled; Σ ≤ 0.99·rate
 * @param n        instances; default all of `demands`
 */
export function shareOut(
  rate: number,
  demands: ArrayLike<number>,
  evenPart: number,
  shares: Float64Array,
  n = demands.length,
): void {
  let total = 0;
  for (let i = 0; i < n; i++) total += demands[i];
  const even = (USABLE * rate) / n;
  if (!(total > 0)) {
    shares.fill(even, 0, n);
    return;
  }
  for (let i = 0; i < n; i++) shares[i] = USABLE * rate * (1 - evenPart) * (demands[i] / total) + even * evenPart;
}

/**
 * What a controller grants that does not know the rate yet, only who holds what: to each what it holds, and to those who just
 * joined the reserve that every split keeps. Nobody's share moves while others, still unheard of, hold theirs.
 *
 * @param lingering   what instances that are given nothing now may still use together
 * @param outstanding what each may be using: JOINER or a rate
 * @param grants      filled
 * @param n           instances
 */
export function echo(lingering: number, outstanding: ArrayLike<number>, grants: Float64Array, n: number): void {
  let held = lingering;
  let joiners = 0;
  for (let i = 0; i < n; i++) {
    if (outstanding[i] === JOINER) joiners++;
    else held += outstanding[i];
  }
  const reserve = held / USABLE - held;
  for (let i = 0; i < n; i++) grants[i] = outstanding[i] === JOINER ? reserve / joiners : outstanding[i];
}

export interface GrowOptions {
  /** The rate to stay within, ≥ 0. */
  rate: number;
  /** The highest rate any grant still outstanding was cut from, ≥ rate. A joiner may draw on it while a cut is under way. */
  ceiling: number;
  /** What instances that are given nothing now may still use together. */
  lingering: number;
}

/**
 * As much of each share as may be granted now.
 *
 * Never lets Σ max(outstanding, grant) + lingering pass the larger of the rate and what it was before; a joiner that would
 * get nothing gets its part of what the ceiling leaves, since a rate of zero would turn all its requests away.
 *
 * @param shares      wanted
 * @param outstanding what each may be using: JOINER or a rate
 * @param grants      filled; grants[i] ≤ shares[i]
 * @param n           instances; default all of `shares`
 */
export function growWithin(
  { rate, ceiling, lingering }: GrowOptions,
  shares: ArrayLike<number>,
  outstanding: ArrayLike<number>,
  grants: Float64Array,
  n = shares.length,
): void {
  let taken = lingering;
  let wanted = 0;
  let joiners = 0;
  for (let i = 0; i < n; i++) {
    const base = outstanding[i] === JOINER ? 0 : outstanding[i];
    taken += base;
    grants[i] = Math.min(base, shares[i]);
    wanted += shares[i] - grants[i];
    if (outstanding[i] === JOINER) joiners++;
  }
  const part = wanted > 0 ? Math.min(1, Math.max(0, rate - taken) / wanted) : 0;
  if (part > 0) {
    for (let i = 0; i < n; i++) grants[i] += part * (shares[i] - grants[i]);
  } else if (joiners > 0) {
    const each = Math.max(0, ceiling - taken) / joiners;
    for (let i = 0; i < n; i++) if (outstanding[i] === JOINER) grants[i] = Math.min(shares[i], each);
  }
}
