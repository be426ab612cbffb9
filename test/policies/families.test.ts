/** Shares, caps and promises down a tree of groups. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agreed } from "../../policies/agreed.js";
import { standings } from "../../policies/families.js";
import {
  bottleneckFairness,
  dominantResourceFairness,
  fairnessWithMemory,
  fairShares,
  type Group,
  latencySlo,
  maxMinFair,
  Point,
  type Policy,
  priorityTiers,
  Rates,
  Resource,
  shareTree,
  type Tenant,
  type View,
} from "../../policies/index.js";

interface Member {
  id: string;
  weight?: number;
  group?: number;
  terms?: Tenant["terms"];
  through?: number;
  waiting?: number;
}

function viewOf(groups: Omit<Group, "index">[], members: Member[]): View {
  const point = new Point(0, "svc/read", "requests", members.length, 0);
  members.forEach(({ through = 0, waiting = 0 }, i) => {
    point.throughputs[i] = through;
    point.waitings[i] = waiting;
  });
  return {
    windowUs: 1_000_000,
    tenants: members.map(({ id, weight = 1, group, terms }, index) => ({ index, id, weight, group, terms })),
    resources: [],
    points: [point],
    groups: groups.map((group, index) => ({ ...group, index })),
  };
}

const at = (rate: number) => ({ "svc/read": rate });

describe("a capacity", () => {
  test("is shared as by the tree of groups and tenants, and by weight alone where there are no groups", () => {
    const amount = fc.double({ min: 0, max: 100, noNaN: true });
    const weight = fc.double({ min: 0.1, max: 10, noNaN: true });
    const group = fc.record({ weight, parent: fc.option(fc.nat(3), { nil: undefined }) });
    const tenant = fc.record({ weight, demand: amount, group: fc.option(fc.nat(3), { nil: undefined }) });
    fc.assert(
      fc.property(
        fc.array(group, { maxLength: 4 }),
        fc.array(tenant, { minLength: 1, maxLength: 8 }),
        amount,
        (groups, drawn, capacity) => {
          const parentOf = (i: number, parent: number | undefined) => (parent !== undefined && parent < i ? parent : undefined);
          const groupOf = (g: number | undefined) => (g !== undefined && g < groups.length ? g : undefined);
          const view = viewOf(
            groups.map((each, i) => ({ id: `g${i}`, weight: each.weight, parent: parentOf(i, each.parent) })),
            drawn.map((each, i) => ({ id: `t${i}`, weight: each.weight, group: groupOf(each.group) })),
          );
          const demands = Float64Array.from(drawn, (each) => each.demand);
          const weights = Float64Array.from(drawn, (each) => each.weight);
          const shares = fairShares(view, capacity, demands, weights);
          const name = (g: number | undefined) => (g === undefined ? undefined : `g${g}`);
          const nodes = [
            ...groups.map((each, i) => ({ id: `g${i}`, weight: each.weight, parent: name(parentOf(i, each.parent)) })),
            ...drawn.map((each, i) => ({
              id: `t${i}`,
              weight: each.weight,
              demand: each.demand,
              parent: name(groupOf(each.group)),
            })),
          ];
          const expected =
            groups.length === 0 ? maxMinFair(capacity, demands, weights) : shareTree(capacity, nodes).subarray(groups.length);
          shares.forEach((share, i) => {
            expect(share).toBeCloseTo(expected[i], 9);
          });
        },
      ),
    );
  });
});

test("a tenant weighs its part of its group's weight, among those who ask; without groups its own", () => {
  const groups = [
    { id: "org", weight: 3 },
    { id: "team", weight: 1, parent: 0 },
  ];
  const members = [
    { id: "a", group: 1, weight: 2 },
    { id: "b", group: 1 },
    { id: "idle", group: 0, weight: 9 },
    { id: "c", group: 0 },
    { id: "alone" },
  ];
  const weights = Float64Array.from(members, ({ weight = 1 }) => weight);
  const asks = Float64Array.of(0.1, 5, 0, 1, 2);
  const [a, b, , c, alone] = standings(viewOf(groups, members), asks, weights);
  expect([a, b, c, alone].map((part) => part * 16)).toEqual([4, 2, 6, 4].map((part) => expect.closeTo(part, 9)));
  expect(standings(viewOf([], members), asks, weights)).toBe(weights);
});

describe("a group's cap", () => {
  const caps = (groups: Omit<Group, "index">[], members: Member[]) => {
    const view = viewOf(groups, members);
    const found = new Agreed(
      view,
      Float64Array.from(view.tenants, ({ weight }) => weight),
    ).caps(view.points[0]);
    return found && [...found];
  };

  test("is divided among its members by what they ask for, and never exceeded by them together", () => {
    const members = [
      { id: "a", group: 0, through: 10, waiting: 90 },
      { id: "b", group: 0, through: 10, waiting: 90 },
      { id: "c", group: 0, through: 10 },
      { id: "other", through: 500 },
    ];
    expect(caps([{ id: "g", weight: 1, caps: at(90) }], members)).toEqual([40, 40, 10, Number.POSITIVE_INFINITY]);
  });

  test("that is not reached still bounds what its members may grow to, by weight", () => {
    const members = [
      { id: "a", group: 0, through: 10 },
      { id: "b", group: 0, through: 20, weight: 3 },
    ];
    expect(caps([{ id: "g", weight: 1, caps: at(70) }], members)).toEqual([20, 50]);
  });

  test("holds beside those of its members and of the groups around it", () => {
    const groups = [
      { id: "org", weight: 1, caps: at(60) },
      { id: "team", weight: 1, parent: 0, caps: at(20) },
    ];
    const members = [
      { id: "a", group: 1, waiting: 100 },
      { id: "b", group: 1, waiting: 100, terms: { caps: at(5) } },
      { id: "c", group: 0, waiting: 100 },
    ];
    const [a, b, c] = caps(groups, members)!;
    expect(b).toBe(5);
    expect(a + b).toBeLessThanOrEqual(20 + 1e-9);
    expect(a + b + c).toBeLessThanOrEqual(60 + 1e-9);
    expect(
      caps(
        [{ id: "g", weight: 1 }],
        members.map(({ id }) => ({ id })),
      ),
    ).toBe(undefined);
  });
});

describe("a group's guarantee", () => {
  test("is divided among its members by what they ask for, beside their own", () => {
    const groups = [{ id: "g", weight: 1, guarantees: at(90) }];
    const members = [
      { id: "a", group: 0, through: 10, waiting: 90 },
      { id: "b", group: 0, through: 5 },
      { id: "c", group: 0, waiting: 100, terms: { guarantees: at(60) } },
      { id: "other", through: 500 },
    ];
    const view = viewOf(groups, members);
    const promises = new Agreed(view, new Float64Array(4).fill(1)).promises(view.points[0])!;
    expect([...promises]).toEqual([25, 5, 60, 0]);
  });
});

describe("a full resource, by", () => {
  /** Two of one group beside one alone, all with the same load; what each is left, by what has been used before. */
  function left(policy: Policy, past: number[] = [100, 100, 100]): number[] {
    const members = ["a1", "a2", "alone", "late"].map((id, i) => ({
      id,
      through: i === 3 ? 1 : 100,
      ...(i < 2 && { group: 0 }),
      ...(i === 3 && { terms: { p99TargetUs: 10_000 } }),
    }));
    const view = viewOf([{ id: "a", weight: 1 }], members);
    const disk = new Resource(0, "svc/disk", "us", 4);
    Object.assign(disk, { slowdown: 20, calmServiceUs: 1_000 });
    for (const column of [disk.loads, disk.demands]) column.fill(100_000).fill(1_000, 3);
    disk.latenciesUs.fill(20_000);
    past.forEach((percent, i) => {
      disk.averages[i] = percent * 1_000;
    });
    const [{ throughputs }] = view.points;
    const point = Object.assign(new Point(0, "svc/read", "requests", 4, 1), { throughputs, totalThroughput: 301 });
    point.fed[0] = 1;
    point.p99sUs[3] = 20_000;
    const rates = policy.decide({ ...view, resources: [disk], points: [point] }, { ...policy.params });
    expect(rates).toBeInstanceOf(Rates);
    return view.tenants.slice(0, 3).map((tenant) => rates.get(point, tenant) ?? 100);
  }

  const dividing = [bottleneckFairness, dominantResourceFairness, latencySlo, priorityTiers, fairnessWithMemory];
  test.each(dividing as unknown as Policy[])(
    "$name: a group of two has no more than one alone of the same weight, as far as that one asks",
    (policy) => {
      const [one, two, alone] = left(policy);
      expect(alone).toBe(100);
      expect(two).toBeCloseTo(one, 6);
      expect(one).toBeLessThan(97);
    },
  );

  test("fairness with memory: what one member had counts against its group", () => {
    const [, , before] = left(fairnessWithMemory as unknown as Policy, [100, 0, 200]);
    const [one, two, alone] = left(fairnessWithMemory as unknown as Policy, [300, 0, 200]);
    expect(alone).toBeGreaterThan(before);
    expect(two).toBeGreaterThan(one);
  });
});
