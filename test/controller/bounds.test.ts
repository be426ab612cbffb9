/** Memory stays bounded whatever comes, and what was idle is given back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CalmFloor } from "../../controller/floor.js";
import { LatencyGather } from "../../controller/latency-gather.js";
import { leastMode } from "../../controller/modes.js";
import { OVERFLOW_SEAT, TenantSeats } from "../../controller/tenant-seats.js";
import { definePolicy, Rates } from "../../policies/index.js";
import { LATENCY_BUCKETS } from "../../proto/histogram.js";
import { encodeControllerMessage, MAX_MESSAGE_BYTES } from "../../proto/io/codec.js";
import { latencyQuantileUs } from "../latency-quantile.js";
import { bench, FakeAgent, type Happenings } from "./harness.js";

function many(from: number, to: number): Happenings {
  const rows: Happenings[string] = {};
  for (let i = from; i < to; i++) rows[`t${i}`] = { count: 1, serviceUs: 100 };
  return { "r:disk": rows };
}

describe("ten thousand invented tenants", () => {
  test("share one overflow tenant, which is shown as such, and nothing is lost", () => {
    const { controller, run } = bench({ config: { maxTenants: 101, viewTenants: 200 } });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    agent.report(many(0, 10_000));
    run(1);
    const view = controller.view();
    expect(view.tenantCount).toBe(101);
    expect(view.resources[0].tenants.overflow.load).toBeCloseTo(9_900 * 100, 3);
    expect(view.resources[0].load).toBeCloseTo(10_000 * 100, 3);
    expect(controller.counters.overflows).toBe(9_900);
  });

  test("those that were idle for long make room, and those that shared overflow get a seat of their own", () => {
    const { controller, run } = bench({ config: { maxTenants: 51, tenantIdleWindows: 8, viewTenants: 200 } });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    agent.report(many(0, 50));
    run(1);
    for (let i = 0; i < 40; i++) {
      agent.report(many(50, 60));
      run(1);
    }
    const names = controller.view().tenants.map(({ id }) => id);
    expect(names).toContain("t55");
    expect(names).not.toContain("t5");
  });

  test("the view shows at most so many, limited and large ones first", () => {
    const { controller, run } = bench({ config: { viewTenants: 10 } });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    const rows = many(0, 500);
    rows["r:disk"].t321.serviceUs = 1_000_000;
    agent.report(rows);
    run(1);
    const view = controller.view();
    expect(view.tenants).toHaveLength(10);
    expect(view.tenants[0].id).toBe("t321");
    expect(Object.keys(view.resources[0].tenants)).toHaveLength(10);
    expect(view.tenantCount).toBe(500);
  });
});

describe("seats", () => {
  test("are given back once, and the last ones first", () => {
    const seats = new TenantSeats(4);
    const [a, b, c] = ["a", "b", "c"].map((name) => seats.seat(name));
    expect(seats.seat("d")).toBe(OVERFLOW_SEAT);
    for (const seat of [a, b, c]) seats.touch(seat, 1);
    seats.touch(b, 10);
    const gone = seats.collect(5)!;
    expect([gone[a], gone[b], gone[c]]).toEqual([1, 0, 1]);
    expect(seats.find("a")).toBe(undefined);
    expect(seats.find("b")).toBe(b);
    expect(new Set([seats.seat("d"), seats.seat("e")])).toEqual(new Set([a, c]));
    expect(seats.seat("f")).toBe(OVERFLOW_SEAT);
  });
});

test("more instances than the bound are refused with a code; a dead one makes room", () => {
  const { controller, run } = bench({ config: { maxInstances: 2 } });
  const agents = ["a", "b", "c"].map((name) => new FakeAgent(controller, "svc", name).connect());
  expect(agents[2].refused).toMatchObject({ code: "TOO_MANY" });
  agents[0].cut();
  run(5);
  expect(agents[2].connect().session).toBeDefined();
});

test("meters beyond the bound are counted and ignored, the rest goes on", () => {
  const { controller, run } = bench({ config: { maxMeters: 2 } });
  const agent = new FakeAgent(controller, "svc", "a").connect();
  agent.report({ "r:one": { t: { serviceUs: 5 } }, "r:two": { t: { serviceUs: 5 } }, "r:three": { t: { serviceUs: 5 } } });
  run(1);
  expect(controller.view().resources.map(({ name }) => name)).toEqual(["svc/one", "svc/two"]);
  expect(controller.counters.droppedRows).toBe(1);
});

test("limits that do not fit into a message: those of tenants it has met come first; the rest is counted, and said once", () => {
  const cap = definePolicy({
    name: "cap",
    params: {},
    decide(view) {
      const rates = new Rates(view);
      for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, 100);
      return rates;
    },
  });
  const { controller, run, events } = bench({ policies: [cap] });
  const [many, few] = ["many", "few"].map((name) => new FakeAgent(controller, "svc", name).connect());
  // The longest names there may be: nine thousand of them take most of a message.
  const tenants = Array.from({ length: 9_000 }, (_, i) => String(i).padStart(128, "名"));
  const points = ["p:a", "p:b", "p:c", "p:d", "p:e"];
  const useBy = (ids: readonly string[]) => {
    const rows = Object.fromEntries(ids.map((id) => [id, { count: 1, cost: 1 }]));
    return Object.fromEntries(points.map((point) => [point, rows]));
  };
  for (let w = 0; w < 4; w++) {
    many.report(useBy(tenants));
    few.report(useBy(tenants.slice(-10)));
    run(1);
  }
  for (const { last } of [many, few]) {
    expect(encodeControllerMessage({ allocation: last! }).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  }
  expect(new Set(few.last!.tenants)).toEqual(new Set(tenants.slice(-10)));
  expect(few.last!.point).toHaveLength(50);
  expect(many.last!.point.length).toBeGreaterThan(20_000);
  // An instance that is not told of a limit does not take part in it.
  expect(many.rate("svc/a", tenants[0])).toBeCloseTo(99, 6);
  expect(controller.counters.limitsLeftOut).toBeGreaterThan(2 * (45_000 - 50));
  const told = events.filter(({ kind }) => kind === "bound");
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ code: "TOO_MANY", message: expect.stringContaining("Lower maxTenantsPerInstance") });
});

test("quantiles gathered sparsely are those of a dense histogram", () => {
  const entry = fc.record({ tenant: fc.nat(3), bucket: fc.nat(LATENCY_BUCKETS - 1), count: fc.integer({ min: 1, max: 500 }) });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 200 }), (entries) => {
      const gather = new LatencyGather();
      const dense = Array.from({ length: 4 }, () => new Float64Array(LATENCY_BUCKETS));
      for (const { tenant, bucket, count } of entries) {
        gather.add(tenant, bucket, count);
        dense[tenant][bucket] += count;
      }
      const p50 = new Float64Array(4);
      const p99 = new Float64Array(4);
      gather.finish(p50, p99);
      for (let t = 0; t < 4; t++) {
        expect(p50[t]).toBe(latencyQuantileUs(dense[t], 0.5));
        expect(p99[t]).toBe(latencyQuantileUs(dense[t], 0.99));
      }
    }),
  );
});

describe("the floor", () => {
  test("learns a resource that is slow even when calm", () => {
    const floor = new CalmFloor();
    floor.learn(1_000, 9);
    expect(floor.value).toBe(1);
    for (let i = 0; i < 400; i++) floor.learn(100, 9);
    expect(floor.value).toBeCloseTo(9, 1);
    expect(floor.relative(9)).toBeCloseTo(1, 1);
    expect(floor.relative(90)).toBeCloseTo(10, 0);
  });

  test("does not take a flood for calm", () => {
    const floor = new CalmFloor();
    for (let i = 0; i < 1_000; i++) floor.learn(1_000, 60);
    expect(floor.value).toBe(1);
  });

  test("stays within 1 and 16", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true }))),
        (windows) => {
          const floor = new CalmFloor();
          for (const [load, slowdown] of windows) floor.learn(load, slowdown);
          expect(floor.value).toBeGreaterThanOrEqual(1);
          expect(floor.value).toBeLessThanOrEqual(16);
        },
      ),
    );
  });
});

test("the least of several modes counts", () => {
  expect(leastMode("enforce", "observe")).toBe("observe");
  expect(leastMode("observe", "off", "enforce")).toBe("off");
  expect(leastMode()).toBe("enforce");
});
