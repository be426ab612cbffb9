/** Bugs that other systems of this kind had, each as a test of ours. Those that live in agents are tested there. */
import { describe, expect, test } from "vitest";
import { Controller, memoryStore } from "../../controller/index.js";
import { definePolicy, Rates } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { bench, FakeAgent, fixedChance } from "./harness.js";

function fixed(rate: number) {
  return definePolicy({
    name: "fixed",
    params: { rate },
    decide: (view, { rate }) => {
      const rates = new Rates(view);
      for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, rate);
      return rates;
    },
  });
}

function fleet(size: number, rate = 100) {
  const setup = bench({ policies: [fixed(rate)] });
  const agents = Array.from({ length: size }, (_, i) => new FakeAgent(setup.controller, "svc", `i${i}`).connect());
  const windows = (count: number, demand: (i: number) => number) => {
    for (let w = 0; w < count; w++) {
      for (const [i, agent] of agents.entries()) agent.report({ "p:front": { t: { count: demand(i), cost: demand(i) } } });
      setup.run(1);
    }
  };
  const total = (column: "ratePerSec" | "fallbackPerSec") =>
    agents.reduce((sum, agent) => sum + (agent.rate("svc/front", "t", column) ?? Number.NaN), 0);
  return { ...setup, agents, windows, total };
}

