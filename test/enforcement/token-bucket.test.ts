import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createTokenBucket } from "../../enforcement/index.js";
import { vectors as load } from "../data.js";

const SECOND = 1_000_000;

interface Vectors {
  golang: {
    tables: { name: string; rate_per_step: number; burst: number; steps: [number, number, number, boolean][] }[];
    others: { name: string; rate: number; burst: number; [key: string]: unknown }[];
  };
}
const vectors = load<Vectors>("token_bucket.json");

describe.skipIf(vectors === undefined)("tables of golang.org/x/time/rate (../shared/data/vectors/token_bucket.json)", () => {
  for (const { name, rate_per_step, burst, steps } of vectors?.golang.tables ?? []) {
    test(name, () => {
      const bucket = createTokenBucket({ ratePerSec: rate_per_step * 10, burst });
      steps.forEach(([t, , n, allowed], i) => {
        expect([i, bucket.tryTake(n, t * 100_000)]).toEqual([i, allowed]);
      });
    });
  }

  const other = (name: string) =>
    vectors?.golang.others.find((each) => each.name.startsWith(name)) as unknown as Record<string, never>;

  test("TestLongRunningQPS", () => {
    const { rate, burst, seconds, poll_every_ms, accept_between } = other("TestLongRunningQPS");
    const bucket = createTokenBucket({ ratePerSec: rate, burst });
    let accepted = 0;
    for (let us = 0; us <= seconds * SECOND; us += poll_every_ms * 1000) if (bucket.tryTake(1, us)) accepted += 1;
    expect(accepted).toBeGreaterThanOrEqual(accept_between[0]);
    expect(accepted).toBeLessThanOrEqual(accept_between[1]);
  });

  test("TestSimultaneousRequests", () => {
    const { rate, burst, calls, allowed } = other("TestSimultaneousRequests");
    const bucket = createTokenBucket({ ratePerSec: rate, burst });
    expect(Array.from({ length: calls }, () => bucket.tryTake(1, 0)).filter(Boolean)).toHaveLength(allowed);
  });

  test.each(["TestZeroLimit", "noTruncation"])("%s", (name) => {
    const { rate, burst, allowed } = other(name) as unknown as { rate: number; burst: number; allowed: boolean[] };
    const bucket = createTokenBucket({ ratePerSec: rate, burst });
    expect(allowed.map(() => bucket.tryTake(1, 0))).toEqual(allowed);
  });
});

describe("a token bucket", () => {
  test("says how long to wait, rounded up, and takes nothing meanwhile", () => {
    const bucket = createTokenBucket({ ratePerSec: 3, burst: 1 });
    expect(bucket.take(1, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(333_334);
    expect(bucket.take(1, 0)).toBe(333_334);
    expect(bucket.take(1, 333_333)).toBe(1);
    expect(bucket.take(1, 333_334)).toBe(0);
  });

  test("a cost above the burst is never there; a zero rate never fills", () => {
    expect(createTokenBucket({ ratePerSec: 1, burst: 1 }).take(2, 0)).toBe(Number.POSITIVE_INFINITY);
    const closed = createTokenBucket({ ratePerSec: 0, burst: 0 });
    expect([closed.take(1, 0), closed.tryTake(1, 1e15), closed.take(0, 0)]).toEqual([Number.POSITIVE_INFINITY, false, 0]);
  });

  test("is not refilled by raising its rate, and earns at the old rate until then", () => {
    const bucket = createTokenBucket({ ratePerSec: 1, burst: 10 });
    expect(bucket.take(10, 0)).toBe(0);
    bucket.setRate(1000, 1 * SECOND);
    expect([bucket.tryTake(2, 1 * SECOND), bucket.tryTake(1, 1 * SECOND)]).toEqual([false, true]);
    expect(bucket.take(1, 1 * SECOND)).toBe(1_000);
  });

  test("tiny rates do not overflow and fail open; huge ones do not fail at all", () => {
    for (const ratePerSec of [1e-9, 1e-10, 1e-11, 1e-12]) {
      const bucket = createTokenBucket({ ratePerSec, burst: 1 });
      bucket.take(1, 0);
      const wait = bucket.take(1, 0);
      expect(wait).toBeGreaterThanOrEqual(1e6 / ratePerSec - 1e3);
      expect(Number.isInteger(wait)).toBe(true);
      expect([bucket.tryTake(1, 284 * SECOND), bucket.tryTake(1, wait * 0.99), bucket.tryTake(1, wait * 1.01)]).toEqual([
        false,
        false,
        true,
      ]);
    }
    const bucket = createTokenBucket({ ratePerSec: 1e15, burst: 1e15 });
    expect([bucket.take(1e15, 0), bucket.take(1e9, 0), bucket.take(1e9, 1), bucket.take(1e10, 1)]).toEqual([0, 1, 0, 10]);
  });

  test("x0.9 a tick from 1,000 is a limit for ever", () => {
    const bucket = createTokenBucket({ ratePerSec: 1000, burst: 1 });
    let [rate, nowUs, taken] = [1000, 0, 0];
    for (let tick = 0; tick < 400; tick++) {
      rate *= 0.9;
      nowUs += SECOND;
      bucket.setRate(rate, nowUs);
      if (tick > 100) for (let i = 0; i < 10; i++) if (bucket.tryTake(1, nowUs)) taken += 1;
    }
    expect(taken).toBeLessThanOrEqual(1);
  });

  test("refuses nonsense, and is as it was", () => {
    const bucket = createTokenBucket({ ratePerSec: 1, burst: 5 });
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => bucket.take(wrong, 0)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => bucket.tryTake(wrong, 0)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => bucket.setRate(wrong, 0)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => createTokenBucket({ ratePerSec: wrong, burst: 1 })).toThrow("ratePerSec");
      expect(() => createTokenBucket({ ratePerSec: 1, burst: wrong })).toThrow("burst");
    }
    expect(() => bucket.take(1, Number.NaN)).toThrow("nowUs");
    expect(bucket.take(5, 0)).toBe(0);
  });
});

