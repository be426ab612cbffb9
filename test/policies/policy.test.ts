import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bottleneckFairness,
  definePolicy,
  dominantResourceFairness,
  heldBack,
  inflowsOf,
  latencySlo,
  POLICIES,
  Point,
  type Policy,
  paramsOf,
  Rates,
  Resource,
  slowest,
  type Tenant,
  type View,
} from "../../policies/index.js";

const policy = definePolicy({
  name: "some",
  params: { alpha: 1, beta: 2 },
  decide: (view) => new Rates(view),
}) as unknown as Policy;

const none = (): undefined => undefined;

describe("definePolicy", () => {
  test("freezes what it is given", () => {
    expect(Object.isFrozen(policy)).toBe(true);
    expect(Object.isFrozen(policy.params)).toBe(true);
  });

  test.each([
    ["BAD_POLICY", undefined],
    ["BAD_POLICY", { name: "x", params: {} }],
    ["BAD_NAME", { name: "not a name", params: {}, decide: none }],
    ["BAD_POLICY", { name: "x", params: { alpha: Number.NaN }, decide: none }],
    ["BAD_POLICY", { name: "x", params: { alpha: "1" }, decide: none }],
  ])("%s for %j", (code, given) => {
    expect(() => definePolicy(given as never)).toThrow(expect.objectContaining({ code }));
  });
});

test("limiting everybody at a point is the same as limiting each, whatever was limited before", () => {
  const rate = fc.oneof(fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY), fc.double({ min: 0, max: 1e6 }));
  fc.assert(
    fc.property(fc.array(fc.array(rate, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 4 }), (rounds) => {
      const tenants = Array.from({ length: 3 }, (_, index) => ({ index, id: `t${index}`, weight: 1 }));
      const point = new Point(0, "svc/p", "requests", 3, 1);
      const disk = new Resource(0, "svc/r", "us", 3);
      const view: View = { windowUs: 1_000_000, tenants, resources: [disk], points: [point] };
      const [each, all] = [new Rates(view), new Rates(view)];
      rounds.forEach((column, round) => {
        const because = round % 2 === 0 ? disk : undefined;
        for (const tenant of tenants) each.limit(point, tenant, column[tenant.index], because);
        all.limitAll(point, Float64Array.from(column), because && new Int32Array(3));
      });
      for (const tenant of tenants) {
        expect(all.get(point, tenant)).toBe(each.get(point, tenant));
        expect(all.because(point, tenant)).toBe(each.because(point, tenant));
      }
    }),
  );
});

test("limiting loads all at once is the same as limiting each", () => {
  // Not as small as rounding makes anything of: of two limits of 1e-323 either is the tighter one.
  const amount = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e6, noNaN: true }));
  const column = fc.array(fc.tuple(amount, amount, amount, fc.boolean()), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 3 }), (resources) => {
      const n = Math.min(...resources.map(({ length }) => length));
      const tenants = Array.from({ length: n }, (_, index) => ({ index, id: `t${index}`, weight: 1 }));
      const points = [0, 1].map((index) => new Point(index, `svc/p${index}`, "requests", n, resources.length));
      const view: View = { windowUs: 1_000_000, tenants, resources: [], points };
      const [each, all] = [new Rates(view), new Rates(view)];
      for (const point of points) {
        for (let t = 0; t < n; t++) point.throughputs[t] = resources[0][t][1] * (point.index === 0 ? 1 : 100);
        point.totalThroughput = point.throughputs.reduce((sum, x) => sum + x, 0);
      }
      resources.forEach((rows, index) => {
        const resource = new Resource(index, `svc/r${index}`, "us", n);
        resource.inflows = inflowsOf(points);
        const shares = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
        for (let t = 0; t < n; t++) {
          const [load, , share, limited] = rows[t];
          resource.loads[t] = load;
          if (limited) shares[t] = share;
        }
        for (const tenant of tenants) {
          if (shares[tenant.index] === Number.POSITIVE_INFINITY) continue;
          for (const point of points) each.limit(point, tenant, point.rateFor(resource, tenant, shares[tenant.index]), resource);
        }
        all.limitLoads(points, resource, shares, new Int32Array(n).fill(index));
      });
      for (const point of points) {
        for (const tenant of tenants) {
          expect(all.get(point, tenant)).toBe(each.get(point, tenant));
          expect(all.because(point, tenant)).toBe(each.because(point, tenant));
        }
      }
    }),
  );
});

