/** What policies see: demand, slowdown, feeds, latency. */
import { describe, expect, test } from "vitest";
import { definePolicy, Rates, type View } from "../../policies/index.js";
import { bench, FakeAgent, type Happenings } from "./harness.js";

/** The view a policy is given after these reports, one per instance and window. */
function viewOf(
  reports: { happenings: Happenings; feeds?: [string, string][]; service?: string; instance?: string }[],
  windows = 1,
): View {
  let seen: View | undefined;
  const spy = definePolicy({
    name: "spy",
    params: {},
    decide: (view) => {
      seen = view;
      return new Rates(view);
    },
  });
  const { controller, run } = bench({ policies: [spy] });
  const agents = reports.map(({ service, instance }, i) =>
    new FakeAgent(controller, service ?? "svc", instance ?? `i${i}`).connect(),
  );
  for (let w = 0; w < windows; w++) {
    for (const [i, { happenings, feeds }] of reports.entries()) agents[i].report(happenings, { feeds: w === 0 ? feeds : [] });
    run(1);
  }
  return seen!;
}

function of(view: View, tenant: string) {
  const found = view.tenants.find(({ id }) => id === tenant)!;
  return {
    load: view.resources.map((resource) => resource.load(found)),
    demand: view.resources.map((resource) => resource.demand(found)),
    latencyUs: view.resources.map((resource) => resource.latency(found)),
    throughput: view.points.map((point) => point.throughput(found)),
    waiting: view.points.map((point) => point.waiting(found)),
  };
}

describe("one window", () => {
  test("instances add up; slowdown is that of all work together, and the hottest instance is named", () => {
    const view = viewOf([
      { happenings: { "r:disk": { t: { count: 10, serviceUs: 100_000, waitUs: 100_000 } } }, instance: "cool" },
      { happenings: { "r:disk": { t: { count: 10, serviceUs: 100_000, waitUs: 900_000 } } }, instance: "hot" },
    ]);
    const [disk] = view.resources;
    expect(disk.slowdown).toBeCloseTo(6, 9);
    expect(disk.hottest).toEqual({ instance: "hot", slowdown: expect.closeTo(10, 9) });
    expect(of(view, "t").load[0]).toBeCloseTo(200_000, 6);
    expect(of(view, "t").latencyUs[0]).toBeCloseTo(60_000, 6);
  });

  test("time resources count work still running; others what the service counts", () => {
    const view = viewOf([
      {
        happenings: {
          "r:pool": { t: { serviceUs: 500_000, running: 1 } },
          "r:net:bytes": { t: { count: 2, cost: 4_096, serviceUs: 10 } },
        },
      },
    ]);
    expect(of(view, "t").load).toEqual([expect.closeTo(500_000, 6), expect.closeTo(4_096, 6)]);
  });

  test("throttled time is no slowdown", () => {
    const view = viewOf([
      {
        happenings: {
          "r:disk": { t: { count: 1, serviceUs: 1_000 } },
          "p:front": { t: { count: 1, cost: 1, throttleUs: 5_000_000, throttled: 9 } },
        },
      },
    ]);
    expect(view.resources[0].slowdown).toBe(1);
  });

  test("nothing at all divides nothing by zero", () => {
    const view = viewOf([{ happenings: { "r:disk": { t: {} }, "p:front": { t: {} } }, feeds: [["svc/front", "r:disk"]] }]);
    const { load, demand, latencyUs } = of(view, "t");
    expect([...load, ...demand, ...latencyUs]).toEqual([0, 0, 0]);
    expect(view.resources[0].slowdown).toBe(1);
  });

  test("work that waits where nothing is served is very slow, and finite", () => {
    const view = viewOf([{ happenings: { "r:disk": { t: { waitUs: 1_000_000, waiting: 1 } } } }]);
    expect(view.resources[0].slowdown).toBeCloseTo(1e6, 3);
  });
});

describe("demand", () => {
  const disk = { "r:disk": { a: { count: 100, serviceUs: 400_000 }, b: { count: 100, serviceUs: 400_000 } } };

  test("is the load when nothing waits", () => {
    const view = viewOf([{ happenings: disk }]);
    expect(of(view, "a").demand[0]).toBeCloseTo(400_000, 6);
  });

  test("does not count what waits in the resource's own queue: there everybody waits for a flood", () => {
    const view = viewOf([{ happenings: { "r:disk": { a: { count: 100, serviceUs: 400_000, waiting: 50 } } } }]);
    expect(of(view, "a").demand[0]).toBeCloseTo(400_000, 6);
  });

  test("counts what the throttle holds back, in cost units, at points that feed the resource only", () => {
    const front = { a: { count: 100, cost: 300, throttled: 100 }, b: { count: 100, cost: 100 } };
    const fed = viewOf([{ happenings: { ...disk, "p:front": front }, feeds: [["svc/front", "r:disk"]] }]);
    expect(of(fed, "a").demand[0]).toBeCloseTo(800_000, 6);
    expect(of(fed, "a").waiting[0]).toBeCloseTo(300, 9);
    expect(of(fed, "b").demand[0]).toBeCloseTo(400_000, 6);
    const other = viewOf([{ happenings: { ...disk, "p:front": front } }]);
    expect(of(other, "a").demand[0]).toBeCloseTo(400_000, 6);
  });

  test("counts what waited on average, when a glance at the window's end sees none", () => {
    const front = { a: { count: 100, cost: 100, throttleUs: 50_000_000, throttled: 0 } };
    const view = viewOf([{ happenings: { ...disk, "p:front": front }, feeds: [["svc/front", "r:disk"]] }]);
    expect(of(view, "a").demand[0]).toBeCloseTo(600_000, 6);
  });

  test("of a tenant that got nothing through is judged by everybody's cost: a starved tenant is not a satisfied one", () => {
    const front = { a: { count: 100, cost: 100 }, b: { count: 100, cost: 100 }, starved: { throttled: 20 } };
    const view = viewOf([{ happenings: { ...disk, "p:front": front }, feeds: [["svc/front", "r:disk"]] }]);
    expect(of(view, "starved").load[0]).toBe(0);
    expect(of(view, "starved").demand[0]).toBeCloseTo(20 * 4_000, 6);
  });
});

