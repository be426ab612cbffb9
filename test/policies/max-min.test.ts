import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxMinFair } from "../../policies/index.js";
import { type MaxMinCase, vectors } from "../data.js";

/** The dumbest thing that could work: raise the water level by bisection until the tap is used up. */
function oracle(capacity: number, demands: readonly number[], weights: readonly number[]): number[] {
  const poured = (level: number) => demands.reduce((sum, demand, i) => sum + Math.min(demand, level * weights[i]), 0);
  let low = 0;
  let high = Math.max(...demands.map((demand, i) => demand / weights[i]), 0);
  if (poured(high) <= capacity) return [...demands];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (poured(middle) > capacity) high = middle;
    else low = middle;
  }
  return demands.map((demand, i) => Math.min(demand, low * weights[i]));
}

const amount = fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 20 }));
const weight = fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 100, noNaN: true }));
const problem = fc.record({
  capacity: fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e7, noNaN: true })),
  vessels: fc.array(fc.tuple(amount, weight), { minLength: 1, maxLength: 40 }),
});

function solve({ capacity, vessels }: { capacity: number; vessels: [number, number][] }) {
  const demands = vessels.map(([demand]) => demand);
  const weights = vessels.map(([, each]) => each);
  return {
    capacity,
    demands,
    weights,
    share: [...maxMinFair(capacity, demands, weights)],
    total: demands.reduce((a, b) => a + b, 0),
  };
}

describe("max-min shares", () => {
  test("are those of an oracle that bisects for the water level", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const { capacity, demands, weights, share } = solve(given);
        const expected = oracle(capacity, demands, weights);
        for (let i = 0; i < share.length; i++)
          expect(Math.abs(share[i] - expected[i])).toBeLessThanOrEqual(1e-9 * (1 + Math.max(capacity, expected[i])));
      }),
      { numRuns: 500 },
    );
  });

  test("use all there is or satisfy everybody, give nobody more than it wants, and are never negative", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const { capacity, demands, share, total } = solve(given);
        const sum = share.reduce((a, b) => a + b, 0);
        const expected = Math.min(capacity, total);
        expect(Math.abs(sum - expected)).toBeLessThanOrEqual(1e-9 * (1 + expected));
        share.forEach((each, i) => {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(demands[i]);
        });
      }),
    );
  });

  test("do not depend on the order of the demands, nor on the unit", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const { capacity, demands, weights, share } = solve(given);
        const back = [...maxMinFair(capacity, [...demands].reverse(), [...weights].reverse())].reverse();
        const scaled = maxMinFair(
          capacity * 1024,
          demands.map((demand) => demand * 1024),
          weights,
        );
        share.forEach((each, i) => {
          expect(Math.abs(back[i] - each)).toBeLessThanOrEqual(1e-9 * (1 + each));
          expect(Math.abs(scaled[i] / 1024 - each)).toBeLessThanOrEqual(1e-9 * (1 + each));
        });
      }),
    );
  });

  test("whoever asks for more never gets less, and whoever gets less than it asks stands at the common level", () => {
    fc.assert(
      fc.property(problem, fc.nat(), fc.double({ min: 0, max: 1e3, noNaN: true }), (given, pick, more) => {
        const { capacity, demands, weights, share } = solve(given);
        const i = pick % demands.length;
        const raised = [...demands];
        raised[i] += more;
        expect(maxMinFair(capacity, raised, weights)[i]).toBeGreaterThanOrEqual(share[i] * (1 - 1e-9) - 1e-12);
        const levels = share
          .map((each, j) => (each < demands[j] * (1 - 1e-9) ? each / weights[j] : -1))
          .filter((level) => level >= 0);
        for (const level of levels) expect(Math.abs(level - levels[0])).toBeLessThanOrEqual(1e-6 * (1 + levels[0]));
      }),
    );
  });

  test("without limits: infinite capacity, infinite demand", () => {
    expect([...maxMinFair(Number.POSITIVE_INFINITY, [1, 2, 3])]).toEqual([1, 2, 3]);
    expect([...maxMinFair(10, [Number.POSITIVE_INFINITY, 2])]).toEqual([8, 2]);
    expect([...maxMinFair(10, [])]).toEqual([]);
    expect([...maxMinFair(10, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY], [1, 4])]).toEqual([2, 8]);
  });

  test.each([
    ["capacity", () => maxMinFair(-1, [1])],
    ["capacity", () => maxMinFair(Number.NaN, [1])],
    ["demands[1]", () => maxMinFair(1, [1, Number.NaN])],
    ["weights[0]", () => maxMinFair(1, [1], [0])],
    ["weights.length", () => maxMinFair(1, [1, 2], [1])],
  ])("refuse nonsense and say where: %s", (where, call) => {
    expect(call).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(where) }));
  });
});

const published = vectors<{ cases: MaxMinCase[] }>("maxmin.json")?.cases;

describe.skipIf(published === undefined)("published vectors, maxmin.json", () => {
  // Guaranteed minima are no part of this function.
  for (const [i, vector] of (published ?? []).entries()) {
    test.skipIf(vector.min_shares !== null)(`${i}: ${vector.name} (${vector.source})`, () => {
      const demands = vector.demands.map((demand) => demand ?? Number.POSITIVE_INFINITY);
      const share = maxMinFair(vector.capacity, demands, vector.weights ?? undefined);
      vector.expected.forEach((each, j) => {
        expect(Math.abs(share[j] - each)).toBeLessThanOrEqual(vector.tolerance);
      });
    });
  }
});
