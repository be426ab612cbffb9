import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dominantResourceShares, maxMinFair } from "../../policies/index.js";
import { dominantShares, fillTogether } from "../../policies/math/dominant-shares.js";
import { vectors } from "../data.js";

/** Of one tenant. */
function dominantShare(demand: readonly number[], capacities: readonly number[]): number {
  return dominantShares(
    demand.map((each) => Float64Array.of(each)),
    capacities,
  )[0];
}

const amount = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.double({ min: 1e-3, max: 1e5, noNaN: true }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }) },
);
const weight = fc.oneof(fc.constant(1), fc.double({ min: 0.05, max: 20, noNaN: true }));
const problem = fc.integer({ min: 1, max: 5 }).chain((resources) => {
  const bundle = fc.array(amount, { minLength: resources, maxLength: resources });
  return fc.record({
    capacities: fc.array(
      fc.oneof(fc.double({ min: 1e-2, max: 1e6, noNaN: true }), fc.constant(0), fc.integer({ min: 1, max: 40 })),
      {
        minLength: resources,
        maxLength: resources,
      },
    ),
    tenants: fc.array(fc.record({ demand: bundle, weight }), { minLength: 1, maxLength: 12 }),
    other: bundle,
  });
});
type Problem = typeof problem extends fc.Arbitrary<infer P> ? P : never;

function solve({ capacities, tenants }: Pick<Problem, "capacities" | "tenants">): number[] {
  return [
    ...dominantResourceShares(
      tenants.map(({ demand }) => demand),
      capacities,
      tenants.map(({ weight }) => weight),
    ),
  ];
}

/** How much of its demand a tenant could do with this bundle, 0..1. */
function use(demand: readonly number[], bundle: readonly number[]): number {
  return demand.reduce((least, each, r) => (each > 0 ? Math.min(least, bundle[r] / each) : least), 1);
}

describe("dominant resource shares", () => {
  test("are feasible, between 0 and 1", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const granted = solve(given);
        given.capacities.forEach((capacity, r) => {
          const used = given.tenants.reduce((sum, { demand }, i) => sum + granted[i] * demand[r], 0);
          expect(used).toBeLessThanOrEqual(capacity * (1 + 1e-9));
        });
        for (const each of granted) {
          expect(each).toBeGreaterThanOrEqual(0);
          expect(each).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("Pareto-efficient: whoever is not satisfied uses a resource that is full", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const granted = solve(given);
        const full = given.capacities.map(
          (capacity, r) => given.tenants.reduce((sum, { demand }, i) => sum + granted[i] * demand[r], 0) >= capacity * (1 - 1e-9),
        );
        given.tenants.forEach(({ demand }, i) => {
          if (granted[i] < 1 - 1e-9) expect(demand.some((each, r) => each > 0 && full[r])).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });

  test("envy-free: nobody could do more with another's bundle, weight for weight", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const granted = solve(given);
        given.tenants.forEach((mine, i) => {
          given.tenants.forEach((theirs, j) => {
            const bundle = theirs.demand.map((each) => (each * granted[j] * mine.weight) / theirs.weight);
            expect(use(mine.demand, bundle)).toBeLessThanOrEqual(granted[i] + 1e-9);
          });
        });
      }),
    );
  });

  test("sharing incentive: everybody does at least as well as with its weight's part of every resource", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const granted = solve(given);
        const weights = given.tenants.reduce((sum, { weight }) => sum + weight, 0);
        given.tenants.forEach(({ demand, weight }, i) => {
          const part = given.capacities.map((capacity) => (capacity * weight) / weights);
          expect(granted[i]).toBeGreaterThanOrEqual(use(demand, part) - 1e-9);
        });
      }),
    );
  });

  test("strategy-proof: whoever lies about its needs, in amount or in proportion, can do no more of its work", () => {
    fc.assert(
      fc.property(problem, fc.nat(), (given, pick) => {
        const i = pick % given.tenants.length;
        const tenants = given.tenants.map((tenant, j) => (j === i ? { ...tenant, demand: given.other } : tenant));
        const lied = solve({ ...given, tenants })[i];
        const bundle = given.other.map((each) => each * lied);
        expect(use(given.tenants[i].demand, bundle)).toBeLessThanOrEqual(solve(given)[i] + 1e-9);
      }),
      { numRuns: 500 },
    );
  });

  test("do not depend on the order of tenants or resources, nor on any unit", () => {
    fc.assert(
      fc.property(problem, (given) => {
        const granted = solve(given);
        const back = solve({
          capacities: [...given.capacities].reverse(),
          tenants: given.tenants.map((tenant) => ({ ...tenant, demand: [...tenant.demand].reverse() })).reverse(),
        }).reverse();
        const units = given.capacities.map((_, r) => 2 ** (3 * r - 4));
        const scaled = solve({
          capacities: given.capacities.map((capacity, r) => capacity * units[r]),
          tenants: given.tenants.map(({ demand, weight }) => ({
            weight: weight * 8,
            demand: demand.map((each, r) => each * units[r]),
          })),
        });
        granted.forEach((each, i) => {
          expect(Math.abs(back[i] - each)).toBeLessThanOrEqual(1e-9);
          expect(scaled[i]).toBe(each);
        });
      }),
    );
  });

  test("of one resource are max-min shares", () => {
    fc.assert(
      fc.property(problem, ({ capacities, tenants }) => {
        const demands = tenants.map(({ demand }) => demand[0]);
        const granted = solve({
          capacities: [capacities[0]],
          tenants: tenants.map((each, i) => ({ ...each, demand: [demands[i]] })),
        });
        const fair = maxMinFair(
          capacities[0],
          demands,
          tenants.map(({ weight }) => weight),
        );
        granted.forEach((each, i) => {
          expect(Math.abs(each * demands[i] - fair[i])).toBeLessThanOrEqual(1e-9 * (1 + capacities[0]));
        });
      }),
    );
  });

  test("by hand: two resources that are full at the same level stop everybody", () => {
    const demands = [
      [4, 1],
      [4, 1],
      [1, 8],
      [0, 9],
    ];
    const granted = dominantResourceShares(demands, [6, 12]);
    // Speeds 3/2, 3/2, 3/2, 4/3: the first is full at level 6/13.5, the second at 12/27.
    expect([...granted]).toEqual([2 / 3, 2 / 3, 2 / 3, 16 / 27].map((each) => expect.closeTo(each, 12)));
    expect([...dominantResourceShares(demands.slice(0, 3), [6, 12])]).toEqual(
      [2 / 3, 2 / 3, 2 / 3].map((each) => expect.closeTo(each, 12)),
    );
  });

  test("a resource without bound, or that nobody uses, or of which there is nothing", () => {
    const endless = Number.POSITIVE_INFINITY;
    expect([
      ...dominantResourceShares(
        [
          [5, 1e9],
          [5, 0],
        ],
        [10, endless],
      ),
    ]).toEqual([1, 1]);
    expect([
      ...dominantResourceShares(
        [
          [5, 7],
          [5, 0],
        ],
        [5, 0],
      ),
    ]).toEqual([0, 1]);
    expect([
      ...dominantResourceShares(
        [
          [0, 0],
          [5, 0],
        ],
        [0, 0],
      ),
    ]).toEqual([1, 0]);
    expect([...dominantResourceShares([[], []], [])]).toEqual([1, 1]);
    expect([...dominantResourceShares([], [1])]).toEqual([]);
  });

  test("say which resource stopped whom", () => {
    const demands = [
      [4, 0, 1, 0],
      [4, 8, 1, 1],
    ];
    const { stoppedBy } = fillTogether(demands, [2, 8], [1, 1, 4, 8]);
    expect([...stoppedBy]).toEqual([0, 1, -1, -1]);
    expect([...fillTogether([[1], [1]], [1, 0], [0]).stoppedBy]).toEqual([1]);
  });

  test("refuse nonsense, every mistake at once", () => {
    expect(() => dominantResourceShares([[1, -1], [1], undefined as never, [1, Number.NaN]], [1, Number.NaN], [1, 0])).toThrow(
      expect.objectContaining({
        code: "BAD_ARGUMENT",
        message:
          "dominantResourceShares: capacities[1] is NaN; expected a number ≥ 0; demands[0][1] is -1; expected a finite number ≥ 0; " +
          "demands[1].length is 1; expected 2, one for each capacity; demands[2] is undefined; expected an array of 2 numbers, one for each capacity; " +
          "demands[3][1] is NaN; expected a finite number ≥ 0; weights.length is 2; expected 4, one for each demand; " +
          "weights[1] is 0; expected a finite number > 0",
      }),
    );
  });
});