test("a point by which a tenant hardly comes is not taken for what its load is due to", () => {
  const points = ["read", "write", "upload"].map((name, i) => new Point(i, `svc/${name}`, i < 2 ? "requests" : "bytes", 2, 1));
  const disk = new Resource(0, "svc/disk", "us", 2);
  disk.loads.set([500_000, 500_000]);
  points[0].throughputs.set([100, 10]);
  points[1].throughputs.set([0.001, 10]);
  points[2].throughputs.set([1e6, 0]);
  for (const point of points) point.totalThroughput = point.throughputs[0] + point.throughputs[1];
  disk.inflows = inflowsOf(points);
  const [mover, even] = ["mover", "even"].map((id, index) => ({ index, id, weight: 1 }));
  const rates = (tenant: Tenant) => points.map((point) => point.rateFor(disk, tenant, 250_000));
  expect(rates(mover)).toEqual([50, 2.5, 500_000]);
  expect(rates(even).slice(0, 2)).toEqual([5, 5]);
  // Without anything by this point, by everybody's: 0.05 of what all get through at the other.
  points[1].throughputs.fill(0);
  points[1].totalThroughput = 0;
  expect(rates(even)[1]).toBeCloseTo((0.05 * 110 * 250_000) / 1e6, 9);
});

describe("paramsOf", () => {
  test("lays overrides over defaults", () => {
    expect(paramsOf(policy, { beta: 3 })).toEqual({ alpha: 1, beta: 3 });
    expect(paramsOf(policy, {})).toEqual({ alpha: 1, beta: 2 });
  });

  test("lists every mistake at once", () => {
    const attempt = () => paramsOf(policy, { gamma: 1, alpha: Number.POSITIVE_INFINITY, beta: "2", __proto__: 1, toString: 1 });
    expect(attempt).toThrow(expect.objectContaining({ code: "BAD_POLICY" }));
    for (const name of ["gamma", "alpha", "beta", "toString"]) expect(attempt).toThrow(`"${name}"`);
  });

  test("a value out of its range is refused, a default as well", () => {
    const ranged = definePolicy({
      name: "ranged",
      params: { part: 0.5 },
      ranges: { part: [0, 1] },
      decide: (view) => new Rates(view),
    });
    expect(paramsOf(ranged, { part: 1 })).toEqual({ part: 1 });
    expect(() => paramsOf(ranged, { part: -5 })).toThrow('policy "ranged": "part" is -5; expected a finite number from 0 to 1');
    expect(() => definePolicy({ ...ranged, params: { part: 2 } })).toThrow('default of param "part" is 2');
    expect(() => paramsOf(bottleneckFairness, { alpha: -5, threshold: 0 })).toThrow(/"alpha" is -5.*"threshold" is 0/);
  });
});

function viewOf(options: {
  tenants: { id: string; weight?: number; load?: number; demand?: number; throughput?: number }[];
  slowdown: number;
  points?: { name: string; feeds: boolean }[];
}): View {
  const tenants = options.tenants.map(({ id, weight }, index) => ({ index, id, weight: weight ?? 1 }));
  const resource = new Resource(0, "svc/disk", "us", tenants.length);
  resource.slowdown = options.slowdown;
  resource.calmServiceUs = 10_000;
  const points = (options.points ?? [{ name: "svc/front", feeds: true }]).map(({ name, feeds }, index) => {
    const point = new Point(index, name, "requests", tenants.length, 1);
    point.fed[0] = feeds ? 1 : 0;
    return point;
  });
  options.tenants.forEach(({ load, demand, throughput }, i) => {
    resource.loads[i] = load ?? 0;
    resource.demands[i] = demand ?? load ?? 0;
    for (const point of points) {
      point.throughputs[i] = throughput ?? (load ?? 0) / 1_000;
      point.totalThroughput += point.throughputs[i];
    }
  });
  return { windowUs: 1_000_000, tenants, resources: [resource], points };
}

