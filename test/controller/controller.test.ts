/** Start, restart, settings, modes, and what is told. */
import { describe, expect, test } from "vitest";
import { Controller, type ControllerEvent, memoryStore, type State, type StateStore } from "../../controller/index.js";
import { definePolicy, Rates } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { bench, FakeAgent, fixedChance } from "./harness.js";

const hundred = definePolicy({
  name: "hundred",
  params: { rate: 100 },
  decide: (view, { rate }) => {
    const rates = new Rates(view);
    for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, rate);
    return rates;
  },
});
const use = { "p:front": { t: { count: 80, cost: 80 } } };

function limited(options: Parameters<typeof bench>[0] = {}) {
  const setup = bench({ policies: [hundred], ...options });
  const agent = new FakeAgent(setup.controller, "svc", "a").connect();
  const windows = (count: number) => {
    for (let i = 0; i < count; i++) {
      agent.report(use);
      setup.run(1);
    }
  };
  windows(2);
  return { ...setup, agent, windows };
}

describe("the epoch", () => {
  test("grows with every start and is kept before anybody is served", () => {
    const store = memoryStore();
    for (const epoch of [1, 2, 3]) {
      const { controller } = bench({ store });
      expect(controller.epoch).toBe(epoch);
      expect(store.state?.epoch).toBe(epoch);
      const agent = new FakeAgent(controller, "svc", "a").connect();
      expect(agent.welcome?.epoch).toBe(epoch);
    }
  });

  test("a store that is away is tried again, with pauses, and nobody is served meanwhile", () => {
    let fails = 2;
    const inner = memoryStore();
    const store: StateStore = {
      load: (done) => (fails-- > 0 ? done(new TenantryError("STORE_UNAVAILABLE", "away"), undefined) : inner.load(done)),
      save: (state, done) => inner.save(state, done),
    };
    const clock = new VirtualClock();
    const controller = new Controller({ clock, chance: fixedChance(), store });
    let outcome: TenantryError | "ok" | undefined;
    controller.start((error) => {
      outcome = error ?? "ok";
    });
    expect(outcome).toBe(undefined);
    expect(new FakeAgent(controller, "svc", "a").connect().refused).toMatchObject({ code: "UNAVAILABLE" });
    clock.run(10_000_000);
    expect(outcome).toBe("ok");
    expect(controller.counters.storeFailures).toBe(2);
  });

  test("a store that stays away is an error after some seconds, not an endless loop", () => {
    const store: StateStore = {
      load: (done) => done(new TenantryError("STORE_UNAVAILABLE", "away"), undefined),
      save: (_state, done) => done(),
    };
    const clock = new VirtualClock();
    let outcome: TenantryError | undefined;
    new Controller({ clock, chance: fixedChance(), store }).start((error) => {
      outcome = error;
    });
    clock.run(60_000_000);
    expect(outcome).toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(clock.pending).toBe(0);
  });

  test("a corrupt store with a version before it is told, and that version used", () => {
    const kept: State = { version: 1, epoch: 41, tenants: { t: { weight: 3 } }, policies: {}, points: {} };
    const inner = memoryStore();
    const store: StateStore = {
      load: (done) => done(new TenantryError("STORE_CORRUPT", "torn"), kept),
      save: (state, done) => inner.save(state, done),
    };
    const { controller, events } = bench({ store });
    expect(controller.epoch).toBe(42);
    expect(controller.listTenants()).toContainEqual({ tenant: "t", weight: 3, mode: "enforce" });
    expect(events.some(({ kind, code }) => kind === "store" && code === "STORE_CORRUPT")).toBe(true);
  });
});

