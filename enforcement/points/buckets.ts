/**
 * The token bucket: the one arithmetic behind `createTokenBucket` and the throttle of every control point.
 *
 * A bucket holds at most B tokens and gains r of them per second, continuously, computed when asked and never ticked:
 *
 *   available(t) = min(B, tokens + r · (t − last))          for t ≥ last, else tokens
 *
 * Where we differ from the limiters we learned from, each difference after a fault seen elsewhere:
 *
 *  - A refusal changes nothing: neither `tokens` nor `last`. Polling a bucket cannot starve or feed it, and the rounding of
 *    a billion polls cannot add up.
 *  - Waits are computed as a double in µs, never as an integer count of nanoseconds: at 1e-12 per second a token takes 1e18 µs,
 *    which a double holds and an int64 of nanoseconds does not (it wrapped round, and the bucket failed open).
 *  - A wait is the least whole µs after which this very arithmetic admits, so whoever waits it out never finds the bucket a
 *    rounding error short, and `now + wait` is never `now`.
 *  - Cost is settled when it is known. A bucket may owe: it then admits nothing until the debt is paid. What was not known
 *    beforehand is owed for five seconds at the most, so that one enormous request cannot lock its tenant out. What a
 *    request was taken for is owed in full (for ten minutes at the most), whatever rate is set meanwhile: to let debts off at five
 *    seconds of each new rate let twice as many requests through as one in ten seconds.
 *  - Zero means zero. "Unlimited" is a state of its own: a rate of Infinity, which no arithmetic ever touches.
 */
import { withRow } from "../columns.js";

const STRIDE = 5;
const RATE = 0; // tokens per second; Infinity: unlimited
const BURST = 1; // most tokens the bucket holds
const TOKENS = 2; // tokens held at LAST; negative: debt
const LAST = 3; // µs; NaN: no time yet, the bucket is full
const TAKEN = 4; // tokens that were taken last, at once

const US_PER_SEC = 1e6;
/** Most debt a bucket may have by what was not known beforehand: this many seconds of its rate, or its burst if that is more. */
const UNKNOWN_SECONDS = 5;
/** The same by what a request was taken for. */
const TAKEN_SECONDS = 600;

/** Buckets by index. A bucket not set is unlimited. Costs and times are the caller's to check. */
export class Buckets {
  #cells = new Float64Array(0);
  /** How many are limited now. */
  limited = 0;

  /** Is there a rate in force for this bucket? */
  isLimited(index: number): boolean {
    return this.limited > 0 && this.ratePerSec(index) < Number.POSITIVE_INFINITY;
  }

  ratePerSec(index: number): number {
    const at = index * STRIDE;
    return at < this.#cells.length ? rateOf(this.#cells[at + RATE]) : Number.POSITIVE_INFINITY;
  }

  burst(index: number): number {
    return this.#cells[index * STRIDE + BURST];
  }

  /** Tokens at `nowUs`; negative: debt. */
  available(index: number, nowUs: number): number {
    const cells = this.#cells;
    const at = index * STRIDE;
    const tokens = cells[at + TOKENS];
    const elapsedUs = nowUs - cells[at + LAST];
    if (!(elapsedUs > 0)) return tokens;
    return Math.min(cells[at + BURST], tokens + (elapsedUs * rateOf(cells[at + RATE])) / US_PER_SEC);
  }

  /**
   * Takes `cost` tokens if `need` of them are there, else takes nothing. (A cost above the burst needs a full bucket and
   * leaves a debt; who forbids that passes `need` = `cost`.)
   * @returns were they taken?
   */
  tryTake(index: number, need: number, cost: number, nowUs: number): boolean {
    const available = this.available(index, nowUs);
    if (available < need) return false;
    if (cost > 0) {
      const at = index * STRIDE;
      this.#cells[at + TOKENS] = available - cost;
      this.#cells[at + LAST] = nowUs;
      this.#cells[at + TAKEN] = cost;
    }
    return true;
  }

