/** The pool of slots and what judges it: the fluid server against a dumb one, lags that add up, the theorem, repeatability. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SCHEDULER_KINDS } from "../../enforcement/index.js";
import { FluidServer } from "../../simulations/pool/fluid-server.js";
import { LatencyLog, sortedQuantile } from "../../simulations/pool/latency-log.js";
import { population } from "../../simulations/pool/population.js";
import { CostTable } from "../../simulations/pool/quantiles.js";
import { SlotPool } from "../../simulations/pool/slot-pool.js";
import { ArrivalColumns, type Backlogged, NO_ARRIVALS, type Workload } from "../../simulations/pool/workload.js";
import { SeededChance } from "../../simulations/world/chance.js";
import { FluidServer as DumbFluidServer } from "../enforcement/fluid.js";

/** Requests as (tenant, cost, gap). */
const requests = (tenants: number) =>
  fc.array(fc.tuple(fc.nat(tenants - 1), fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 40 })), {
    minLength: 30,
    maxLength: 120,
    size: "max",
  });

function workloadOf(tenants: number, list: [number, number, number][], weights?: number[]): Workload {
  const columns = new ArrivalColumns();
  let atUs = 0;
  for (const [tenant, cost, gapUs] of list) {
    atUs += gapUs;
    columns.push(atUs, tenant, 0, cost);
  }
  return {
    tenants: Array.from({ length: tenants }, (_, k) => `t${k}`),
    apis: ["any"],
    arrivals: columns.arrivals(),
    backlogged: [],
    ...(weights === undefined ? {} : { weights: Float64Array.from(weights) }),
  };
}

const always = (tenant: number, cost: number): Backlogged => ({ tenant, stream: () => ({ api: 0, cost, next() {} }) });

describe("the fluid server", () => {
  test("serves everyone as one that looks at everybody does", () => {
    const weights = [1, 2, 0.5, 3];
    fc.assert(
      fc.property(requests(4), (list) => {
        const fluid = new FluidServer(2e6, 4, Float64Array.from(weights));
        const dumb = new DumbFluidServer(2e6, (tenant) => weights[Number(tenant)]);
        let nowUs = 0;
        for (const [tenant, cost, gapUs] of list) {
          nowUs += gapUs;
          fluid.arrive(tenant, cost, nowUs);
          dumb.arrive(String(tenant), cost, nowUs);
          for (let each = 0; each < 4; each++) expect(fluid.served(each)).toBeCloseTo(dumb.served.get(String(each)) ?? 0, 6);
        }
        fluid.advance(nowUs + 1e6);
        for (let each = 0; each < 4; each++) expect(fluid.busyWith(each)).toBe(false);
      }),
    );
  });

  test("a tenant that always has work takes what the others leave", () => {
    const fluid = new FluidServer(1e6, 2);
    fluid.backlog(0, 100);
    fluid.arrive(1, 30, 200);
    fluid.advance(210);
    expect([fluid.served(0), fluid.served(1)]).toEqual([105, 5]);
    fluid.advance(400);
    expect([fluid.served(0), fluid.served(1)]).toEqual([270, 30]);
    expect([fluid.busyWith(0), fluid.busyWith(1)]).toEqual([true, false]);
  });
});

describe.each(SCHEDULER_KINDS)("the pool under %s", (scheduler) => {
  test("serves every request once, gives what was asked for, and repeats itself", () => {
    fc.assert(
      fc.property(requests(5), fc.integer({ min: 1, max: 4 }), (list, slots) => {
        const workload = workloadOf(5, list);
        const runs = [0, 1].map(() => {
          const pool = new SlotPool({ workload, slots, unitsPerSecPerSlot: 1e6, scheduler, estimator: "pessimistic" });
          pool.run(Number.POSITIVE_INFINITY);
          return pool;
        });
        const [pool] = runs;
        expect(pool.completed).toBe(list.length);
        expect([...pool.outstanding]).toEqual([0, 0, 0, 0, 0]);
        for (let tenant = 0; tenant < 5; tenant++) {
          const asked = list.filter((each) => each[0] === tenant).reduce((sum, each) => sum + each[1], 0);
          expect(pool.done[tenant]).toBe(asked);
        }
        expect(pool.latencies.count).toBe(list.length);
        expect(runs[1].trace.hash).toBe(pool.trace.hash);
      }),
      { numRuns: 25 },
    );
  });

  test("lags of all tenants add up to nothing while all slots are busy", () => {
    const workload: Workload = {
      tenants: ["a", "b", "c"],
      apis: ["any"],
      arrivals: NO_ARRIVALS,
      backlogged: [always(0, 100), always(1, 700), always(2, 5_000)],
    };
    const pool = new SlotPool({ workload, slots: 2, unitsPerSecPerSlot: 1e6, scheduler, estimator: "known" });
    for (const untilUs of [333, 20_000, 123_456]) {
      pool.run(untilUs);
      pool.fluid.advance(pool.nowUs);
      let sum = 0;
      for (let tenant = 0; tenant < 3; tenant++) sum += pool.served(tenant) - pool.fluid.served(tenant);
      expect(Math.abs(sum)).toBeLessThan(1e-6 * untilUs);
    }
  });
});

test("2DFQ is never behind the fluid server by more than n jobs of the largest size", () => {
  fc.assert(
    fc.property(requests(6), fc.integer({ min: 1, max: 5 }), (list, slots) => {
      const workload = workloadOf(6, list);
      const pool = new SlotPool({ workload, slots, unitsPerSecPerSlot: 1e6, scheduler: "2dfq", estimator: "known", sampleUs: 1 });
      const largest = Math.max(...list.map(([, cost]) => cost));
      for (let nowUs = 1; nowUs < 8_000; nowUs += 3) {
        pool.run(nowUs);
        for (let tenant = 0; tenant < 6; tenant++) {
          expect(pool.fluid.served(tenant) - pool.served(tenant)).toBeLessThanOrEqual(slots * largest + 1e-6);
        }
      }
    }),
    { numRuns: 20 },
  );
});

