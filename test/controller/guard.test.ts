import { describe, expect, test } from "vitest";
import { StepGuard } from "../../controller/guard.js";
import { definePolicy, type Policy, Rates, type View } from "../../policies/index.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { bench, FakeAgent } from "./harness.js";

/** A policy that does as it is told, tick by tick. */
function puppet(): { policy: Policy; act: (view: View) => Rates } {
  const self = {
    act: (view: View): Rates => limitAll(view, 100),
    policy: undefined as unknown as Policy,
  };
  self.policy = definePolicy({ name: "puppet", params: {}, decide: (view) => self.act(view) });
  return self;
}

function limitAll(view: View, ratePerSec: number): Rates {
  const rates = new Rates(view);
  for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, ratePerSec);
  return rates;
}

function limitElsewhere(view: View, point: object, resource: object | undefined): Rates {
  const rates = limitAll(view, 50);
  rates.limit(point as View["points"][number], view.tenants[0], 5, resource as View["resources"][number] | undefined);
  return rates;
}

function setup(clock = new VirtualClock()) {
  const doll = puppet();
  const { controller, run, events } = bench({ policies: [doll.policy], clock });
  const agent = new FakeAgent(controller, "svc", "a").connect();
  const window = () => {
    agent.report({ "p:front": { t: { count: 100, cost: 100 } } });
    run(1);
    return agent.rate("svc/front", "t");
  };
  window();
  const calm = window();
  return { doll, controller, agent, window, run, events, calm: calm! };
}

test("of two policies refused in the same windows for the same cause, each is named once", () => {
  const [one, other] = ["one", "other"].map((name) => definePolicy({ name, params: {}, decide: (view) => limitAll(view, -1) }));
  const { controller, run, events } = bench({ policies: [one, other] });
  const agent = new FakeAgent(controller, "svc", "a").connect();
  for (let window = 0; window < 6; window++) {
    agent.report({ "p:front": { t: { count: 100, cost: 100 } } });
    run(1);
  }
  const told = events.filter(({ kind }) => kind === "guard").map(({ message }) => /policy "(\w+)"/.exec(message)?.[1]);
  expect(told).toEqual(["one", "other"]);
});

describe("the last good rates stay when a policy", () => {
  const cases: [string, string, (view: View) => Rates][] = [
    ["decides NaN", "nan", (view) => limitAll(view, Number.NaN)],
    ["decides a negative rate", "negative", (view) => limitAll(view, -1)],
    ["decides minus infinity", "negative", (view) => limitAll(view, Number.NEGATIVE_INFINITY)],
    [
      "throws",
      "threw",
      () => {
        throw new Error("boom");
      },
    ],
    [
      "throws what is no error",
      "threw",
      () => {
        throw undefined;
      },
    ],
    ["gives nothing", "absent", () => undefined as unknown as Rates],
    ["gives something else", "absent", () => ({ t: 5 }) as unknown as Rates],
    ["limits at a point that is not there", "unknown", (view) => limitElsewhere(view, { index: 9 }, undefined)],
    [
      "makes a promise at a point that is not there",
      "unknown",
      (view) => {
        const rates = limitAll(view, 50);
        rates.promise({ index: 9 } as View["points"][number], view.tenants[0], 5);
        return rates;
      },
    ],
    ["names a resource that is not there", "unknown", (view) => limitElsewhere(view, view.points[0], { index: 9 })],
    [
      "limits a tenant that is not there",
      "threw",
      (view) => limitAll({ ...view, tenants: [{ index: 9, id: "x", weight: 1 }] }, 5),
    ],
    ["steps down by more than a thousand", "step", (view) => limitAll(view, 0.01)],
    ["steps up by more than a thousand", "step", (view) => limitAll(view, 1e9)],
  ];
  test.each(cases)("%s", (_what, cause, act) => {
    const { doll, controller, window, calm, events } = setup();
    doll.act = act;
    expect(window()).toBeCloseTo(calm, 6);
    expect(window()).toBeCloseTo(calm, 6);
    expect(controller.counters.refusals[cause]).toBe(2);
    expect(controller.view().refusals[cause]).toBe(2);
    expect(events.filter((event) => event.kind === "guard")).toHaveLength(1);
    doll.act = (view) => limitAll(view, 50);
    expect(window()).toBeCloseTo(calm / 2, 6);
    expect(controller.view().policies[0].refused).toBe(null);
  });

  test("takes too long", () => {
    let late = 0;
    class SlowClock extends VirtualClock {
      override nowUs(): number {
        return super.nowUs() + late;
      }
    }
    const { doll, controller, window, calm } = setup(new SlowClock());
    doll.act = (view) => {
      late += 600_000;
      return limitAll(view, 7);
    };
    expect(window()).toBeCloseTo(calm, 6);
    expect(controller.counters.refusals.slow).toBe(1);
  });

  test("one policy's fault leaves the others at work", () => {
    const doll = puppet();
    const sound = definePolicy({ name: "sound", params: {}, decide: (view) => limitAll(view, 10) });
    doll.act = () => {
      throw new Error("boom");
    };
    const { controller, run } = bench({ policies: [doll.policy, sound] });
    const agent = new FakeAgent(controller, "svc", "a").connect();
    agent.report({ "p:front": { t: { count: 100, cost: 100 } } });
    run(2);
    expect(agent.rate("svc/front", "t")).toBeCloseTo(9.9, 6);
    expect(controller.view().points[0].tenants.t.reason).toEqual({ policy: "sound", resource: null });
  });
});

describe("stale input", () => {
  test("holds: nothing heard for three windows, nothing decided", () => {
    const { doll, controller, run, events } = setup();
    doll.act = (view) => limitAll(view, 1);
    const { decisions } = controller.counters;
    run(3);
    const before = controller.counters.decisions;
    run(4);
    expect(controller.counters.decisions).toBe(before);
    expect(before - decisions).toBeLessThanOrEqual(3);
    expect(controller.counters.refusals.stale).toBeGreaterThanOrEqual(4);
    expect(events.some((event) => event.kind === "died")).toBe(true);
  });
});

describe("huge steps", () => {
  test("are let through when three decisions in a row agree: a guard that never gives way is a fault of its own", () => {
    const { doll, window, calm } = setup();
    doll.act = (view) => limitAll(view, 0.05);
    expect([window(), window()]).toEqual([expect.closeTo(calm, 6), expect.closeTo(calm, 6)]);
    expect(window()).toBeCloseTo(0.0495, 9);
  });

  test("from zero, or of what was never limited and is unused, are no steps", () => {
    const guard = new StepGuard();
    guard.begin();
    expect(guard.allows(1, 5, 0, 0)).toBe(true);
    expect(guard.allows(2, 1e-9, Number.NaN, 0)).toBe(true);
    expect(guard.allows(3, 1e-9, Number.NaN, 10)).toBe(false);
    expect(guard.allows(4, 1e9, Number.NaN, 10)).toBe(true);
  });
});
