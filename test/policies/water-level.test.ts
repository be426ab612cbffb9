import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxMinFair, waterLevelShares } from "../../policies/index.js";
import { type MaxMinCase, vectors } from "../data.js";

const amount = fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 20 }));
const vessel = fc.record({
  demand: amount,
  weight: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 100, noNaN: true })),
  guarantee: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: amount }),
  cap: fc.oneof({ weight: 2, arbitrary: fc.constant(Number.POSITIVE_INFINITY) }, { weight: 1, arbitrary: amount }),
  already: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: amount }),
});
type Vessel = typeof vessel extends fc.Arbitrary<infer V> ? V : never;
const problem = fc.record({
  capacity: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e7, noNaN: true })),
  vessels: fc.array(vessel, { minLength: 1, maxLength: 30 }),
});

function solve(capacity: number, vessels: readonly Vessel[]) {
  const column = (name: keyof Vessel) => vessels.map((each) => each[name]);
  const share = waterLevelShares(capacity, column("demand"), {
    weights: column("weight"),
    guarantees: column("guarantee"),
    caps: column("cap"),
    already: column("already"),
  });
  const tops = vessels.map(({ demand, cap }) => Math.min(demand, cap));
  const floors = vessels.map(({ guarantee }, i) => Math.min(guarantee, tops[i]));
  return { share: [...share], tops, floors, promised: sum(floors), wanted: sum(tops) };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Rounding: of sums as large as the capacity, and of heaps. */
function slack(capacity: number, vessels: readonly Vessel[]): number {
  return 1e-9 * (1 + capacity + Math.max(...vessels.map(({ already, weight }) => already * Math.max(1, 1 / weight) * 100)));
}

describe("shares at one water level", () => {
  test("are feasible and waste nothing", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const { share, tops, wanted } = solve(capacity, vessels);
        expect(Math.abs(sum(share) - Math.min(capacity, wanted))).toBeLessThanOrEqual(slack(capacity, vessels));
        share.forEach((each, i) => {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(tops[i]);
        });
      }),
      { numRuns: 500 },
    );
  });

  test("keep every guarantee that is asked for, or, when they exceed the capacity, the same part of each", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const { share, floors, promised } = solve(capacity, vessels);
        const part = promised > capacity ? capacity / promised : 1;
        share.forEach((each, i) => {
          expect(each).toBeGreaterThanOrEqual(part * floors[i] * (1 - 1e-12));
          if (part < 1) expect(each).toBeLessThanOrEqual(part * floors[i] * (1 + 1e-12));
        });
      }),
    );
  });

  test("are those of maxMinFair when there are no caps, guarantees and past", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const demands = vessels.map(({ demand }) => demand);
        const weights = vessels.map(({ weight }) => weight);
        const plain = maxMinFair(capacity, demands, weights);
        const share = waterLevelShares(capacity, demands, { weights });
        plain.forEach((each, i) => {
          expect(Math.abs(share[i] - each)).toBeLessThanOrEqual(1e-9 * (1 + Math.max(capacity, each)));
        });
      }),
    );
  });

  test("envy-free: nobody without a guarantee would rather have another's share, weight for weight, unless it was promised", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const fresh = vessels.map((each) => ({ ...each, already: 0 }));
        const { share, tops, floors } = solve(capacity, fresh);
        share.forEach((each, i) => {
          share.forEach((other, j) => {
            if (other <= floors[j]) return;
            const instead = Math.min(tops[i], (other * fresh[i].weight) / fresh[j].weight);
            expect(instead).toBeLessThanOrEqual(each + slack(capacity, fresh) * (1 + fresh[i].weight / fresh[j].weight));
          });
        });
      }),
    );
  });

  test("sharing incentive: without promises to others, everybody gets at least its weight's part of the capacity", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const fresh = vessels.map((each) => ({ ...each, already: 0, guarantee: 0 }));
        const { share, tops } = solve(capacity, fresh);
        const weights = sum(fresh.map(({ weight }) => weight));
        share.forEach((each, i) => {
          expect(each).toBeGreaterThanOrEqual(Math.min(tops[i], (capacity * fresh[i].weight) / weights) - slack(capacity, fresh));
        });
      }),
    );
  });

  test("strategy-proof: whoever says it wants more, or less, never gets more of what it wants", () => {
    fc.assert(
      fc.property(problem, fc.nat(), amount, ({ capacity, vessels }, pick, said) => {
        const i = pick % vessels.length;
        const honest = solve(capacity, vessels);
        // A promise that cannot be kept is scaled by what everybody claims of it: there, claiming pays, and nothing is promised.
        const lie = vessels.map((each, j) => (j === i ? { ...each, demand: said } : each));
        const told = solve(capacity, lie);
        fc.pre(honest.promised <= capacity && told.promised <= capacity);
        expect(Math.min(told.share[i], honest.tops[i])).toBeLessThanOrEqual(honest.share[i] + slack(capacity, vessels));
      }),
    );
  });

  test("do not depend on order or unit", () => {
    fc.assert(
      fc.property(problem, ({ capacity, vessels }) => {
        const { share } = solve(capacity, vessels);
        const back = solve(capacity, [...vessels].reverse()).share.reverse();
        const scale = 1_024;
        const scaled = solve(
          capacity * scale,
          vessels.map(({ weight, ...rest }) => ({
            weight,
            demand: rest.demand * scale,
            guarantee: rest.guarantee * scale,
            cap: rest.cap * scale,
            already: rest.already * scale,
          })),
        ).share;
        share.forEach((each, i) => {
          expect(Math.abs(back[i] - each)).toBeLessThanOrEqual(slack(capacity, vessels));
          expect(scaled[i] / scale).toBe(each);
        });
      }),
    );
  });

  test("who had more before gets less, until all are even", () => {
    expect([...waterLevelShares(10, [10, 10], { already: [6, 0] })]).toEqual([2, 8]);
    expect([...waterLevelShares(10, [10, 10], { already: [60, 0] })]).toEqual([0, 10]);
    expect([...waterLevelShares(10, [10, 10], { already: [60, 0], guarantees: [3, 0] })]).toEqual([3, 7]);
  });

  test("without bounds, and with nobody", () => {
    const endless = Number.POSITIVE_INFINITY;
    expect([...waterLevelShares(10, [endless, 2])]).toEqual([8, 2]);
    expect([...waterLevelShares(10, [endless, endless], { caps: [4, endless], guarantees: [9, 1] })]).toEqual([4, 6]);
    expect([...waterLevelShares(endless, [1, endless])]).toEqual([1, endless]);
    expect([...waterLevelShares(10, [])]).toEqual([]);
    expect([...waterLevelShares(0, [1, 1], { guarantees: [1, 0] })]).toEqual([0, 0]);
  });

  test("refuse nonsense, every mistake at once", () => {
    const nonsense = () =>
      waterLevelShares(-1, [1, Number.NaN], {
        weights: [0, 1],
        guarantees: [-1],
        caps: [1, -2],
        already: [Number.POSITIVE_INFINITY, 0],
      });
    expect(nonsense).toThrow(
      expect.objectContaining({
        code: "BAD_ARGUMENT",
        message:
          "waterLevelShares: capacity is -1; expected a number ≥ 0; demands[1] is NaN; expected a number ≥ 0; " +
          "weights[0] is 0; expected a finite number > 0; guarantees.length is 1; expected 2, one for each demand; " +
          "guarantees[0] is -1; expected a finite number ≥ 0; caps[1] is -2; expected a number ≥ 0; " +
          "already[0] is Infinity; expected a finite number ≥ 0",
      }),
    );
    expect(() => waterLevelShares(1, new Float64Array(1_000).fill(-1))).toThrow(/; and 980 more$/);
  });
});

const published = vectors<{ cases: MaxMinCase[] }>("maxmin.json")?.cases;

describe.skipIf(published === undefined)("published vectors, maxmin.json", () => {
  for (const [i, vector] of (published ?? []).entries()) {
    test(`${i}: ${vector.name} (${vector.source})`, () => {
      const demands = vector.demands.map((demand) => demand ?? Number.POSITIVE_INFINITY);
      const share = waterLevelShares(vector.capacity, demands, {
        weights: vector.weights ?? undefined,
        guarantees: vector.min_shares ?? undefined,
      });
      vector.expected.forEach((each, j) => {
        expect(Math.abs(share[j] - each)).toBeLessThanOrEqual(vector.tolerance);
      });
    });
  }
});