describe("learning", () => {
  test("a new controller sends back what is held for one window, then decides; the sum is never more", () => {
    const { agent, controller: old } = limited();
    const held = agent.held!;
    old.stop(() => {});
    let decided = 0;
    const other = definePolicy({
      name: "other",
      params: {},
      decide: (view) => {
        decided++;
        const rates = new Rates(view);
        for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, 10);
        return rates;
      },
    });
    const { controller, run } = bench({
      policies: [other],
      store: memoryStore({ version: 1, epoch: old.epoch, tenants: {}, policies: {}, points: {} }),
    });
    const again = new FakeAgent(controller, "svc", "a", agent.boot);
    again.connect(held);
    const joiner = new FakeAgent(controller, "svc", "b").connect();
    run(0.5);
    expect(again.last!.epoch).toBe(2);
    expect(controller.view().learning).toBe(true);
    expect(decided).toBe(0);
    const before = held.ratePerSec[0];
    expect(again.rate("svc/front", "t")).toBeLessThanOrEqual(before);
    expect(again.rate("svc/front", "t")).toBeGreaterThan(0.9 * before);
    const joined = joiner.rate("svc/front", "t")!;
    expect(joined).toBeGreaterThan(0);
    expect(joined + before).toBeLessThanOrEqual(before / 0.99 + 1e-9);
    again.report(use);
    run(1.5);
    expect(decided).toBeGreaterThan(0);
    expect(controller.view().learning).toBe(false);
    expect(again.rate("svc/front", "t")).toBeLessThan(11);
  });

  test("the reason is told on", () => {
    const { agent } = limited();
    const { controller, run } = bench({ policies: [hundred] });
    const again = new FakeAgent(controller, "svc", "a");
    again.connect(agent.held);
    run(0.1);
    expect(again.last!.reasons).toEqual(agent.held!.reasons);
  });
});

describe("modes", () => {
  test.each(["policy", "point", "tenant", "everything"] as const)("%s: off, observe and enforce are in force at once", (what) => {
    const { agent, controller, run } = limited();
    const set = (mode: "off" | "observe" | "enforce") => {
      if (what === "policy") controller.setPolicy("hundred", { mode });
      else if (what === "point") controller.setPoint("svc/front", { mode });
      else if (what === "tenant") controller.setTenant("t", { mode });
      else controller.setMode(mode);
      run(0.01);
    };
    const shadow = () => controller.view().points[0].tenants.t.shadowRatePerSec;
    expect(agent.rate("svc/front", "t")).toBeCloseTo(99, 9);
    set("observe");
    expect([agent.rate("svc/front", "t"), shadow()]).toEqual([undefined, 100]);
    set("enforce");
    expect([agent.rate("svc/front", "t"), shadow()]).toEqual([expect.closeTo(99, 9), null]);
    set("off");
    expect([agent.rate("svc/front", "t"), shadow()]).toEqual([undefined, null]);
  });

  test("off for one tenant leaves the others limited", () => {
    const { agent, controller, run, windows } = limited();
    agent.report({ "p:front": { t: { count: 1, cost: 1 }, u: { count: 1, cost: 1 } } });
    controller.setTenant("t", { mode: "off" });
    run(1);
    windows(1);
    expect([agent.rate("svc/front", "t"), agent.rate("svc/front", "u")]).toEqual([undefined, expect.closeTo(99, 6)]);
  });
});