type Amounts = Record<string, number>;
type Step = [
  "total" | "settotal" | "add" | "remove" | "alloc" | "free" | "expect",
  string | string[] | Amounts,
  (number | Amounts)?,
];
interface Vectors {
  sorter: { source: string; steps: Step[] }[];
  fill: {
    source: string;
    capacity: Amounts;
    demand_per_task: Record<string, Amounts>;
    expected_tasks: Amounts;
    dominant_share: number;
  }[];
}

const published = vectors<Vectors>("drf.json");

describe.skipIf(published === undefined)("published vectors, drf.json", () => {
  test.each(published?.fill ?? [])("$source", ({ capacity, demand_per_task, expected_tasks, dominant_share }) => {
    const resources = Object.keys(capacity);
    const capacities = Object.values(capacity);
    const many = 1_000;
    const demands = Object.values(demand_per_task).map((task) => resources.map((r) => many * task[r]));
    const granted = dominantResourceShares(demands, capacities);
    granted.forEach((each, i) => {
      expect(each * many).toBeCloseTo(Object.values(expected_tasks)[i], 9);
      expect(each * dominantShare(demands[i], capacities)).toBeCloseTo(dominant_share, 9);
    });
  });

  test.each(published?.sorter ?? [])("order of dominant shares: $source", ({ steps }) => {
    let total: Amounts = {};
    const clients = new Map<string, { weight: number; has: Amounts }>();
    const plus = (a: Amounts, b: Amounts, sign: number) =>
      Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((r) => [r, (a[r] ?? 0) + sign * (b[r] ?? 0)]));
    for (const [verb, what, more] of steps) {
      const client = clients.get(what as string);
      if (verb === "total") total = plus(total, what as Amounts, 1);
      else if (verb === "settotal") total = what as Amounts;
      else if (verb === "add") clients.set(what as string, { weight: (more as number) ?? 1, has: {} });
      else if (verb === "remove") clients.delete(what as string);
      else if (verb === "alloc") client!.has = plus(client!.has, more as Amounts, 1);
      else if (verb === "free") client!.has = plus(client!.has, more as Amounts, -1);
      else {
        const resources = Object.keys(total);
        const level = ({ weight, has }: { weight: number; has: Amounts }) =>
          dominantShare(
            resources.map((r) => has[r] ?? 0),
            Object.values(total),
          ) / weight;
        expect([...clients].sort(([, a], [, b]) => level(a) - level(b)).map(([name]) => name)).toEqual(what);
      }
    }
  });
});
