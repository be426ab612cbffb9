/** One token bucket, for those who build on the core; the arithmetic stands in buckets.ts. */
import { TenantryError } from "../../proto/errors.js";
import { Buckets } from "./buckets.js";

/** What a bucket is made with. */
export interface TokenBucketOptions {
  /** Tokens gained per second; 0 ≤ rate < Infinity. */
  ratePerSec: number;
  /** Most tokens held, and held at the start; 0 ≤ burst < Infinity. */
  burst: number;
}

/** One tenant's rate: tokens come at it, are taken, and may be owed. Pure: time is what the caller says it is. */
export interface TokenBucket {
  /**
   * Takes `cost` tokens now, or says how long that would take.
   * @param cost tokens, ≥ 0; nothing is always there for the taking
   * @param nowUs the caller's clock, whole µs
   * @returns 0: taken. Else nothing was taken, and this many whole µs (rounded up; Infinity: never, with this rate and burst)
   *   must pass before asking again
   */
  take(cost: number, nowUs: number): number;
  /** Takes `cost` tokens if they are there. @returns were they taken? */
  tryTake(cost: number, nowUs: number): boolean;
  /** Changes the rate; what was earned until `nowUs` was earned at the old one. */
  setRate(ratePerSec: number, nowUs: number): void;
}

/**
 * A token bucket, full at first. Its clock is the `nowUs` it is given; a clock that is set back never makes it hold more.
 *
 * @throws TenantryError BAD_ARGUMENT when a rate, burst, cost or time is not a number in range
 * @example
 * const bucket = createTokenBucket({ ratePerSec: 10, burst: 1 });
 * bucket.take(1, 0);        // 0: taken
 * bucket.take(1, 0);        // 100000: ask again in 0.1 s
 */
export function createTokenBucket(options: TokenBucketOptions): TokenBucket {
  return new SingleBucket(options);
}

class SingleBucket implements TokenBucket {
  readonly #buckets = new Buckets();
  readonly #burst: number;

  constructor({ ratePerSec, burst }: TokenBucketOptions) {
    checkAmount("ratePerSec", ratePerSec);
    checkAmount("burst", burst);
    this.#burst = burst;
    // Full, so it does not matter since when: no `nowUs` can come before "no time yet".
    this.#buckets.set(0, ratePerSec, burst, Number.NaN);
  }

  take(cost: number, nowUs: number): number {
    checkAmount("cost", cost);
    checkTime(nowUs);
    return this.#buckets.tryTake(0, cost, cost, nowUs) ? 0 : this.#buckets.waitUs(0, cost, nowUs);
  }

  tryTake(cost: number, nowUs: number): boolean {
    checkAmount("cost", cost);
    checkTime(nowUs);
    return this.#buckets.tryTake(0, cost, cost, nowUs);
  }

  setRate(ratePerSec: number, nowUs: number): void {
    checkAmount("ratePerSec", ratePerSec);
    checkTime(nowUs);
    this.#buckets.set(0, ratePerSec, this.#burst, nowUs);
  }
}

function checkAmount(what: string, value: number): void {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new TenantryError(
      "BAD_ARGUMENT",
      `token bucket: ${what} is ${value}; expected a finite number ≥ 0${what === "ratePerSec" ? " (where nothing limits, use no bucket)" : ""}`,
    );
  }
}

function checkTime(nowUs: number): void {
  if (!Number.isFinite(nowUs)) {
    throw new TenantryError("BAD_ARGUMENT", `token bucket: nowUs is ${nowUs}; expected a time in whole µs`);
  }
}