test("rounding to whole µs takes no capacity away", () => {
  const workload: Workload = { tenants: ["a"], apis: ["any"], arrivals: NO_ARRIVALS, backlogged: [always(0, 0.3)] };
  const pool = new SlotPool({ workload, slots: 1, unitsPerSecPerSlot: 1e6 / 7, scheduler: "fifo" });
  pool.run(1e6);
  expect(pool.served(0)).toBeCloseTo(1e6 / 7, 0);
});

test("a coarse clock is what the scheduler sees, not when requests end", () => {
  const workload = workloadOf(1, [[0, 10, 0]]);
  const options = { workload, slots: 1, unitsPerSecPerSlot: 1e6, scheduler: "2dfq" as const };
  const pool = new SlotPool({ ...options, clockGrainUs: 5_000 });
  pool.run(Number.POSITIVE_INFINITY);
  expect([pool.completed, [...pool.latencies.byTenant(1)[0]]]).toEqual([1, [10]]);
});

describe("a client that waits for each answer", () => {
  const client: Workload = {
    tenants: ["client", "flood"],
    apis: ["any"],
    arrivals: NO_ARRIVALS,
    backlogged: [{ ...always(0, 100), oneAtATime: true }],
  };
  const options = { slots: 2, unitsPerSecPerSlot: 1e6, scheduler: "2dfq" as const, estimator: "known" as const };

  test("never has two requests, and alone never waits", () => {
    const pool = new SlotPool({ ...options, workload: client });
    pool.run(10_050);
    expect([pool.completed, pool.outstanding[0], pool.fluid.busyWith(0)]).toEqual([100, 1, true]);
    expect(new Set(pool.latencies.byTenant(2)[0])).toEqual(new Set([100]));
    // The fluid server, with both slots for it, does each request in half the time and then waits for the next.
    pool.fluid.advance(10_050);
    expect(pool.fluid.served(0)).toBeCloseTo(10_100, 6);
    expect(pool.fluid.busyWith(0)).toBe(false);
    expect(pool.done[0]).toBe(10_000);
  });

  test("beside one that always has requests waiting is given no more than its share", () => {
    const workload = { ...client, backlogged: [...client.backlogged, always(1, 300)] };
    for (const creditJobs of [0, 16]) {
      const pool = new SlotPool({ ...options, slots: 1, workload, creditJobs });
      pool.run(1e6);
      expect(pool.served(0) / pool.served(1)).toBeGreaterThan(0.3);
      expect(pool.served(0) / pool.served(1)).toBeLessThan(1.01);
    }
  });
});

test("settings out of range are refused", () => {
  const options = { workload: workloadOf(1, [[0, 1, 0]]), slots: 1, unitsPerSecPerSlot: 1, scheduler: "fifo" as const };
  for (const slots of [0, 1.5, Number.NaN, 1e9]) expect(() => new SlotPool({ ...options, slots })).toThrow(/slots is/);
  for (const unitsPerSecPerSlot of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new SlotPool({ ...options, unitsPerSecPerSlot })).toThrow(/unitsPerSecPerSlot is/);
  }
});

test("latencies by tenant, exactly", () => {
  const log = new LatencyLog();
  for (let k = 5_000; k > 0; k--) log.add(k % 3, k);
  const [zero, , two, none] = log.byTenant(4);
  expect([zero.length, zero[0], sortedQuantile(zero, 0.5), sortedQuantile(zero, 1)]).toEqual([1666, 3, 2499, 4998]);
  expect([two[0], none.length, sortedQuantile(none, 0.5)]).toEqual([2, 0, Number.NaN]);
});

test("a table of costs has the quantiles it was made of", () => {
  const table = new CostTable([318, 356, 382, 423, 657], { floor: 250, ceiling: 5e6 });
  for (const [q, cost] of [
    [0.01, 318],
    [0.25, 356],
    [0.5, 382],
    [0.75, 423],
    [0.99, 657],
  ]) {
    expect(Math.abs(table.at(q) / cost - 1)).toBeLessThan(0.01);
  }
  expect(table.at(0)).toBe(265);
  expect(Math.abs(table.at(1) - 657 * 1.5)).toBeLessThanOrEqual(1);
  const chance = new SeededChance(1, "table");
  let sum = 0;
  for (let k = 0; k < 20_000; k++) sum += table.draw(chance);
  expect(sum / 20_000 / table.mean()).toBeCloseTo(1, 1);
});

test("a population is the same for the same seed and run, and each tenant's requests do not depend on the others'", () => {
  const options = { seed: 3, run: "run-0", replayed: 20, unpredictable: 0, untilUs: 1e6 };
  const [one, same, other] = [population(options), population(options), population({ ...options, run: "run-1" })];
  expect([...one.arrivals.cost]).toEqual([...same.arrivals.cost]);
  expect([...one.arrivals.cost]).not.toEqual([...other.arrivals.cost]);
  expect(one.tenants.slice(-7)).toEqual(["t1", "t2", "t3", "t4", "t5", "t6", "t7"]);
  const more = population({ ...options, replayed: 30 });
  const costsOf = ({ arrivals, tenants }: Workload, name: string) => {
    const tenant = tenants.indexOf(name);
    return [...arrivals.cost].filter((_, k) => arrivals.tenant[k] === tenant);
  };
  expect(costsOf(more, "p7")).toEqual(costsOf(one, "p7"));
  expect(costsOf(one, "T1").length).toBeGreaterThan(50);
});
