/** Building blocks of simulated services: legs, pools, locks, and what is seen of tenants from outside. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { definePolicy, Rates } from "../../policies/index.js";
import { SeededChance, uniformUs } from "../../simulations/world/chance.js";
import {
  at,
  either,
  holding,
  inOrder,
  Journey,
  type Leg,
  locking,
  pausing,
  sending,
  serving,
  through,
  times,
  transferring,
} from "../../simulations/world/journey.js";
import type { LockMode } from "../../simulations/world/lock.js";
import { Recorder } from "../../simulations/world/recorder.js";
import { ServiceNode } from "../../simulations/world/service-node.js";
import { SimulatedTenant } from "../../simulations/world/tenants.js";
import { Trace } from "../../simulations/world/trace.js";
import { World } from "../../simulations/world/world.js";

const SECOND_US = 1_000_000;

/** When each of these journeys was done, µs. */
function timesOf(world: World, node: ServiceNode, legs: Leg[]): number[] {
  const doneUs = new Array<number>(legs.length).fill(-1);
  legs.forEach((leg, i) => {
    node.receive(new Journey(`t${i}`), leg, () => {
      doneUs[i] = world.clock.nowUs();
    });
  });
  world.run(10 * SECOND_US);
  return doneUs;
}

describe("legs", () => {
  test("follow each other; each machine serves as many at once as it has slots", () => {
    const world = new World({ seed: 1 });
    const node = new ServiceNode(world, "svc", "a");
    const cores = node.station("cores", 2);
    const link = node.link("link", 1e6);
    const leg = inOrder(serving(cores, 1_000), pausing(500), sending(link, 2_000));
    // The third finds both cores busy; the link takes 2 ms for each, one after the other.
    expect(timesOf(world, node, [leg, leg, leg])).toEqual([3_500, 5_500, 7_500]);
  });

  test("are repeated, and chosen anew each time", () => {
    const world = new World({ seed: 1 });
    const node = new ServiceNode(world, "svc", "a");
    const cores = node.station("cores", 1);
    let turn = 0;
    const leg = times(
      4,
      either(() => serving(cores, ++turn * 100)),
    );
    expect(timesOf(world, node, [leg])).toEqual([1_000]);
  });

  test("a pool's member is held as long as what is done with it takes, so others wait for it", () => {
    const world = new World({ seed: 1 });
    const node = new ServiceNode(world, "svc", "a");
    const handlers = node.pool("handlers", 1);
    const cores = node.station("cores", 8);
    const leg = holding(handlers, serving(cores, 1_000));
    expect(timesOf(world, node, [leg, leg, serving(cores, 1_000)])).toEqual([1_000, 2_000, 1_000]);
  });

  test("a journey goes to another service and back, and its resources know the points it passed on the way", () => {
    const world = new World({ seed: 1 });
    const controller = world.startController();
    const front = new ServiceNode(world, "front", "a");
    const back = new ServiceNode(world, "back", "b");
    const disk = back.disk("disk", { seekUs: 8_000, bytesPerSec: 100e6 });
    const read = at(back, through(back.point("read"), transferring(disk, 8_192)));
    const leg = through(front.point("get"), inOrder(read, serving(front.station("cores", 1), 100)));
    const asked = () => front.receive(new Journey("t"), leg, () => world.clock.at(world.clock.nowUs() + 10_000, asked));
    asked();
    world.run(5 * SECOND_US);
    const feeds = Object.fromEntries(controller.view().points.map((point) => [point.name, [...point.feeds].sort()]));
    expect(feeds).toEqual({ "back/read": ["back/disk"], "front/get": ["back/disk", "front/cores"] });
  });

  test("what a throttle holds back is counted in the journey; what it refuses goes no further", () => {
    const rate = (ratePerSec: number) =>
      definePolicy({
        name: "cap",
        params: {},
        decide(view) {
          const rates = new Rates(view);
          for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, ratePerSec);
          return rates;
        },
      });
    const run = (ratePerSec: number) => {
      const world = new World({ seed: 1 });
      world.startController({ policies: [rate(ratePerSec)], config: { policies: { cap: { mode: "enforce" } } } });
      const node = new ServiceNode(world, "svc", "a");
      const cores = node.station("cores", 1);
      let after = 0;
      const leg = inOrder(through(node.point("get"), serving(cores, 1_000)), (_, done) => {
        after++;
        done();
      });
      const recorder = new Recorder(world.clock, world.trace);
      const tenant = new SimulatedTenant(world, recorder, {
        name: "t",
        asking: { clients: 4, thinkUs: 1_000 },
        request: () => ({ node, leg }),
      });
      tenant.start();
      world.run(10 * SECOND_US);
      return { tenant, after };
    };
    const held = run(100).tenant;
    // Four clients, of whom a hundred a second pass: each spends nearly all its time before the throttle.
    expect(held.requests.values[8]).toBeGreaterThan(95);
    expect(held.requests.values[8]).toBeLessThan(105);
    expect(held.heldUs.values[8]).toBeGreaterThan(3.5 * SECOND_US);
    const shut = run(0);
    expect(shut.tenant.requests.values[8]).toBe(0);
    expect(shut.tenant.refused.values[8]).toBeGreaterThan(100);
    expect(shut.after).toBe(shut.tenant.requests.values.reduce((a, b) => a + b, 0));
  });
});

