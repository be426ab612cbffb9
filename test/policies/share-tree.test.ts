import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxMinFair, shareTree, type TreeNode } from "../../policies/index.js";

function shares(capacity: number, nodes: readonly TreeNode[]): Record<string, number> {
  const parts = shareTree(capacity, nodes);
  return Object.fromEntries(nodes.map(({ id }, i) => [id, parts[i]]));
}

const amount = fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1e4, noNaN: true }), fc.integer({ min: 0, max: 20 }));
const forest = fc
  .array(
    fc.record({
      above: fc.nat(),
      weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
      guarantee: amount,
      cap: amount,
      demand: amount,
      kind: fc.nat(3),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((drawn): TreeNode[] => {
    const parents = drawn.map(({ above }, i) => (above % (i + 1)) - 1);
    return drawn.map(({ weight, guarantee, cap, demand, kind }, i) => ({
      id: `n${i}`,
      weight,
      ...(parents[i] >= 0 && { parent: `n${parents[i]}` }),
      // Caps stand on leaves, promises anywhere: then no cap can be below what was promised beneath it.
      ...(!parents.includes(i) && { demand, ...(kind === 1 && { cap }) }),
      ...(kind === 2 && { guarantee }),
    }));
  });

describe("shares down a tree", () => {
  test("organisation, team, user: what a user leaves goes to its team, then to its organisation, then to others", () => {
    const nodes: TreeNode[] = [
      { id: "acme" },
      { id: "bolt", demand: 90 },
      { id: "web", parent: "acme" },
      { id: "data", parent: "acme", demand: 90 },
      { id: "ann", parent: "web", demand: 90 },
      { id: "bob", parent: "web", demand: 90 },
    ];
    const with_ = (changes: Record<string, Partial<TreeNode>>) =>
      shares(
        80,
        nodes.map((node) => ({ ...node, ...changes[node.id] })),
      );
    expect(with_({})).toEqual({ acme: 40, bolt: 40, web: 20, data: 20, ann: 10, bob: 10 });
    expect(with_({ bob: { demand: 2 } })).toEqual({ acme: 40, bolt: 40, web: 20, data: 20, ann: 18, bob: 2 });
    expect(with_({ bob: { demand: 2 }, ann: { demand: 8 } })).toEqual({ acme: 40, bolt: 40, web: 10, data: 30, ann: 8, bob: 2 });
    expect(with_({ bob: { demand: 2 }, ann: { demand: 8 }, data: { demand: 5 } })).toMatchObject({ acme: 15, bolt: 65 });
    expect(with_({ acme: { weight: 3 }, ann: { weight: 2 } })).toMatchObject({ acme: 60, web: 30, ann: 20, bob: 10 });
    expect(with_({ ann: { guarantee: 50 } })).toEqual({ acme: 50, bolt: 30, web: 50, data: 0, ann: 50, bob: 0 });
    expect(with_({ web: { guarantee: 30 } })).toEqual({ acme: 40, bolt: 40, web: 30, data: 10, ann: 15, bob: 15 });
    expect(with_({ web: { cap: 6 } })).toEqual({ acme: 40, bolt: 40, web: 6, data: 34, ann: 3, bob: 3 });
    // Promises beyond what there is are kept in part, each in the same.
    expect(with_({ ann: { guarantee: 80 }, bolt: { guarantee: 80 } })).toMatchObject({ ann: 40, bolt: 40, bob: 0 });
  });

  test("a parent's share is the sum of its children's; nobody gets more than it wants; nothing is wasted", () => {
    fc.assert(
      fc.property(forest, amount, (nodes, capacity) => {
        const parts = shareTree(capacity, nodes);
        const near = 1e-9 * (1 + capacity);
        nodes.forEach((node, i) => {
          const children = nodes.flatMap(({ parent }, j) => (parent === node.id ? [parts[j]] : []));
          if (children.length > 0) expect(Math.abs(children.reduce((a, b) => a + b, 0) - parts[i])).toBeLessThanOrEqual(near);
          else expect(parts[i]).toBeLessThanOrEqual(Math.min(node.demand!, node.cap ?? Number.POSITIVE_INFINITY));
        });
        const leaves = nodes.filter(({ id }) => nodes.every(({ parent }) => parent !== id));
        const wanted = leaves.reduce((sum, { demand, cap }) => sum + Math.min(demand!, cap ?? Number.POSITIVE_INFINITY), 0);
        const given = nodes.reduce((sum, { parent }, i) => sum + (parent === undefined ? parts[i] : 0), 0);
        expect(Math.abs(given - Math.min(capacity, wanted))).toBeLessThanOrEqual(near);
      }),
      { numRuns: 300 },
    );
  });

  test("every promise is kept, however deep, as far as it is asked for and together they fit", () => {
    fc.assert(
      fc.property(forest, (nodes) => {
        const children = (id: string) => nodes.filter(({ parent }) => parent === id);
        const wants = (node: TreeNode): number =>
          children(node.id).length === 0
            ? Math.min(node.demand!, node.cap ?? Number.POSITIVE_INFINITY)
            : children(node.id).reduce((sum, child) => sum + wants(child), 0);
        const capacity = nodes.reduce((sum, node) => sum + Math.min(node.guarantee ?? 0, wants(node)), 0);
        // An unkeepable promise is refused: a guarantee above a cap.
        fc.pre(nodes.every(({ guarantee = 0, cap = Number.POSITIVE_INFINITY }) => guarantee <= cap));
        const parts = shareTree(capacity, nodes);
        nodes.forEach((node, i) => {
          expect(parts[i]).toBeGreaterThanOrEqual(Math.min(node.guarantee ?? 0, wants(node)) * (1 - 1e-9) - 1e-9);
        });
      }),
    );
  });

  test("do not depend on the order of the nodes, nor on the unit", () => {
    fc.assert(
      fc.property(forest, amount, (nodes, capacity) => {
        const parts = shareTree(capacity, nodes);
        const back = shareTree(capacity, [...nodes].reverse()).reverse();
        const times = (value: number | undefined) => (value === undefined ? undefined : value * 64);
        const scaled = shareTree(
          capacity * 64,
          nodes.map((node) => ({ ...node, guarantee: times(node.guarantee), cap: times(node.cap), demand: times(node.demand) })),
        );
        parts.forEach((each, i) => {
          expect(Math.abs(back[i] - each)).toBeLessThanOrEqual(1e-9 * (1 + capacity));
          expect(scaled[i] / 64).toBe(each);
        });
      }),
    );
  });

  test("of a flat tree are max-min shares, and of an empty one none", () => {
    expect([
      ...shareTree(
        10,
        [2, 8, 8].map((demand, i) => ({ id: `${i}`, demand })),
      ),
    ]).toEqual([...maxMinFair(10, [2, 8, 8])]);
    expect([...shareTree(10, [])]).toEqual([]);
    expect([...shareTree(10, [{ id: "alone" }])]).toEqual([0]);
  });

  test("ten thousand levels deep", () => {
    const nodes: TreeNode[] = Array.from({ length: 10_000 }, (_, i) => ({ id: `${i}`, ...(i > 0 && { parent: `${i - 1}` }) }));
    nodes[9_999] = { ...nodes[9_999], demand: 3 };
    expect(shareTree(5, nodes)[9_999]).toBe(3);
  });

  test("refuse what is no tree, and what cannot be kept, every mistake at once", () => {
    const refused = (capacity: number, nodes: TreeNode[]) => {
      try {
        shareTree(capacity, nodes);
      } catch (error) {
        return [(error as { code: string }).code, ...(error as Error).message.split("; ")];
      }
      return [];
    };
    expect(
      refused(-1, [
        { id: "a", weight: 0, demand: 1 },
        { id: "a", guarantee: -1 },
        { id: "b", parent: "nobody", cap: Number.NaN },
        { id: "c", parent: "a", demand: -1 },
      ]),
    ).toEqual([
      "BAD_ARGUMENT",
      "shareTree: capacity is -1",
      "expected a number ≥ 0",
      'nodes[1].id is "a", as is nodes[0].id',
      "expected ids to differ",
      'the parent of "b" is "nobody", which is no node',
      "expected one of the ids, or no parent",
      'the weight of "a" is 0',
      "expected a finite number > 0",
      '"a" has a demand and children',
      "expected its demand to be that of its children",
      'the guarantee of "a" is -1',
      "expected a finite number ≥ 0",
      'the cap of "b" is NaN',
      "expected a number ≥ 0",
      'the demand of "c" is -1',
      "expected a number ≥ 0",
    ]);
    expect(
      refused(1, [
        { id: "top", cap: 5 },
        { id: "x", parent: "top", guarantee: 3, cap: 2 },
        { id: "y", parent: "top" },
        { id: "y1", parent: "y", guarantee: 4 },
        { id: "p", parent: "q" },
        { id: "q", parent: "r" },
        { id: "r", parent: "q" },
      ]),
    ).toEqual([
      "BAD_ARGUMENT",
      'shareTree: "q" → "r" → "q" form a cycle',
      "expected every parent to lead to the top",
      'the guarantee of "x" is 3, above its cap of 2',
      "expected at most that",
      'the guarantees below "top" sum to 6, above its cap of 5',
      "expected at most that",
    ]);
  });
});
