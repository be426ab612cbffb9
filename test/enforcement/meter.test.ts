import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agent, Operation, type ResourceOptions } from "../../enforcement/index.js";
import { COST, COUNT, Meter, REFUSED, RUNNING, STRIDE, THROTTLED, WAITING } from "../../enforcement/meters/meter.js";
import { POINT, type Report } from "../../proto/messages.js";
import { latencyQuantileUs } from "../latency-quantile.js";
import { FakeClock, steady } from "./fake-clock.js";
import { FakeController } from "./fake-controller.js";
import { Service } from "./service.js";

const WINDOW = 1_000_000;

/** One resource, reported every window and acknowledged at once. */
class Metered {
  readonly clock = new FakeClock();
  readonly controller = new FakeController();
  readonly agent = new Agent({
    service: "s",
    instance: "i",
    boot: "b",
    clock: this.clock,
    chance: steady(),
    transport: this.controller,
  });

  constructor() {
    this.agent.start();
    this.controller.welcome();
    this.clock.advance(1); // the first report: nothing yet
    this.controller.acknowledge();
  }

  resource(options?: ResourceOptions) {
    return this.agent.resource("r", options);
  }

  window(): Report {
    this.clock.advance(WINDOW);
    const report = this.controller.session.last;
    this.controller.acknowledge();
    return report;
  }
}