describe("a lock", () => {
  const arrival = fc.record({
    atUs: fc.integer({ min: 0, max: 3_000 }),
    holdUs: fc.integer({ min: 0, max: 400 }),
    mode: fc.constantFrom<LockMode>("read", "write"),
  });

  test("is one writer's or many readers', goes in order of arrival, and is never idle while somebody waits", () => {
    fc.assert(
      fc.property(fc.array(arrival, { minLength: 1, maxLength: 40 }), (arrivals) => {
        const world = new World({ seed: 1 });
        const node = new ServiceNode(world, "svc", "a");
        const lock = node.lock("lock");
        arrivals.sort((a, b) => a.atUs - b.atUs);
        const began: number[] = [];
        const order: number[] = [];
        const inside = new Set<number>();
        arrivals.forEach(({ atUs, holdUs, mode }, i) => {
          const leg = locking(lock, mode, (_, done) => {
            began[i] = world.clock.nowUs();
            order.push(i);
            inside.add(i);
            if (mode === "write") expect(inside.size).toBe(1);
            else for (const other of inside) expect(arrivals[other].mode).toBe("read");
            world.clock.at(world.clock.nowUs() + holdUs, () => {
              inside.delete(i);
              done();
            });
          });
          world.clock.at(atUs, () => node.receive(new Journey("t"), leg, () => {}));
        });
        world.run(SECOND_US);
        expect(order).toEqual(arrivals.map((_, i) => i));
        // The dumb oracle: each begins when it is there, the one before has begun, and all it cannot share with have ended.
        let lastUs = 0;
        arrivals.forEach(({ atUs, mode }, i) => {
          let fromUs = Math.max(atUs, lastUs);
          for (let k = 0; k < i; k++) {
            if (mode === "write" || arrivals[k].mode === "write") fromUs = Math.max(fromUs, began[k] + arrivals[k].holdUs);
          }
          expect(began[i]).toBe(fromUs);
          lastUs = fromUs;
        });
        expect(lock.waiting).toBe(0);
      }),
    );
  });

  test("what its holders use adds up to the time it is held, readers sharing theirs", () => {
    const world = new World({ seed: 1 });
    const controller = world.startController({ config: { halfLifeWindows: 4 } });
    const node = new ServiceNode(world, "svc", "a");
    let heldUs = 0;
    let holders = 0;
    let sinceUs = 0;
    const lock = node.lock("lock");
    const chance = new SeededChance(1, "holds");
    const hold: Leg = (_, done) => {
      if (holders++ === 0) sinceUs = world.clock.nowUs();
      world.clock.at(world.clock.nowUs() + uniformUs(chance, 500, 1_500), () => {
        if (--holders === 0) heldUs += world.clock.nowUs() - sinceUs;
        done();
      });
    };
    const recorder = new Recorder(world.clock, world.trace);
    const tenant = (name: string, mode: LockMode, clients: number) => {
      const leg = locking(lock, mode, hold);
      const plan = { name, asking: { clients, thinkUs: 20_000 }, request: () => ({ node, leg }) };
      new SimulatedTenant(world, recorder, plan).start();
    };
    tenant("reader", "read", 20);
    tenant("writer", "write", 4);
    world.run(60 * SECOND_US);
    const [view] = controller.view().resources;
    const loads = Object.fromEntries(Object.entries(view.tenants).map(([id, { load }]) => [id, load]));
    const held = heldUs / 60;
    expect(loads.reader + loads.writer).toBeGreaterThan(0.95 * held);
    expect(loads.reader + loads.writer).toBeLessThan(1.05 * held);
    // Counted whole, readers would use more than there is.
    expect(view.busyUsPerSec).toBeGreaterThan(1.3 * held);
    // 4 writers of about 1 ms and 22 ms a turn; readers come five times as often, several at a time.
    expect(loads.writer).toBeGreaterThan(120_000);
    expect(loads.reader).toBeLessThan(3.5 * loads.writer);
    expect(view.slowdown).toBeGreaterThan(1.1);
  });
});

describe("samples", () => {
  test("are kept by window", () => {
    const world = new World({ seed: 1 });
    const recorder = new Recorder(world.clock, new Trace(), 100);
    const samples = recorder.samples();
    for (const [atUs, value] of [
      [10, 5],
      [20, 7],
      [120, 1],
    ]) {
      world.clock.at(atUs, () => samples.add(value));
    }
    world.clock.run(310);
    expect(samples.values).toEqual([[5, 7], [1], []]);
    expect(samples.quantiles(1)).toEqual([7, 1, Number.NaN]);
    expect(recorder.samples().values).toEqual([[], [], []]);
  });
});