describe("settings", () => {
  test("survive a restart, and win over the configuration", () => {
    const store = memoryStore();
    const config = { tenants: { t: { weight: 2 } }, policies: { hundred: { params: { rate: 50 } } } };
    const first = bench({ store, config, policies: [hundred] }).controller;
    expect(first.setTenant("t", { weight: 5 })).toEqual({ tenant: "t", weight: 5, mode: "enforce" });
    first.setTenant("__proto__", { weight: 4 });
    first.setPolicy("hundred", { params: { rate: 70 } });
    first.setPoint("svc/front", { mode: "observe" });
    first.setMode("observe");
    const second = bench({ store, config, policies: [hundred] }).controller;
    expect(second.listTenants()).toEqual([
      { tenant: "__proto__", weight: 4, mode: "enforce" },
      { tenant: "t", weight: 5, mode: "enforce" },
    ]);
    expect(second.listPolicies()).toEqual([{ policy: "hundred", mode: "enforce", params: { rate: 70 } }]);
    expect(second.listPoints()).toEqual([{ point: "svc/front", mode: "observe" }]);
    expect(second.view().mode).toBe("observe");
  });

  test("weights go to the agents, and a parameter to the next decision", () => {
    const { agent, controller, windows } = limited();
    controller.setTenant("t", { weight: 2.5 });
    controller.setPolicy("hundred", { params: { rate: 20 } });
    windows(1);
    expect([agent.last!.weightTenants, agent.last!.weights]).toEqual([["t"], [2.5]]);
    expect(agent.rate("svc/front", "t")).toBeCloseTo(19.8, 9);
  });

  test("bad ones are refused whole, with every mistake", () => {
    const { controller } = limited();
    expect(() => controller.setTenant("t", { weight: 0, mode: "on" as never })).toThrow(/weight.*mode/);
    expect(() => controller.setTenant("", { weight: 1 })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    expect(() => controller.setPolicy("hundred", { params: { speed: 1, rate: Number.NaN } })).toThrow(/speed.*rate/);
    expect(() => controller.setPolicy("nothing", {})).toThrow(expect.objectContaining({ code: "UNKNOWN" }));
    expect(() => controller.setPoint("front", { mode: "off" })).toThrow(/service\/point/);
    expect(() => controller.setMode("loud" as never)).toThrow(/expected "off"/);
    expect(() => controller.setTenant("t", { wieght: 2 } as object)).toThrow(
      /tenants\."t"\."wieght": no such setting; there are weight/,
    );
    expect(() => controller.setTenant("t", null as never)).toThrow(/tenants\."t": null; expected settings/);
    expect(() => controller.setTenant("t", { caps: 5 as never })).toThrow(/tenants\."t"\.caps: 5; expected rates by point/);
    expect(() => controller.setPolicy("hundred", { params: 5 as never })).toThrow(/params: 5; expected numbers by name/);
    expect(() => controller.setPolicy("hundred", { mdoe: "off" } as object)).toThrow(
      /"mdoe": no such setting; there are mode, params/,
    );
    expect(() => controller.setPoint("svc/front", { rate: 5 } as object)).toThrow(/"rate": no such setting; there are mode/);
    expect(controller.listTenants()).toEqual([{ tenant: "t", weight: 1, mode: "enforce" }]);
  });

  test("a configuration is refused whole, every mistake with its place", () => {
    const config = { windowUs: 5, nonsense: 1, tenants: { t: { weight: -1 } }, policies: { none: {} }, points: { x: {} } };
    const make = () =>
      new Controller({ clock: new VirtualClock(), chance: fixedChance(), store: memoryStore(), config: config as never });
    expect(make).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
    for (const place of ["windowUs", "nonsense", 'tenants."t".weight', 'policies."none"', 'points."x"'])
      expect(make).toThrow(place);
  });

  test("while the store is away a change is in force, the caller is told, and it is saved later", () => {
    let away = false;
    const inner = memoryStore();
    const store: StateStore = {
      load: (done) => inner.load(done),
      save: (state, done) => (away ? done(new TenantryError("STORE_UNAVAILABLE", "away")) : inner.save(state, done)),
    };
    const { agent, controller, run, events } = limited({ store });
    away = true;
    let told: TenantryError | undefined;
    controller.setTenant("t", { mode: "off" }, (error) => {
      told = error;
    });
    run(0.01);
    expect(told).toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(agent.rate("svc/front", "t")).toBe(undefined);
    run(2);
    expect(inner.state?.tenants.t).toBe(undefined);
    away = false;
    run(1);
    expect(inner.state?.tenants.t).toEqual({ mode: "off" });
    expect(events.filter(({ kind }) => kind === "store")).toHaveLength(2);
  });
});

describe("sessions", () => {
  test("a bad report ends that stream alone, is counted, and changes nothing", () => {
    const { agent, controller, events } = limited();
    const other = new FakeAgent(controller, "svc", "b").connect();
    const report = agent.build(use);
    report.rows[0].tenant = [77];
    agent.send(report);
    expect(agent.closed).toMatchObject({ code: "BAD_MESSAGE" });
    expect(other.closed).toBe(undefined);
    expect(controller.counters.badMessages).toBe(1);
    expect(events.at(-1)).toMatchObject({ kind: "refused", code: "BAD_MESSAGE" });
  });

  test("a report that continues what was not applied ends the stream; the next one agrees on where to go on", () => {
    const { agent, controller } = limited();
    agent.report(use, { base: 1, sequence: 9 });
    expect(agent.closed).toMatchObject({ code: "BAD_SEQUENCE" });
    agent.connect();
    expect(agent.welcome?.appliedSequence).toBe(2);
    agent.sequence = 9;
    agent.report(use);
    expect(agent.acknowledged).toBe(10);
    expect(controller.counters.badSequences).toBe(1);
  });

  test("a second stream of the same instance takes the place of the first", () => {
    const { agent, controller } = limited();
    const twin = new FakeAgent(controller, "svc", "a").connect();
    expect(agent.closed).toMatchObject({ code: "CLOSED" });
    expect(twin.welcome?.appliedSequence).toBe(2);
    expect(controller.view().instances).toHaveLength(1);
  });

  test("a restart begins anew and leaves nothing of the old boot in the view", () => {
    const { agent, controller, run } = limited();
    agent.cut();
    const reborn = new FakeAgent(controller, "svc", "a", "b2").connect();
    expect(reborn.welcome?.appliedSequence).toBe(0);
    reborn.report({ "p:front": { t: { count: 8, cost: 8 } } });
    run(1);
    expect(controller.view().points[0].tenants.t.throughputPerSec).toBeCloseTo(8, 6);
  });

  test("stop closes every stream, forgets every alarm, and serves no more", () => {
    const { agent, controller, clock } = limited();
    let stopped = false;
    controller.stop(() => {
      stopped = true;
    });
    expect([stopped, agent.closed?.code, controller.serving, clock.pending]).toEqual([true, "UNAVAILABLE", false, 0]);
  });

  test("a broadcast to many goes out in slices, and reaches all", () => {
    const { controller, run } = bench({ policies: [hundred] });
    const agents = Array.from({ length: 600 }, (_, i) => new FakeAgent(controller, "svc", `i${i}`).connect());
    run(0.5);
    expect(agents.every((agent) => agent.allocations.length === 1)).toBe(true);
  });
});

test("one whose state another has taken over stops by itself, and says so", () => {
  const inner = memoryStore();
  let taken = false;
  const store: StateStore = {
    load: inner.load,
    save: (state, done) =>
      taken ? done(new TenantryError("STORE_IN_USE", "another controller (epoch 9) has taken over")) : inner.save(state, done),
  };
  const events: ControllerEvent[] = [];
  const clock = new VirtualClock();
  const controller = new Controller({ clock, chance: fixedChance(), store, onEvent: (event) => events.push(event) });
  controller.start(() => {});
  const agent = new FakeAgent(controller, "svc", "a").connect();
  taken = true;
  clock.run(3_000_000);
  expect([controller.serving, agent.closed?.code, clock.pending]).toEqual([false, "UNAVAILABLE", 0]);
  expect(events.at(-1)).toMatchObject({ kind: "stopped", code: "STORE_IN_USE" });
  expect(events.filter(({ kind }) => kind === "stopped")).toHaveLength(1);
});

describe("explain", () => {
  test("says who is slowed down, by which rule, because of which resource, and what would help", () => {
    const { controller, run } = bench();
    const agent = new FakeAgent(controller, "storage", "a").connect();
    for (let w = 0; w < 3; w++) {
      agent.report(
        {
          "r:disk": {
            flood: { count: 900, serviceUs: 900_000, waitUs: 90_000_000, waiting: 90 },
            small: { count: 50, serviceUs: 50_000, waitUs: 5_000_000, waiting: 5 },
          },
          "p:read": { flood: { count: 900, cost: 900, throttled: 12 }, small: { count: 50, cost: 50 } },
        },
        { feeds: w === 0 ? [["storage/read", "r:disk"]] : [] },
      );
      run(1);
    }
    const flood = controller.explain("flood");
    expect(flood.sentence).toMatch(
      /^flood is slowed down to \d+ requests per second at storage\/read, where 12 requests of it wait now, by bottleneck-fairness, because storage\/disk is \d+ times as slow as when calm and flood makes up 95 % of its load\. What would help: requests that need less of storage\/disk, a higher weight \(now 1\) \(next in line is small with 5 %\), or more capacity behind storage\/disk\.$/,
    );
    expect(flood.limits).toHaveLength(1);
    expect(flood.limits[0]).toMatchObject({
      point: "storage/read",
      mode: "enforce",
      policy: "bottleneck-fairness",
      resource: "storage/disk",
    });
    expect(controller.explain("small").sentence).toMatch(
      /^No rule in force slows small down\. The slowest resource it uses is storage\/disk, \d+ times as slow as when calm; small makes up 5 % of its load, flood makes up 95 %\.$/,
    );
    controller.setPolicy("bottleneck-fairness", { mode: "observe" });
    run(0.01);
    expect(controller.explain("flood").sentence).toMatch(
      /^No rule in force slows flood down\. flood would be slowed down, were that enforced, to/,
    );
    expect(controller.explain("nobody")).toMatchObject({
      known: false,
      sentence: "nobody has not been seen lately, and nothing limits it.",
    });
    expect(() => controller.explain("")).toThrow(expect.objectContaining({ code: "BAD_TENANT" }));
  });

  test("does not say of a limit that leaves room that it slows anybody down", () => {
    const { controller, run } = bench({ config: { tenants: { small: { caps: { "storage/read": 500 } } } } });
    const agent = new FakeAgent(controller, "storage", "a").connect();
    const window = (count: number, throttled: number) => {
      agent.report({ "p:read": { small: { count, cost: count, throttled } } });
      run(1);
    };
    for (let w = 0; w < 6; w++) window(50, 0);
    expect(controller.explain("small").sentence).toBe(
      "small is limited to 500 requests per second at storage/read, and does 50, by caps-and-guarantees. What would help: a higher cap at storage/read (now 500).",
    );
    for (let w = 0; w < 6; w++) window(500, 3);
    expect(controller.explain("small").sentence).toMatch(
      /^small is slowed down to 500 requests per second at storage\/read, where 3/,
    );
  });

  test("says what holds a tenant back, not what is calm; and that it grows back once all is calm", () => {
    const { controller, run } = bench();
    const agent = new FakeAgent(controller, "storage", "a").connect();
    const window = (waitUs: number, throttled: number) => {
      const feeds: [string, string][] = [
        ["storage/read", "r:workers"],
        ["storage/read", "r:disk"],
      ];
      agent.report(
        {
          "r:workers": {
            flood: { count: 400, serviceUs: 900_000, waitUs },
            small: { count: 50, serviceUs: 50_000, waitUs: waitUs / 20 },
          },
          "r:disk": { flood: { count: 400, serviceUs: 20_000 }, small: { count: 50, serviceUs: 2_000 } },
          "p:read": { flood: { count: 400, cost: 400, throttled }, small: { count: 50, cost: 50 } },
        },
        { feeds },
      );
      run(1);
    };
    for (let w = 0; w < 3; w++) window(40_000_000, 20);
    expect(controller.explain("flood").sentence).toContain("because storage/workers is ");
    const reasons = new Set<string | null>();
    const sentences: string[] = [];
    for (let w = 0; w < 4; w++) {
      window(0, 100);
      const { limits, sentence } = controller.explain("flood");
      for (const { resource } of limits) reasons.add(resource);
      sentences.push(sentence);
    }
    expect([...reasons]).toEqual(["storage/workers"]);
    expect(sentences.at(-1)).toMatch(/because storage\/workers was overloaded; that is over, and the rate grows back\./);
  });

  test("the view is plain JSON", () => {
    const { controller } = limited();
    const view = controller.view();
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });
});