describe("Rates", () => {
  const view = viewOf({
    tenants: [
      { id: "a", load: 1 },
      { id: "b", load: 1 },
    ],
    slowdown: 1,
  });
  const [point] = view.points;
  const [a, b] = view.tenants;
  const [disk] = view.resources;

  test("what is not limited is unlimited, and no number says so", () => {
    const rates = new Rates(view);
    rates.limit(point, b, Number.POSITIVE_INFINITY);
    expect([rates.get(point, a), rates.get(point, b)]).toEqual([undefined, undefined]);
    rates.limit(point, a, 0);
    expect(rates.get(point, a)).toBe(0);
  });

  test("the tightest wins, and its reason is told", () => {
    const rates = new Rates(view);
    rates.limit(point, a, 10);
    rates.limit(point, a, 5, disk);
    rates.limit(point, a, 7);
    expect([rates.get(point, a), rates.because(point, a)]).toEqual([5, 0]);
  });

  test("nonsense is kept for the guard to see", () => {
    const rates = new Rates(view);
    rates.limit(point, a, Number.NaN);
    rates.limit(point, b, -1);
    const seen: number[] = [];
    rates.forEach((_p, _t, rate) => {
      seen.push(rate);
    });
    expect(seen).toEqual([Number.NaN, -1]);
  });

  test.each([[undefined], [null], ["12"], ["fast"]])(
    "so is what is no number: %j does not mean unlimited, nor zero",
    (nonsense) => {
      const rates = new Rates(view);
      rates.limit(point, a, nonsense as unknown as number);
      rates.promise(point, b, nonsense as unknown as number);
      expect(rates.get(point, a)).toBeNaN();
      const promised: number[] = [];
      rates.forEachPromise((_p, _t, rate) => promised.push(rate));
      expect(promised).toEqual([Number.NaN]);
    },
  );
});

describe("held back is whoever", () => {
  const held = (throughput: number, rate: number, waiting: number, reason = 0) => {
    const view = viewOf({ tenants: [{ id: "a", load: 1, throughput }], slowdown: 1 });
    view.points[0].rates[0] = rate;
    view.points[0].waitings[0] = waiting;
    view.points[0].reasons[0] = reason;
    return heldBack(view)[0] === 1;
  };

  test("waits as much as gets through in a twentieth of a second, where uneven instances leave part of the rate unused", () => {
    expect(held(100, 180, 6)).toBe(true);
    expect(held(100, 180, 4)).toBe(false);
    expect(held(100, 210, 60)).toBe(false);
  });

  test("does not merely have a rate, and is held because of a resource", () => {
    expect(held(100, 101, 0)).toBe(false);
    expect(held(100, Number.NaN, 60)).toBe(false);
    expect(held(100, 101, 60, -1)).toBe(false);
  });
});

