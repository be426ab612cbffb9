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
 *
 * All pairs of a point are split together, in passes over each instance's columns: so memory is read in the order in which it lies.
 */
export const USABLE = 0.99;
export const EVEN_PART = 0.05;
export const FALLBACK_EVEN_PART = 0.5;

/** Outstanding of an instance that was never granted a rate: it just joined, or was unlimited until now. */
export const JOINER = -1;

/** Pairs of a point, in columns. */
export interface Pairs {
  /** What there is of each over all instances, ≥ 0. */
  readonly rates: Float64Array;
  /** The highest rate any grant still outstanding was cut from, ≥ rate. A joiner may draw on it while a cut is under way. */
  readonly ceilings: Float64Array;
  /** What instances that are given nothing now may still use together. */
  readonly lingering: Float64Array;
}

/** A column of so many zeros; what works through many points keeps its own. */
export type Zeros = (size: number) => Float64Array;

/** One instance that takes part, with columns by pair, or by the place of the pair among its own. */
export interface Sharer {
  /** By place, the pair; undefined: all pairs are its own. */
  readonly pairOf: Int32Array | undefined;
  /** What it asks for, ≥ 0, any unit. */
  readonly demands: Float64Array;
  /** What it is to have in the end; filled by `shareOut`. */
  readonly shares: Float64Array;
  /** What it may be using: JOINER or a rate. */
  readonly outstanding: Float64Array;
  /** What it may have now; filled by `growWithin` or `echo`. */
  readonly grants: Float64Array;
}

/**
 * Shares of each pair's rate; Σ ≤ 0.99·rate.
 *
 * @param evenPart fraction spread evenly, 0..1
 */
export function shareOut(rates: Float64Array, sharers: readonly Sharer[], evenPart: number, zeros: Zeros): void {
  const totals = zeros(rates.length);
  const counts = zeros(rates.length);
  for (const { pairOf, demands } of sharers) {
    for (let i = 0; i < demands.length; i++) {
      const k = pairOf === undefined ? i : pairOf[i];
      totals[k] += demands[i];
      counts[k]++;
    }
  }
  for (const { pairOf, demands, shares } of sharers) {
    for (let i = 0; i < demands.length; i++) {
      const k = pairOf === undefined ? i : pairOf[i];
      const even = (USABLE * rates[k]) / counts[k];
      shares[i] = totals[k] > 0 ? USABLE * rates[k] * (1 - evenPart) * (demands[i] / totals[k]) + even * evenPart : even;
    }
  }
}

/** By pair: what may be in use, and by how many who were never granted any of it. */
function inUse(
  lingering: Float64Array,
  sharers: readonly Sharer[],
  zeros: Zeros,
): { taken: Float64Array; joiners: Float64Array } {
  const taken = zeros(lingering.length);
  const joiners = zeros(lingering.length);
  taken.set(lingering);
  for (const { pairOf, outstanding } of sharers) {
    for (let i = 0; i < outstanding.length; i++) {
      const k = pairOf === undefined ? i : pairOf[i];
      if (outstanding[i] === JOINER) joiners[k]++;
      else taken[k] += outstanding[i];
    }
  }
  return { taken, joiners };
}

/**
 * As much of each share as may be granted now.
 *
 * Never lets Σ max(outstanding, grant) + lingering pass the larger of the rate and what it was before; a joiner that would
 * get nothing gets its part of what the ceiling leaves, since a rate of zero would turn all its requests away.
 */
export function growWithin({ rates, ceilings, lingering }: Pairs, sharers: readonly Sharer[], zeros: Zeros): void {
  const { taken, joiners } = inUse(lingering, sharers, zeros);
  const parts = zeros(taken.length);
  for (const { pairOf, shares, outstanding, grants } of sharers) {
    for (let i = 0; i < shares.length; i++) {
      grants[i] = Math.min(outstanding[i] === JOINER ? 0 : outstanding[i], shares[i]);
      parts[pairOf === undefined ? i : pairOf[i]] += shares[i] - grants[i];
    }
  }
  // What is wanted beyond what is had, and then how much of that there is.
  for (let k = 0; k < parts.length; k++) {
    if (parts[k] > 0) parts[k] = Math.min(1, Math.max(0, rates[k] - taken[k]) / parts[k]);
  }
  for (const { pairOf, shares, outstanding, grants } of sharers) {
    for (let i = 0; i < shares.length; i++) {
      const k = pairOf === undefined ? i : pairOf[i];
      if (parts[k] > 0) grants[i] += parts[k] * (shares[i] - grants[i]);
      else if (outstanding[i] === JOINER) grants[i] = Math.min(shares[i], Math.max(0, ceilings[k] - taken[k]) / joiners[k]);
    }
  }
}

/**
 * What a controller grants that does not know the rate yet, only who holds what: to each what it holds, and to those who just
 * joined the reserve that every split keeps. Nobody's share moves while others, still unheard of, hold theirs.
 *
 * @param held by pair, 1 for those of which no more is known; the others are left alone
 */
export function echo(held: Uint8Array, lingering: Float64Array, sharers: readonly Sharer[], zeros: Zeros): void {
  const { taken, joiners } = inUse(lingering, sharers, zeros);
  for (const { pairOf, outstanding, grants } of sharers) {
    for (let i = 0; i < grants.length; i++) {
      const k = pairOf === undefined ? i : pairOf[i];
      if (held[k] === 0) continue;
      grants[i] = outstanding[i] === JOINER ? (taken[k] / USABLE - taken[k]) / joiners[k] : outstanding[i];
    }
  }
}