describe("slots", () => {
  const busy = { t: { count: 10, serviceUs: 1_000 } };

  test("of a resource are those of all live instances together; not known when one of them has not told", () => {
    const told = viewOf([{ happenings: { "r:disk:us:4": busy } }, { happenings: { "r:disk:us:2": busy } }]);
    expect(told.resources.map(({ slots }) => slots)).toEqual([6]);
    const half = viewOf([{ happenings: { "r:disk:us:4": busy } }, { happenings: { "r:disk": busy } }]);
    expect(half.resources.map(({ slots }) => slots)).toEqual([0]);
  });
});

describe("feeds", () => {
  test("a point in front of another service's resource is known to lead there", () => {
    const view = viewOf([
      { service: "gateway", happenings: { "p:in": { t: { count: 10, cost: 10 } } } },
      { service: "storage", happenings: { "r:disk": { t: { count: 10, serviceUs: 1_000 } } }, feeds: [["gateway/in", "r:disk"]] },
    ]);
    expect(view.points.map((point) => [point.name, point.feeds(view.resources[0])])).toEqual([["gateway/in", true]]);
  });

  test("a point that does not lead to the bottleneck is left alone; the one that does is limited", () => {
    const { controller, run } = bench();
    const agent = new FakeAgent(controller, "svc", "a").connect();
    for (let w = 0; w < 4; w++) {
      agent.report(
        {
          "r:disk": {
            flood: { count: 900, serviceUs: 900_000, waitUs: 90_000_000, waiting: 90 },
            small: { count: 50, serviceUs: 50_000, waitUs: 5_000_000, waiting: 5 },
          },
          "p:write": { flood: { count: 900, cost: 900 }, small: { count: 50, cost: 50 } },
          "p:ping": { flood: { count: 9_000, cost: 9_000 } },
        },
        { feeds: w === 0 ? [["svc/write", "r:disk"]] : [] },
      );
      run(1);
    }
    expect(agent.rate("svc/write", "flood")).toBeLessThan(900);
    expect(agent.rate("svc/write", "small")).toBe(undefined);
    expect(agent.rate("svc/ping", "flood")).toBe(undefined);
    const { points } = controller.view();
    expect(points.find(({ name }) => name === "svc/write")!.tenants.flood.reason).toEqual({
      policy: "bottleneck-fairness",
      resource: "svc/disk",
    });
    expect(points.find(({ name }) => name === "svc/ping")!.tenants.flood.ratePerSec).toBe(null);
  });
});

describe("time", () => {
  const steady = { "r:disk": { t: { count: 100, serviceUs: 400_000 } } };

  test("an instance whose report is late holds its last figures; a dead one leaves the view", () => {
    const { controller, run } = bench();
    const agents = ["a", "b"].map((name) => new FakeAgent(controller, "svc", name).connect());
    for (const agent of agents) agent.report(steady);
    run(1);
    expect(controller.view().resources[0].load).toBeCloseTo(800_000, 3);
    for (let w = 0; w < 3; w++) {
      agents[0].report(steady);
      run(1);
      if (w < 2) expect(controller.view().resources[0].load).toBeCloseTo(800_000, 3);
    }
    agents[0].report(steady);
    run(1);
    expect(controller.view().resources[0].load).toBeCloseTo(400_000, 3);
    expect(controller.view().instances.map(({ instance, live }) => [instance, live])).toEqual([
      ["a", true],
      ["b", false],
    ]);
  });

  test("two reports in one tick, or one that covers two windows, are no double load", () => {
    const { controller, run } = bench();
    const agent = new FakeAgent(controller, "svc", "a").connect();
    agent.report(steady);
    agent.report(steady);
    run(1);
    expect(controller.view().resources[0].load).toBeCloseTo(400_000, 3);
    agent.report({ "r:disk": { t: { count: 200, serviceUs: 800_000 } } }, { windowUs: 2_000_000 });
    run(1);
    expect(controller.view().resources[0].load).toBeCloseTo(400_000, 3);
  });
});