describe("a meter", () => {
  test("property: the memory may grow under any call, and nothing that was counted is lost or lands at another's", () => {
    const fields = [COUNT, COST, REFUSED, WAITING, RUNNING, THROTTLED];
    const step = fc.record({
      what: fc.constantFrom("add", "move", "completed"),
      tenant: fc.oneof(fc.nat(3), fc.nat(5_000)),
      field: fc.nat(fields.length - 1),
      amount: fc.nat(9),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const meter = new Meter({ name: "m", index: 0, kind: POINT, unit: "requests" });
        meter.hasOwnCosts = true;
        const expected = new Map<string, number>();
        const count = (tenant: number, field: number, amount: number) =>
          expected.set(`${tenant} ${field}`, (expected.get(`${tenant} ${field}`) ?? 0) + amount);
        for (const { what, tenant, field, amount } of steps) {
          if (what === "add") {
            meter.add(tenant, fields[field], amount, 0);
            count(tenant, fields[field], amount);
          } else if (what === "move") {
            meter.move(tenant, WAITING, RUNNING, 0);
            count(tenant, WAITING, -1);
            count(tenant, RUNNING, 1);
          } else {
            meter.completed(tenant, amount, 0);
            count(tenant, RUNNING, -1);
            count(tenant, COUNT, 1);
            count(tenant, COST, amount);
          }
        }
        const told = new Set(meter.touched.subarray(0, meter.touchedCount));
        expect(told).toEqual(new Set(steps.map(({ tenant }) => tenant)));
        for (let at = 0; at < meter.cells.length; at += STRIDE) {
          for (const field of fields) expect(meter.cells[at + field]).toBe(expected.get(`${at / STRIDE} ${field}`) ?? 0);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("counts work in progress in every window it spans, to the µs, and nothing twice", () => {
    const world = new Metered();
    const disk = world.resource({ slots: 1 });
    const tenant = world.agent.tenant("a");
    const operation = () => new Operation({ tenant }, () => {});
    const [one, two] = [operation(), operation()];
    disk.use(one);
    disk.use(two);
    expect(world.window().rows[0]).toMatchObject({
      count: [],
      waitUs: [WINDOW],
      serviceUs: [WINDOW],
      waiting: [1],
      running: [1],
    });
    expect(world.window().rows[0]).toMatchObject({ count: [], waitUs: [WINDOW], serviceUs: [WINDOW] });
    world.clock.advance(400_000);
    disk.finish(one);
    world.clock.advance(100_000);
    disk.finish(two);
    world.clock.advance(500_000);
    expect(world.controller.session.last.rows[0]).toMatchObject({
      count: [2],
      waitUs: [400_000],
      serviceUs: [500_000],
      waiting: [],
      running: [],
    });
    world.controller.acknowledge();
    expect(world.window().rows).toEqual([]);
  });

  test("costs in the service's own unit; fractions add up; what exceeds 32 bits follows", () => {
    const world = new Metered();
    const network = world.resource({ unit: "bytes" });
    const tenant = world.agent.tenant("a");
    for (let i = 0; i < 10; i++) network.record(tenant, 0, 0.25);
    expect(world.window().rows[0]).toMatchObject({ count: [10], cost: [2] });
    network.record(tenant, 0, 0.5);
    network.record(tenant, 0, 2 ** 32 + 6, { count: 5, waitUs: 7, serviceUs: 9 });
    expect(world.window().rows[0]).toMatchObject({ count: [6], cost: [2 ** 32 - 1], waitUs: [7], serviceUs: [9] });
    expect(world.window().rows[0]).toMatchObject({ cost: [8], count: [] });
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => network.record(tenant, 0, wrong)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
      expect(() => network.record(tenant, 0, 1, { waitUs: wrong })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
    expect(world.window().rows).toEqual([]);
  });

  test("squares of large costs stay finite and non-negative", () => {
    const world = new Metered();
    const network = world.resource({ unit: "ns" });
    for (let i = 0; i < 3; i++) network.record(world.agent.tenant("a"), 0, 1e300);
    const [squared] = world.window().rows[0].costSquared;
    expect(squared).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(squared).toBeGreaterThan(0);
  });

  test("one end each: finishing twice, or what never started, is BAD_JOB", () => {
    const world = new Metered();
    const disk = world.resource({ slots: 1 });
    const tenant = world.agent.tenant("a");
    const [one, two] = [1, 2].map(() => new Operation({ tenant }, () => {}));
    const badJob = expect.objectContaining({ code: "BAD_JOB" });
    expect(() => disk.finish(one)).toThrow(badJob);
    disk.use(one);
    disk.use(two);
    expect(() => disk.use(one)).toThrow(badJob);
    expect(() => disk.finish(two)).toThrow(badJob);
    expect([disk.cancel(one), disk.cancel(two), disk.cancel(two)]).toEqual([false, true, false]);
    disk.finish(one);
    expect(() => disk.finish(one)).toThrow(badJob);
    expect(() => disk.end(tenant, 0)).toThrow(badJob);
    expect(() => disk.leave(tenant)).toThrow(badJob);
    expect([disk.waiting, disk.running]).toEqual([0, 0]);
  });

  test("learns which points lead here from the requests themselves, and tells each once per stream", () => {
    const world = new Metered();
    const disk = world.resource();
    const point = world.agent.controlPoint("p");
    const upstream = world.agent.vias.intern(["gateway/in", "not a name", "gateway/in"]);
    const via = point.passed(upstream);
    expect(world.agent.vias.names(via)).toEqual(["gateway/in", "s/p"]);
    expect(point.passed(via)).toBe(via);
    const tenant = world.agent.tenant("a");
    for (let i = 0; i < 3; i++) disk.record(tenant, via, 5);
    expect(
      world
        .window()
        .feeds.map(({ point }) => point)
        .sort(),
    ).toEqual(["gateway/in", "s/p"]);
    disk.record(tenant, upstream, 5);
    expect(world.window().feeds).toEqual([]);
  });

  test("property: what is reported in all is what was measured, operation by operation", () => {
    const step = fc.record({
      what: fc.constantFrom("use", "use", "finish", "cancel", "wait", "report"),
      tenant: fc.nat(3),
      pick: fc.nat(99),
      us: fc.nat(700_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (steps, slots) => {
        const world = new Metered();
        const disk = world.resource({ slots });
        const truth = Array.from({ length: 4 }, () => ({ count: 0, waitUs: 0, serviceUs: 0 }));
        const live: { operation: Operation; cameUs: number; startedUs: number | undefined; tenant: number }[] = [];
        const now = () => world.clock.nowUs();
        for (const { what, tenant, pick, us } of steps) {
          const at = live[pick % Math.max(1, live.length)];
          if (what === "use") {
            const entry = {
              cameUs: now(),
              startedUs: undefined as number | undefined,
              tenant,
              operation: undefined as unknown as Operation,
            };
            entry.operation = new Operation({ tenant: world.agent.tenant(`t${tenant}`) }, () => {
              entry.startedUs = now();
            });
            live.push(entry);
            disk.use(entry.operation);
          } else if (what === "finish" && at?.startedUs !== undefined) {
            truth[at.tenant].count += 1;
            truth[at.tenant].waitUs += at.startedUs - at.cameUs;
            truth[at.tenant].serviceUs += now() - at.startedUs;
            live.splice(live.indexOf(at), 1);
            disk.finish(at.operation);
          } else if (what === "cancel" && at !== undefined && disk.cancel(at.operation)) {
            truth[at.tenant].waitUs += now() - at.cameUs;
            live.splice(live.indexOf(at), 1);
          } else if (what === "wait") {
            world.clock.advance(us);
          } else if (what === "report" && world.controller.session.reports.length > 0) {
            world.controller.acknowledge();
          }
          expect(disk.running).toBe(Math.min(slots, live.length));
        }
        for (const { tenant, cameUs, startedUs } of live) {
          truth[tenant].waitUs += (startedUs ?? now()) - cameUs;
          if (startedUs !== undefined) truth[tenant].serviceUs += now() - startedUs;
        }
        let told = 0;
        world.agent.close(() => told++);
        world.controller.acknowledge();
        if (told === 0) world.controller.acknowledge();
        expect(told).toBe(1);
        expect(sumsOf(world.controller)).toEqual(Object.fromEntries(truth.map((sums, i) => [`t${i}`, sums])));
      }),
      { numRuns: 60 },
    );
  });
});

/** Σ over all acknowledged reports of the first meter, for t0 … t3. */
function sumsOf(controller: FakeController) {
  const zero = () => ({ count: 0, waitUs: 0, serviceUs: 0 });
  const sums: Record<string, ReturnType<typeof zero>> = { t0: zero(), t1: zero(), t2: zero(), t3: zero() };
  const names = new Map<number, string>();
  let applied = 0;
  for (const report of controller.session.reports) {
    for (const { index, name } of report.tenants) names.set(index, name);
    expect(report.baseSequence).toBe(applied);
    applied = report.sequence;
    for (const rows of report.rows) {
      let index = 0;
      rows.tenant.forEach((step, i) => {
        index += step;
        const of = sums[names.get(index) as string];
        for (const column of ["count", "waitUs", "serviceUs"] as const) of[column] += rows[column][i] ?? 0;
      });
    }
  }
  return sums;
}

describe("a control point's meter", () => {
  test("throttle delay is throttle delay: it never appears as waiting or latency", () => {
    const service = new Service({ slots: 1 }).limited({ a: 1 });
    service.submit("a", { onStart: (request) => service.point.complete(request) });
    const second = service.submit("a");
    service.clock.advance(500_000);
    const { session } = service.controller;
    expect(session.last.rows[0]).toMatchObject({ throttled: [1], waiting: [], waitUs: [] });
    service.controller.acknowledge();
    service.clock.advance(500_000); // the second passes
    const queued = service.submit("b");
    service.clock.advance(300_000);
    service.controller.acknowledge();
    service.point.complete(second);
    service.point.complete(queued);
    service.clock.advance(1_000_000);
    const all = session.reports.map((report) => report.rows[0]);
    const total = (column: "throttleUs" | "waitUs") => all.flatMap((rows) => rows[column]).reduce((sum, us) => sum + us, 0);
    expect([total("throttleUs"), total("waitUs")]).toEqual([1_000_000, 300_000]);
    const rows = session.last.rows[0];
    const counts = new Array(288).fill(0);
    rows.latencyRow.forEach((row, i) => {
      if (row === 0) counts[rows.latencyBucket[i]] += rows.latencyCount[i];
    });
    expect(latencyQuantileUs(counts, 1)).toBeLessThan(300_000 * 1.1);
  });

  test("says how long the oldest has waited, and counts the refused", () => {
    const service = new Service({ queueLimit: 1 }).limited({ a: 0.001 });
    service.point.complete(service.submit("a"));
    for (let i = 0; i < 3; i++) service.submit("a");
    service.clock.advance(1);
    service.controller.acknowledge();
    service.clock.advance(1_000_000);
    expect(service.controller.session.reports[0].rows[0]).toMatchObject({ refused: [2], throttled: [1], count: [1] });
    expect(service.controller.session.last.rows[0]).toMatchObject({
      oldestUs: [1_000_001],
      throttleUs: [1_000_000],
      refused: [],
    });
  });

  test("a long request's cost shows as it is charged", () => {
    const service = new Service({ unit: "bytes" }).limited({});
    service.clock.advance(1);
    service.controller.acknowledge();
    const long = service.submit("a", { cost: 1 });
    service.point.charge(long, 100);
    service.clock.advance(1_000_000);
    expect(service.controller.session.last.rows[0]).toMatchObject({ count: [], cost: [100], running: [1] });
    service.controller.acknowledge();
    service.point.charge(long, 150);
    service.point.complete(long, 170);
    service.clock.advance(1_000_000);
    expect(service.controller.session.last.rows[0]).toMatchObject({ count: [1], cost: [70] });
  });
});