  /** Whole µs from `nowUs` until `need` tokens could be there if nobody takes any: 0 = now, Infinity = never. */
  waitUs(index: number, need: number, nowUs: number): number {
    const short = need - this.available(index, nowUs);
    if (!(short > 0)) return 0;
    const at = index * STRIDE;
    if (need > this.#cells[at + BURST]) return Number.POSITIVE_INFINITY;
    return this.#roundedWaitUs(index, need, nowUs, short);
  }

  /** As `waitUs`, for the last of a queue: it needs what those ahead of it take as well, which may be more than the burst. */
  queueWaitUs(index: number, need: number, ahead: number, nowUs: number): number {
    const short = need + ahead - this.available(index, nowUs);
    if (!(short > 0)) return 0;
    return Math.ceil((short * US_PER_SEC) / rateOf(this.#cells[index * STRIDE + RATE]));
  }

  #roundedWaitUs(index: number, need: number, nowUs: number, short: number): number {
    const at = index * STRIDE;
    // When the clock was set back, refilling begins at `nowUs` only once something is taken; until then it begins at LAST.
    const behindUs = Math.max(0, this.#cells[at + LAST] - nowUs);
    const waitUs = behindUs + Math.ceil((short * US_PER_SEC) / rateOf(this.#cells[at + RATE]));
    if (!(waitUs < Number.MAX_SAFE_INTEGER)) return waitUs;
    if (waitUs > 1 && this.available(index, nowUs + waitUs - 1) >= need) return waitUs - 1;
    return this.available(index, nowUs + waitUs) >= need ? Math.max(1, waitUs) : waitUs + 1;
  }

  /** Adds tokens given back (> 0) or takes what was used beyond the estimate (< 0), within the burst and the bound on debt. */
  settle(index: number, tokens: number, nowUs: number): void {
    const at = index * STRIDE;
    const cells = this.#cells;
    const least = this.#least(at, rateOf(cells[at + RATE]), cells[at + BURST]);
    cells[at + TOKENS] = Math.min(cells[at + BURST], Math.max(least, this.available(index, nowUs) + tokens));
    cells[at + LAST] = nowUs;
  }

  /**
   * Sets rate and burst from `nowUs` on. What was earned before was earned at the old rate; tokens beyond the new burst
   * are lost, and none are given: renewing a limit does not refill. A bucket that was unlimited begins full.
   */
  set(index: number, ratePerSec: number, burst: number, nowUs: number): void {
    const at = index * STRIDE;
    if (!this.isLimited(index)) {
      this.#cells = withRow(this.#cells, STRIDE, index);
      this.#cells[at + TOKENS] = burst;
      this.#cells[at + TAKEN] = 0;
      this.limited += 1;
    } else {
      const least = this.#least(at, ratePerSec, burst);
      this.#cells[at + TOKENS] = Math.min(burst, Math.max(least, this.available(index, nowUs)));
    }
    this.#cells[at + RATE] = stored(ratePerSec);
    this.#cells[at + BURST] = burst;
    this.#cells[at + LAST] = nowUs;
  }

  /** As many tokens as it may have at the least, ≤ 0. */
  #least(at: number, ratePerSec: number, burst: number): number {
    // Of the rate before too, or a short stop would clear all debts.
    const highest = Math.max(ratePerSec, rateOf(this.#cells[at + RATE]));
    const taken = Math.min(this.#cells[at + TAKEN], highest * TAKEN_SECONDS);
    return -Math.max(burst, ratePerSec * UNKNOWN_SECONDS, taken);
  }

  /** No limit from now on. */
  unset(index: number): void {
    if (!this.isLimited(index)) return;
    this.#cells[index * STRIDE + RATE] = UNLIMITED;
    this.limited -= 1;
  }
}

// Fresh cells are zero, and must mean unlimited; so a rate of zero is stored as −1.
const UNLIMITED = 0;

function stored(ratePerSec: number): number {
  return ratePerSec === 0 ? -1 : ratePerSec;
}

function rateOf(cell: number): number {
  if (cell > 0) return cell;
  return cell < 0 ? 0 : Number.POSITIVE_INFINITY;
}