describe("bottleneck fairness has none of the faults of the published rules:", () => {
  const decide = (view: View) => bottleneckFairness.decide(view, bottleneckFairness.params);
  const rate = (view: View, i: number, p = 0) => decide(view).get(view.points[p], view.tenants[i]);
  const flood = { id: "flood", load: 900_000, demand: 5_000_000 };
  const small = { id: "small", load: 50_000 };

  test("the flood is cut, the small one left alone", () => {
    const view = viewOf({ tenants: [flood, small], slowdown: 60 });
    expect(rate(view, 0)).toBeLessThan(900);
    expect(rate(view, 0)).toBeGreaterThan(600);
    expect(rate(view, 1)).toBe(undefined);
  });

  test("0/0: nothing congested, nobody there, no load, no point", () => {
    for (const slowdown of [1, 25, 1e6]) {
      expect(rate(viewOf({ tenants: [{ id: "a" }], slowdown }), 0)).toBe(undefined);
      expect(() => decide(viewOf({ tenants: [], slowdown }))).not.toThrow();
      expect(() => decide(viewOf({ tenants: [flood], slowdown, points: [] }))).not.toThrow();
    }
  });

  test("factors never turn negative and rates are always finite, however slow it is", () => {
    for (const slowdown of [1, 2, 24, 26, 500, 1e6]) {
      const view = viewOf({ tenants: [flood, small, { id: "new", demand: 1_000 }], slowdown });
      decide(view).forEach((_p, _t, value) => {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(Number.POSITIVE_INFINITY);
      });
    }
  });

  test("no wind-up: the rate follows from use, so the first cut after a calm hour bites", () => {
    const calm = viewOf({ tenants: [{ id: "a", load: 100_000 }], slowdown: 1 });
    calm.points[0].rates[0] = 1e9;
    expect(rate(calm, 0)).toBe(undefined);
    const busy = viewOf({ tenants: [flood, small], slowdown: 60 });
    busy.points[0].rates[0] = 1e9;
    expect(rate(busy, 0)).toBeLessThan(900);
  });

  test("a tenant that got nothing through is given a share, not forgotten", () => {
    const view = viewOf({ tenants: [flood, { id: "starved", load: 0, demand: 4_000_000, throughput: 0 }], slowdown: 60 });
    const given = rate(view, 1)!;
    expect(given).toBeGreaterThan(300);
    expect(rate(view, 0)).toBeLessThan(500);
  });

  test("weights are honoured", () => {
    const view = viewOf({
      tenants: [
        { id: "one", load: 500_000, demand: 5_000_000, weight: 1 },
        { id: "two", load: 500_000, demand: 5_000_000, weight: 2 },
      ],
      slowdown: 60,
    });
    expect(rate(view, 1)! / rate(view, 0)!).toBeCloseTo(2, 9);
  });

  test("what a resource is known to carry is given to those held back at once, and no more than that; the unknown by β", () => {
    const held = { id: "held", load: 100_000, demand: 3_000_000 };
    const given = (known: { slots?: number; capacity?: number }, slowdown = 1, load = held.load) => {
      const view = viewOf({ tenants: [held, { ...held, id: "other" }].map((each) => ({ ...each, load })), slowdown });
      Object.assign(view.resources[0], known);
      const [point] = view.points;
      for (const i of [0, 1]) {
        point.rates[i] = point.throughputs[i];
        point.waitings[i] = 100;
        point.reasons[i] = 0;
      }
      return rate(view, 0)! * 1_000;
    };
    expect(given({})).toBeCloseTo(110_000, 6);
    // √(1 − 1/4) of two slots, halved.
    expect(given({ slots: 2 })).toBeCloseTo(Math.sqrt(0.75) * 1_000_000, 6);
    // The less of what it was seen to carry and what is told.
    expect(given({ slots: 2, capacity: 600_000 })).toBeCloseTo(Math.sqrt(0.75) * 300_000, 6);
    expect(given({ slots: 1, capacity: 6e6 })).toBeCloseTo(Math.sqrt(0.75) * 500_000, 6);
    expect(given({ capacity: 100_000 })).toBeCloseTo(110_000, 6);
    // Work already waits: by what waiting says is left.
    expect(given({ slots: 2 }, 2)).toBeCloseTo(100_000 * (1 + 0.5 / 1.5), 6);
    expect(given({ slots: 2 }, 5)).toBeLessThan(100_000);
    // Hardly anything at all is no reason to divide by it.
    expect(given({ slots: 2 }, 1, 1e-305)).toBeCloseTo(Math.sqrt(0.75) * 1_000_000, 6);
  });

  test("points that do not lead to the bottleneck are left alone", () => {
    const points = [
      { name: "svc/write", feeds: true },
      { name: "svc/ping", feeds: false },
    ];
    const view = viewOf({ tenants: [flood, small], slowdown: 60, points });
    expect(rate(view, 0, 0)).toBeLessThan(900);
    expect(rate(view, 0, 1)).toBe(undefined);
  });

  test("calm takes nothing away from anybody", () => {
    const view = viewOf({ tenants: [flood, small], slowdown: 3 });
    expect(rate(view, 0)).toBeGreaterThanOrEqual(900);
  });

  test("units do not matter: loads in other units give the same rates", () => {
    const plain = viewOf({ tenants: [flood, small], slowdown: 60 });
    const scaled = viewOf({ tenants: [flood, small], slowdown: 60 });
    for (const column of [scaled.resources[0].loads, scaled.resources[0].demands]) {
      for (let i = 0; i < column.length; i++) column[i] *= 4_096;
    }
    expect(rate(scaled, 0)).toBeCloseTo(rate(plain, 0)!, 6);
  });

  test("whoever is held back at one point is not refused at the next, which it has not reached yet", () => {
    for (const slowdown of [1, 3, 60]) {
      const points = [
        { name: "svc/front", feeds: true },
        { name: "svc/work", feeds: true },
      ];
      const view = viewOf({ tenants: [flood, small, { id: "new" }], slowdown, points });
      // At the front it waits behind its rate, and of those that got through none has come to the disk, nor to the second point.
      view.points[0].throughputs[2] = 300;
      view.points[0].waitings[2] = 100;
      view.points[0].rates[2] = 300;
      expect(rate(view, 2, 0)).toBe(undefined);
      expect(rate(view, 2, 1)).toBe(undefined);
    }
  });

  test("who is let go slowly is told the resource that was full, not the calm one that bounds its growth", () => {
    const held = { id: "flood", load: 100_000, demand: 900_000, throughput: 100 };
    const view = viewOf({ tenants: [held, small], slowdown: 1 });
    const full = new Resource(1, "svc/net", "bytes", 2);
    full.slowdown = 9;
    (view.resources as Resource[]).push(full);
    Object.assign(view.points[0], { fed: new Uint8Array([1, 1]) });
    view.points[0].rates[0] = 101;
    view.points[0].waitings[0] = 50;
    const reasonFor = (inForce: number) => {
      view.points[0].reasons[0] = inForce;
      const rates = decide(view);
      return [rates.get(view.points[0], view.tenants[0]), rates.because(view.points[0], view.tenants[0])];
    };
    const [rate, because] = reasonFor(1);
    expect(because).toBe(1);
    // Held because of nothing that is known: then the calm one is all there is to tell.
    expect(reasonFor(-1)[1]).toBe(0);
    // Nor is a resource told that requests from there do not reach.
    Object.assign(view.points[0], { fed: new Uint8Array([1, 0]) });
    expect(reasonFor(1)).toEqual([rate, 0]);
  });

  test("two bottlenecks at once are both served", () => {
    const view = viewOf({ tenants: [flood, small], slowdown: 60 });
    const net = new Resource(1, "svc/net", "bytes", 2);
    net.slowdown = 90;
    net.calmServiceUs = 10_000;
    net.loads.set([10, 990]);
    net.demands.set([10, 9_000]);
    (view.resources as Resource[]).push(net);
    const fed = new Uint8Array([1, 1]);
    Object.assign(view.points[0], { fed });
    const rates = decide(view);
    expect(rates.because(view.points[0], view.tenants[0])).toBe(0);
    expect(rates.because(view.points[0], view.tenants[1])).toBe(1);
    expect(slowest(view.resources)).toBe(net);
  });
});

