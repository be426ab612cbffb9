/** The mathematics of fairness against a linear-programming solver, on 10,000 random problems. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dominantResourceShares, maxMinFair, shareTree, type TreeNode, waterLevelShares } from "../../policies/index.js";
import { dominantShares } from "../../policies/math/dominant-shares.js";
import { type Claim, notLeximin } from "./leximin.js";

/** A third of all values are round, so that levels meet and resources are full at once. */
const value = (least: number, most: number) =>
  fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: Math.ceil(least), max: Math.floor(most) }) },
    { weight: 2, arbitrary: fc.double({ min: least, max: most, noNaN: true }) },
  );
const rare = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T) =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary });
const weight = rare(value(0.25, 8), 1);
const sample = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number): T[] => fc.sample(arbitrary, { numRuns, seed: 20_150_504 });

const vessel = fc.record({
  demand: value(0, 20),
  weight,
  guarantee: rare(value(0, 8), 0),
  cap: rare(value(0, 20), 1e3),
  already: rare(value(0, 20), 0),
});

function water(plain: boolean) {
  return sample(fc.record({ capacity: value(0, 60), vessels: fc.array(vessel, { minLength: 1, maxLength: 7 }) }), 2_000).map(
    ({ capacity, vessels }): Claim => {
      const column = (name: keyof (typeof vessels)[number]) => vessels.map((each) => each[name]);
      const demands = column("demand");
      const weights = column("weight");
      const already = plain ? demands.map(() => 0) : column("already");
      const caps = plain ? demands : column("cap");
      const guarantees = plain ? demands.map(() => 0) : column("guarantee");
      const upper = demands.map((demand, i) => Math.min(demand, caps[i]));
      const floors = upper.map((top, i) => Math.min(top, guarantees[i]));
      const promised = floors.reduce((a, b) => a + b, 0);
      // Guarantees that cannot be kept are scaled: the solver is asked about those that can.
      const room = promised > capacity ? promised + capacity : capacity;
      const share = plain
        ? maxMinFair(room, demands, weights)
        : waterLevelShares(room, demands, { weights, guarantees, caps, already });
      return {
        x: [...share],
        slopes: weights.map((each) => 1 / each),
        offsets: already.map((each, i) => each / weights[i]),
        lower: floors,
        upper,
        rows: [{ row: demands.map(() => 1), bound: room }],
      };
    },
  );
}

const bundle = (resources: number) =>
  fc.array(fc.oneof(fc.constant(0), value(0.1, 20)), { minLength: resources, maxLength: resources });
const market = fc.integer({ min: 1, max: 4 }).chain((resources) =>
  fc.record({
    capacities: fc.array(value(1, 40), { minLength: resources, maxLength: resources }),
    tenants: fc.array(fc.record({ demand: bundle(resources), weight }), { minLength: 1, maxLength: 7 }),
  }),
);

function dominant(): Claim[] {
  return sample(market, 4_000).map(({ capacities, tenants }) => {
    // Whoever asks for nothing has no level.
    const asking = tenants.filter(({ demand }) => demand.some((each) => each > 0));
    const demands = asking.map(({ demand }) => demand);
    const weights = asking.map((each) => each.weight);
    const columns = capacities.map((_, r) => Float64Array.from(demands, (demand) => demand[r]));
    return {
      x: [...dominantResourceShares(demands, capacities, weights)],
      slopes: [...dominantShares(columns, capacities)].map((share, i) => share / weights[i]),
      lower: demands.map(() => 0),
      upper: demands.map(() => 1),
      rows: capacities.map((bound, r) => ({ row: demands.map((demand) => demand[r]), bound })),
    };
  });
}

const family = fc.record({
  capacity: value(0, 60),
  nodes: fc.array(
    fc.record({ above: fc.nat(), weight, guarantee: rare(value(0, 4), 0), cap: rare(value(8, 30), 1e3), demand: value(0, 20) }),
    { minLength: 1, maxLength: 12 },
  ),
});

function grown({ nodes }: { nodes: { above: number; weight: number; guarantee: number; cap: number; demand: number }[] }) {
  const parents = nodes.map(({ above }, i) => (above % (i + 1)) - 1);
  return nodes.map(
    ({ weight, guarantee, cap, demand }, i): TreeNode => ({
      id: `n${i}`,
      ...(parents[i] >= 0 && { parent: `n${parents[i]}` }),
      weight,
      // Only leaves are promised something here, and little: what a tree does with promises is told in its own tests.
      guarantee: parents.includes(i) ? 0 : guarantee / 6,
      cap,
      ...(!parents.includes(i) && { demand }),
    }),
  );
}

/** One claim for each parent: its children's shares of what it was given. What they may have is asked of the leaves below. */
function trees(): Claim[] {
  return sample(family, 2_000).flatMap(({ capacity, nodes: drawn }) => {
    const nodes = grown({ nodes: drawn });
    const shares = shareTree(capacity + 4, nodes);
    const below = (id: string | undefined) => nodes.flatMap((node, i) => (node.parent === id ? [i] : []));
    const top = (i: number): number => {
      const children = below(nodes[i].id);
      const wanted = children.length === 0 ? nodes[i].demand! : children.reduce((sum, child) => sum + top(child), 0);
      return Math.min(wanted, nodes[i].cap!);
    };
    const floor = (i: number): number =>
      Math.min(
        top(i),
        below(nodes[i].id).reduce((sum, child) => sum + floor(child), nodes[i].guarantee!),
      );
    return [undefined, ...nodes.map(({ id }) => id)].flatMap((id, k): Claim[] => {
      const children = below(id);
      if (children.length === 0) return [];
      return [
        {
          x: children.map((child) => shares[child]),
          slopes: children.map((child) => 1 / nodes[child].weight!),
          lower: children.map(floor),
          upper: children.map(top),
          rows: [{ row: children.map(() => 1), bound: k === 0 ? capacity + 4 : shares[k - 1] }],
        },
      ];
    });
  });
}

describe("a solver of linear programs finds nothing fairer than", () => {
  test.each([
    ["max-min shares", () => water(true)],
    ["max-min shares with caps, guarantees and a past", () => water(false)],
    ["dominant resource shares", dominant],
    ["shares down a tree", trees],
  ])("%s", async (_, claims) => {
    expect(await notLeximin(claims())).toEqual([]);
  });

  test("and it does find what is fairer than something a little unfair", async () => {
    const spoilt = dominant()
      .filter(({ x }) => x.some((each) => each > 0.1 && each < 1) && x.length > 1)
      .slice(0, 100)
      .map((claim) => {
        const i = claim.x.findIndex((each) => each > 0.1 && each < 1);
        return { ...claim, x: claim.x.map((each, j) => (j === i ? each * 0.99 : each)) };
      });
    expect(spoilt.length).toBe(100);
    expect(await notLeximin(spoilt)).toHaveLength(100);
  });
});