const amount = fc.double({ min: 0, max: 20, noNaN: true });

describe("properties", () => {
  test("in any stretch of time admits at most burst + rate · t", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 100, noNaN: true }),
        fc.array(fc.record({ afterUs: fc.nat(1_000_000), cost: amount }), { maxLength: 60 }),
        (ratePerSec, burst, calls) => {
          const bucket = createTokenBucket({ ratePerSec, burst });
          let nowUs = 0;
          const taken: { atUs: number; cost: number }[] = [];
          for (const { afterUs, cost } of calls) {
            nowUs += afterUs;
            if (bucket.tryTake(cost, nowUs)) taken.push({ atUs: nowUs, cost });
          }
          for (let from = 0; from < taken.length; from++) {
            let sum = 0;
            for (let to = from; to < taken.length; to++) {
              sum += taken[to].cost;
              const most = burst + (ratePerSec * (taken[to].atUs - taken[from].atUs)) / SECOND;
              expect(sum).toBeLessThanOrEqual(most * (1 + 1e-9) + 1e-9);
            }
          }
        },
      ),
    );
  });

  test("a wait is enough, and (but for a µs of rounding) no longer than needed", () => {
    const cost = fc.double({ min: 0.001, max: 20, noNaN: true });
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
        fc.array(cost, { minLength: 2, maxLength: 30 }),
        (ratePerSec, costs) => {
          const make = () => createTokenBucket({ ratePerSec, burst: 20 });
          const [bucket, twin] = [make(), make()];
          let nowUs = 0;
          for (const each of costs) {
            const wait = bucket.take(each, nowUs);
            if (wait > 0) {
              if (wait > 2) expect(twin.tryTake(each, nowUs + wait - 2)).toBe(false);
              nowUs += wait;
              expect(bucket.take(each, nowUs)).toBe(0);
            }
            expect(twin.tryTake(each, nowUs)).toBe(true);
          }
        },
      ),
    );
  });

  test("a refused or polled bucket is indistinguishable from one left alone", () => {
    const calls = fc.array(fc.record({ afterUs: fc.nat(500_000), cost: amount, polls: fc.array(amount, { maxLength: 4 }) }), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(calls, (list) => {
        const polled = createTokenBucket({ ratePerSec: 7, burst: 9 });
        const alone = createTokenBucket({ ratePerSec: 7, burst: 9 });
        let nowUs = 0;
        for (const { afterUs, cost, polls } of list) {
          for (const poll of polls) {
            polled.take(poll + 9.1, nowUs + afterUs / 2);
            polled.take(0, nowUs + afterUs / 2);
          }
          nowUs += afterUs;
          expect(polled.take(cost, nowUs)).toBe(alone.take(cost, nowUs));
        }
      }),
    );
  });

  test("a clock set back never fills it beyond its burst", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { maxLength: 50 }), (steps) => {
        const bucket = createTokenBucket({ ratePerSec: 5, burst: 3 });
        let nowUs = 0;
        for (const step of steps) {
          nowUs += step;
          bucket.tryTake(1, nowUs);
          expect(bucket.tryTake(3.001, nowUs)).toBe(false);
        }
      }),
    );
  });
});