test("the part of a calm resource that a tenant has is judged by its slots, where those are known", () => {
  const tenants = ["disks", "links"].map((id, index) => ({ index, id, weight: 1 }));
  const limitsOf = (slots: number) => {
    const [disk, link] = ["disk", "link"].map((name, index) => new Resource(index, `svc/${name}`, "us", 2));
    const point = new Point(0, "svc/in", "requests", 2, 2);
    point.fed.fill(1);
    point.throughputs.set([100, 100]);
    point.totalThroughput = 200;
    // The disk is full; of the link one and a half connections are in use, and nobody waits for one.
    Object.assign(disk, { slowdown: 20, calmServiceUs: 5_000, capacity: 2_000_000 });
    disk.loads.set([1_000_000, 1_000_000]);
    disk.demands.set([2_000_000, 1_000_000]);
    Object.assign(link, { slowdown: 1.001, calmServiceUs: 5_000, slots });
    link.loads.set([0, 1_500_000]);
    link.demands.set([0, 1_500_000]);
    const view: View = { windowUs: 1_000_000, tenants, resources: [disk, link], points: [point] };
    const rates = dominantResourceFairness.decide(view, dominantResourceFairness.params);
    const shares = new Map<number, number>();
    rates.forEach((_, tenant, rate) => {
      shares.set(tenant, rate);
    });
    return shares;
  };
  // Not told, it could carry any amount, and both lean on the disk; so it is with four connections, of which 1.5 are less than half.
  for (const slots of [0, 4]) expect(limitsOf(slots).get(0)).toBeCloseTo(limitsOf(slots).get(1)!, 6);
  // Of two connections 1.5 are more than half: as large a part of the disk is 1.5 times as many requests for the other.
  expect(limitsOf(2).get(0)! / limitsOf(2).get(1)!).toBeCloseTo(1.5, 6);
});

