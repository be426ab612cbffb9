/** What policies see of agreements and of the past. */
import { describe, expect, test } from "vitest";
import { completeConfig } from "../../controller/index.js";
import { LongRun } from "../../controller/long-run.js";
import { POLICIES, type View } from "../../policies/index.js";
import { bench, FakeAgent, type Happenings, spying } from "./harness.js";

function spied(tenants: Parameters<typeof completeConfig>[0]["tenants"] = {}) {
  const { spy, seen } = spying();
  const setup = bench({ policies: [spy], config: { tenants, memoryHalfLifeWindows: 2 } });
  const agent = new FakeAgent(setup.controller, "svc", "a").connect();
  const window = (happenings: Happenings): View => {
    agent.report(happenings);
    setup.run(1);
    return seen()!;
  };
  return { ...setup, window };
}

const use = (loads: Record<string, number>): Happenings => ({
  "r:disk": Object.fromEntries(Object.entries(loads).map(([id, serviceUs]) => [id, { count: 1, serviceUs }])),
});

function tenant(view: View, id: string) {
  return view.tenants.find((each) => each.id === id)!;
}

describe("terms", () => {
  test("stand in the view as they were configured, and as they are changed at run time", () => {
    const { window, controller } = spied({ a: { p99TargetUs: 5_000, tier: 0 }, b: { weight: 2 } });
    let view = window(use({ a: 1, b: 1 }));
    expect(tenant(view, "a").terms).toEqual({ p99TargetUs: 5_000, tier: 0 });
    expect(tenant(view, "b").terms).toBe(undefined);
    controller.setTenant("a", { tier: 3 });
    controller.setTenant("b", { caps: { "svc/front": 9 }, guarantees: { "svc/front": 4 } });
    view = window(use({ a: 1, b: 1 }));
    expect(tenant(view, "a").terms).toEqual({ p99TargetUs: 5_000, tier: 3 });
    expect(tenant(view, "b")).toMatchObject({ weight: 2, terms: { caps: { "svc/front": 9 }, guarantees: { "svc/front": 4 } } });
  });

  test("that make no sense are refused, every mistake at once, and nothing is changed", () => {
    const nonsense = {
      p99TargetUs: 0,
      tier: 1.5,
      caps: { front: 1, "svc/a": -1, "svc/b": 3 },
      guarantees: { "svc/b": 4, "svc/c": Number.NaN },
    };
    const text = [
      'tenants."a".p99TargetUs: 0; expected a number from 1 to 3600000000 (an hour)',
      'tenants."a".tier: 1.5; expected a whole number from 0 (served first) to 9',
      'tenants."a".caps."front": not a point; expected service/point',
      'tenants."a".caps."svc/a": -1; expected a number ≥ 0, cost units per second over all instances',
      'tenants."a".guarantees."svc/c": NaN; expected a number ≥ 0, cost units per second over all instances',
      'tenants."a".guarantees."svc/b": 4, above its cap of 3; expected at most that',
    ];
    const refused = (attempt: () => unknown, code: string) => {
      for (const message of text)
        expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
    };
    refused(() => completeConfig({ tenants: { a: nonsense } }, POLICIES), "BAD_CONFIG");
    const { window, controller } = spied();
    refused(() => controller.setTenant("a", nonsense), "BAD_ARGUMENT");
    expect(tenant(window(use({ a: 1 })), "a").terms).toBe(undefined);
  });
});

test("terms change point by point, may be taken back, and must fit what stands already", () => {
  const { controller } = spied({ a: { p99TargetUs: 5_000, caps: { "svc/x": 10, "svc/y": 20 } } });
  const now = () => controller.listTenants().find((each) => each.tenant === "a");
  controller.setTenant("a", { caps: { "svc/y": 30, "svc/z": 1 } });
  expect(now()?.caps).toEqual({ "svc/x": 10, "svc/y": 30, "svc/z": 1 });
  // What is configured may be taken back at run time, and set again.
  controller.setTenant("a", { p99TargetUs: null, caps: { "svc/x": null } });
  expect(now()).toEqual({ tenant: "a", weight: 1, mode: "enforce", caps: { "svc/y": 30, "svc/z": 1 } });
  controller.setTenant("a", { guarantees: { "svc/y": 25 } });
  expect(() => controller.setTenant("a", { caps: { "svc/y": 24 } })).toThrow(/guarantees."svc\/y": 25, above its cap of 24/);
  expect(now()?.caps).toEqual({ "svc/y": 30, "svc/z": 1 });
  controller.setTenant("a", { guarantees: { "svc/y": null }, caps: { "svc/y": 24 } });
  expect(now()).toMatchObject({ caps: { "svc/y": 24 } });
  expect(now()?.guarantees).toBe(undefined);
});

test("the age of what waits longest stands in the view", () => {
  const view = spied().window({ "p:front": { a: { throttled: 3, oldestUs: 70_000 }, b: { count: 1, cost: 1 } } });
  expect(view.tenants.map((each) => view.points[0].oldest(each))).toEqual([70_000, 0]);
});

describe("use in the long run", () => {
  test("is averaged with its own half-life, and begins with what each uses when first seen", () => {
    const { window } = spied();
    let view = window(use({ a: 300_000, b: 100_000 }));
    const averages = () => ["a", "b"].map((id) => view.resources[0].average(tenant(view, id)));
    expect(averages()).toEqual([300_000, 100_000]);
    // A half-life of two windows; load itself is averaged with one of half a window.
    view = window(use({ a: 300_000, b: 500_000 }));
    const load = 100_000 / 4 + (3 * 500_000) / 4;
    expect(view.resources[0].load(tenant(view, "b"))).toBeCloseTo(load, 3);
    expect(averages()).toEqual([expect.closeTo(300_000, 3), expect.closeTo(load + (100_000 - load) * Math.SQRT1_2, 3)]);
  });

  test("of a newcomer is the mean of the others', whatever it does first", () => {
    const { window } = spied();
    window(use({ a: 300_000, b: 100_000 }));
    const view = window(use({ a: 300_000, b: 100_000, new: 9_000_000 }));
    expect(view.resources[0].average(tenant(view, "new"))).toBeCloseTo(200_000, 3);
  });

  test("is forgotten with the tenant: whoever has its seat next is a newcomer", () => {
    const longRun = new LongRun();
    const into = new Float64Array(2);
    longRun.update(Float64Array.of(8, 2), Int32Array.of(1, 5), 0, into);
    longRun.forget(5);
    longRun.update(Float64Array.of(8, 7), Int32Array.of(1, 5), 1, into);
    expect([...into]).toEqual([8, 8]);
    longRun.forget(99);
  });
});