describe("bugs of others", () => {
  test("the whole limit given to every node on fallback: fallbacks together stay within the rate", () => {
    const { windows, total } = fleet(7);
    windows(4, (i) => i * 10);
    expect(total("fallbackPerSec")).toBeLessThanOrEqual(100);
    expect(total("fallbackPerSec")).toBeGreaterThan(95);
  });

  test("concurrent cold misses lease the capacity many times: all join at once, and the sum is the rate", () => {
    const { agents, controller, run, windows, total } = fleet(3);
    windows(3, () => 30);
    const late = Array.from({ length: 20 }, (_, i) => new FakeAgent(controller, "svc", `late${i}`).connect());
    run(0.1);
    const joined = late.reduce((sum, agent) => sum + agent.rate("svc/front", "t")!, 0);
    expect(total("ratePerSec") + joined).toBeLessThanOrEqual(100 * (1 + 1e-9));
    expect(Math.min(...late.map((agent) => agent.rate("svc/front", "t")!))).toBeGreaterThan(0);
    expect(agents).toHaveLength(3);
  });

  test("double counting halves the limit: a report said twice changes nothing", () => {
    const { agents, controller, run, windows } = fleet(1);
    windows(2, () => 80);
    const report = agents[0].build({ "p:front": { t: { count: 80, cost: 80 } } });
    agents[0].send(report);
    agents[0].send(report);
    agents[0].send({ ...report });
    run(1);
    expect(controller.view().points[0].tenants.t.throughputPerSec).toBeCloseTo(80, 6);
    expect(controller.counters.duplicateReports).toBe(2);
    expect(agents[0].acknowledgements.slice(-3).map(({ sequence }) => sequence)).toEqual([3, 3, 3]);
  });

  test("a hot client held to an equal slot: all demand at one of ten instances finds 90 % of the rate there", () => {
    const { agents, windows, total } = fleet(10);
    windows(6, (i) => (i === 4 ? 90 : 0));
    expect(agents[4].rate("svc/front", "t")).toBeGreaterThan(90);
    expect(total("ratePerSec")).toBeLessThanOrEqual(100);
  });

  test("demand moves, and the rate follows within three windows", () => {
    const { agents, windows } = fleet(10);
    windows(6, (i) => (i === 4 ? 90 : 0));
    windows(3, (i) => (i === 5 ? 90 : 0));
    expect(agents[5].rate("svc/front", "t")).toBeGreaterThan(80);
  });

  test("an omitted tenant becomes unthrottled by accident: what is not listed is not limited on purpose, and all limits are listed", () => {
    const { agents, controller, run } = fleet(1);
    for (let w = 0; w < 3; w++) {
      agents[0].report({ "p:front": { t: { count: 1, cost: 1 }, u: { count: 1, cost: 1 } } });
      run(1);
    }
    agents[0].report({ "p:front": { t: { count: 1, cost: 1 } } });
    run(1);
    // u had nothing to tell in the last report, and is limited still.
    expect(agents[0].rate("svc/front", "u")).toBeCloseTo(99, 6);
    expect(controller.view().points[0].tenants.u.ratePerSec).toBe(100);
  });

  test("0/0 demand gives NaN and is accepted: no demand anywhere gives even, finite shares", () => {
    const { agents, windows } = fleet(4);
    windows(4, () => 0);
    for (const agent of agents) expect(agent.rate("svc/front", "t")).toBeCloseTo(24.75, 9);
  });

  test("a zero limit still admits: zero is sent as zero", () => {
    const { agents, windows } = fleet(2, 0);
    windows(6, () => 10);
    for (const agent of agents) expect(agent.rate("svc/front", "t")).toBe(0);
  });

  test("dead instances keep their share: it returns to the others when the lease is over", () => {
    const { agents, controller, run } = fleet(2);
    const report = (agent: FakeAgent) => agent.report({ "p:front": { t: { count: 50, cost: 50 } } });
    for (let w = 0; w < 4; w++) {
      for (const agent of agents) report(agent);
      run(1);
    }
    expect(agents[0].rate("svc/front", "t")).toBeLessThan(52);
    agents[1].cut();
    for (let w = 0; w < 8; w++) {
      report(agents[0]);
      run(1);
    }
    expect(agents[0].rate("svc/front", "t")).toBeCloseTo(99, 6);
    expect(controller.counters.instancesDied).toBe(1);
  });

  test("a safe capacity never applied, a setting accepted but reverted: what was set is in force after the next tick, and stays", () => {
    const { agents, controller, windows } = fleet(1);
    windows(2, () => 10);
    controller.setPolicy("fixed", { params: { rate: 5 } });
    windows(3, () => 10);
    expect(agents[0].rate("svc/front", "t")).toBeCloseTo(4.95, 9);
    expect(controller.listPolicies()[0].params).toEqual({ rate: 5 });
  });

  test("a blocked consumer stalls the loop: an instance that acknowledges nothing stops nobody", () => {
    const { agents, windows } = fleet(2);
    agents[1].acknowledges = false;
    windows(20, () => 50);
    expect(agents[0].allocations.length).toBeGreaterThan(20);
    expect(agents[0].rate("svc/front", "t")).toBeGreaterThan(40);
    expect(agents[1].allocations.length).toBeGreaterThan(5);
  });

  test("crash loop when the store is away: a running controller goes on deciding", () => {
    const inner = memoryStore();
    let away = false;
    const clock = new VirtualClock();
    const controller = new Controller({
      clock,
      chance: fixedChance(),
      policies: [fixed(100)],
      store: {
        load: (done) => inner.load(done),
        save: (state, done) => (away ? done(new TenantryError("STORE_UNAVAILABLE", "away")) : inner.save(state, done)),
      },
    });
    controller.start(() => {});
    away = true;
    controller.setTenant("t", { weight: 2 });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    for (let w = 0; w < 5; w++) {
      agent.report({ "p:front": { t: { count: 10, cost: 10 } } });
      clock.run(clock.nowUs() + 1_000_000);
    }
    expect(agent.rate("svc/front", "t")).toBeCloseTo(99, 6);
    expect(controller.counters.storeFailures).toBeGreaterThan(3);
  });

  test("a late tick is as right as one in time: rates follow from time covered, and no tick is made up for", () => {
    class Stalling extends VirtualClock {
      stalledUs = 0;
      override at(whenUs: number, act: () => void) {
        return super.at(Math.max(whenUs, this.stalledUs), act);
      }
    }
    const clock = new Stalling();
    const { controller, run } = bench({ policies: [fixed(100)], clock });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    agent.report({ "p:front": { t: { count: 70, cost: 70 } } });
    clock.stalledUs = 2_700_000;
    run(1);
    agent.report({ "p:front": { t: { count: 70, cost: 70 } } });
    agent.report({ "p:front": { t: { count: 70, cost: 70 } } });
    run(3);
    expect(controller.counters.lateTicks).toBe(1);
    // At 1, 2.7, 3 and 4 seconds.
    expect(controller.counters.ticks).toBe(4);
    expect(controller.view().points[0].tenants.t.throughputPerSec).toBeCloseTo(70, 6);
  });
});