test("who is held back for objectives' sake and asks for less than its part is given more than it uses, not what it uses", () => {
  const terms = { p99TargetUs: 100_000 };
  const tenants = [
    { index: 0, id: "reader", weight: 1, terms },
    { index: 1, id: "modest", weight: 1 },
    { index: 2, id: "flood", weight: 1 },
  ];
  const disk = new Resource(0, "svc/disk", "us", 3);
  Object.assign(disk, { slowdown: 3, calmServiceUs: 5_000, latenciesUs: Float64Array.of(15_000, 15_000, 15_000) });
  const point = new Point(0, "svc/in", "requests", 3, 1);
  point.fed[0] = 1;
  point.throughputs.set([10, 85, 600]);
  point.totalThroughput = 695;
  point.p99sUs.set([50_000, 0, 0]);
  // Its rate of 100 is divided among instances, and what one does not use is of no use to another: 85 get through, and some wait.
  point.rates.set([Number.NaN, 100, 600]);
  point.reasons.set([-1, 0, 0]);
  point.waitings.set([0, 5, 400]);
  disk.loads.set([10_000, 85_000, 600_000]);
  disk.demands.set([10_000, 90_000, 1_000_000]);
  const view: View = { windowUs: 1_000_000, tenants, resources: [disk], points: [point] };
  const rate = latencySlo.decide(view, latencySlo.params).get(point, tenants[1]);
  // A rate of what it asked for in this window would be 90, and less in the next, for ever.
  expect(rate).toBeGreaterThan(110);
});

test.each(POLICIES.map(({ name }) => name))(
  "%s decides beside a tenant whose rate is zero, and that gets nothing through",
  (name) => {
    const view = viewOf({
      tenants: [
        { id: "late", load: 5e5 },
        { id: "flood", load: 9e5 },
        { id: "barred", load: 0, throughput: 0 },
      ],
      slowdown: 20,
    });
    view.points[0].rates[2] = 0;
    const tenants = view.tenants.map((tenant) => (tenant.id === "late" ? { ...tenant, terms: { p99TargetUs: 1_000 } } : tenant));
    const policy = POLICIES.find((each) => each.name === name)!;
    const rates: number[] = [];
    policy.decide({ ...view, tenants }, policy.params).forEach((_point, _tenant, rate) => {
      rates.push(rate);
    });
    for (const rate of rates) expect(rate).toBeGreaterThanOrEqual(0);
  },
);

test("a flood is held back for the sake of one of whom nothing gets as far as the resource", () => {
  const view = viewOf({
    tenants: [
      { id: "late", load: 0, throughput: 0 },
      { id: "flood", load: 9e5 },
    ],
    slowdown: 20,
  });
  const [point] = view.points;
  point.oldestsUs[0] = 5_000_000;
  const late = { ...view.tenants[0], terms: { p99TargetUs: 100_000 } };
  const rates = latencySlo.decide({ ...view, tenants: [late, view.tenants[1]] }, latencySlo.params);
  expect(rates.get(point, view.tenants[1])).toBeLessThan(900);
  expect(rates.get(point, late)).toBeUndefined();
});
