/** Several policies on one view: who decides in which order, who wins, what is promised, and what is only watched. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ControllerConfig, completeConfig, DEFAULT_STACK } from "../../controller/index.js";
import { definePolicy, POLICIES, type Policy, Rates, type View } from "../../policies/index.js";
import { bench, FakeAgent, type Happenings } from "./harness.js";

/** A policy that limits tenants at svc/front as it is told, because of svc/disk, and keeps what it saw. */
function told(name: string, wants: Record<string, number>, promises: Record<string, number> = {}) {
  const seen: { demands: Record<string, number>; decided: Record<string, number> }[] = [];
  const policy = definePolicy({
    name,
    params: {},
    decide(view) {
      const rates = new Rates(view);
      const front = view.points.find((point) => point.name === "svc/front");
      const disk = view.resources.find((resource) => resource.name === "svc/disk");
      if (front === undefined || disk === undefined) return rates;
      seen.push(witnessed(view));
      for (const tenant of view.tenants) {
        if (wants[tenant.id] !== undefined) rates.limit(front, tenant, wants[tenant.id], disk);
        if (promises[tenant.id] !== undefined) rates.promise(front, tenant, promises[tenant.id]);
      }
      return rates;
    },
  }) as unknown as Policy;
  return { policy, seen, wants, promises };
}

function witnessed({ tenants, resources, points, decided }: View) {
  const demands = Object.fromEntries(tenants.map((tenant) => [tenant.id, resources[0].demand(tenant)]));
  const limits = tenants.flatMap((tenant) => {
    const rate = decided?.get(points[0], tenant);
    return rate === undefined ? [] : [[tenant.id, rate]];
  });
  return { demands, decided: Object.fromEntries(limits) as Record<string, number> };
}

/** Each tenant uses 1,000 µs of the disk a request, 100 requests a second; two wait for each that gets through. */
const busy = (...tenants: string[]): Happenings => ({
  "r:disk": Object.fromEntries(tenants.map((id) => [id, { count: 100, serviceUs: 100_000, waitUs: 400_000 }])),
  "p:front": Object.fromEntries(tenants.map((id) => [id, { count: 100, cost: 100, throttled: 200, throttleUs: 200_000_000 }])),
});

function stacked(policies: readonly Policy[], config: Partial<ControllerConfig> = {}) {
  const setup = bench({ policies, config });
  const agent = new FakeAgent(setup.controller, "svc", "a").connect();
  const window = (...tenants: string[]) => {
    agent.report(busy(...tenants), { feeds: [["svc/front", "r:disk"]] });
    setup.run(1);
  };
  const pair = (tenant: string) => setup.controller.view().points[0].tenants[tenant];
  return { ...setup, agent, window, pair };
}

describe("the order", () => {
  test("is that of the stack, then whoever else is turned on; who is not in it is off", () => {
    const [a, b, c] = ["a", "b", "c"].map((name) => told(name, {}));
    const { controller, window } = stacked([a.policy, b.policy, c.policy], { stack: ["c", "a"] });
    window("t");
    window("t");
    expect(controller.view().policies.map(({ name, mode, stacked }) => [name, mode, stacked])).toEqual([
      ["c", "enforce", true],
      ["a", "enforce", true],
      ["b", "off", false],
    ]);
    expect(b.seen).toHaveLength(0);
    controller.setPolicy("b", { mode: "observe" });
    window("t");
    expect(b.seen).toHaveLength(1);
  });

  test("without a word, three of the package's policies are in force, and do nothing where there is nothing to act on", () => {
    const { controller, run } = bench();
    const agent = new FakeAgent(controller, "svc", "a").connect();
    for (let i = 0; i < 3; i++) {
      agent.report({ "r:disk": { t: { count: 10, serviceUs: 1_000 } }, "p:front": { t: { count: 10, cost: 10 } } });
      run(1);
    }
    const { policies } = controller.view();
    expect(policies.filter(({ mode }) => mode === "enforce").map(({ name }) => name)).toEqual([...DEFAULT_STACK]);
    expect(policies.every(({ limits, refused }) => limits === 0 && refused === null)).toBe(true);
  });

  test("is refused whole when it names what there is not, or one twice, every mistake with its place", () => {
    const attempt = () => completeConfig({ stack: ["latency-slo", "latancy-slo", "latency-slo"], windowUs: 1 }, POLICIES);
    expect(attempt).toThrow(/stack\[1\]: "latancy-slo"; no such policy; there are latency-slo, bottleneck-fairness/);
    expect(attempt).toThrow(/stack\[2\]: "latency-slo" stands at stack\[0\] already; expected every policy once/);
    expect(attempt).toThrow(/windowUs: 1;/);
    expect(() => completeConfig({ stack: "latency-slo" as never }, POLICIES)).toThrow(
      /stack: "latency-slo"; expected a list of policies/,
    );
  });
});

describe("the tightest rule wins", () => {
  test("is named as the reason, with the one that comes next, and explain tells both", () => {
    const { controller, window, pair } = stacked([told("loose", { t: 80 }).policy, told("tight", { t: 30 }).policy]);
    window("t");
    window("t");
    expect(pair("t")).toMatchObject({
      ratePerSec: 30,
      reason: { policy: "tight", resource: "svc/disk" },
      runnerUp: { policy: "loose", resource: "svc/disk", ratePerSec: 80 },
    });
    expect(controller.explain("t").sentence).toContain("Without that rule, loose would hold it to 80 requests per second.");
    expect(controller.explain("t").limits[0].runnerUp).toEqual({ policy: "loose", resource: "svc/disk", ratePerSec: 80 });
  });

  test("of two that agree but for rounding, the one that decided first", () => {
    const { window, pair } = stacked([told("first", { t: 30 }).policy, told("second", { t: 30 - 1e-12 }).policy]);
    window("t");
    window("t");
    expect(pair("t").reason?.policy).toBe("first");
  });

  test("whatever any number of policies want: what is in force is the least of it, lifted to what others promise", () => {
    const amount = fc.option(fc.integer({ min: 1, max: 500 }), { nil: undefined });
    const policy = fc.record({
      want: amount,
      promise: amount,
      mode: fc.constantFrom("off" as const, "observe" as const, "enforce" as const),
    });
    fc.assert(
      fc.property(fc.array(policy, { minLength: 1, maxLength: 5 }), (drawn) => {
        const dolls = drawn.map(({ want, promise }, i) =>
          told(`p${i}`, want === undefined ? {} : { t: want }, promise === undefined ? {} : { t: promise }),
        );
        const modes = Object.fromEntries(drawn.map(({ mode }, i) => [`p${i}`, { mode }]));
        const { window, pair } = stacked(
          dolls.map((doll) => doll.policy),
          { policies: modes },
        );
        window("t");
        window("t");
        const least = (counts: (mode: string) => boolean) => {
          const rates = drawn.flatMap(({ want, mode }, i) => {
            if (want === undefined || !counts(mode)) return [];
            const promises = drawn.flatMap((other, j) => (j !== i && counts(other.mode) ? [other.promise ?? 0] : []));
            return [Math.max(want, ...promises)];
          });
          return rates.length === 0 ? null : Math.min(...rates);
        };
        const enforced = least((mode) => mode === "enforce");
        const shadow = least((mode) => mode !== "off");
        expect(pair("t").ratePerSec).toBe(enforced);
        expect(pair("t").shadowRatePerSec).toBe(shadow === enforced ? null : shadow);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a promise", () => {
  test("is a floor under what others decide, is told, and ends with the policy that made it", () => {
    const giver = told("giver", {}, { t: 50 });
    const { controller, window, pair } = stacked([told("slo", { t: 5, u: 5 }).policy, giver.policy]);
    window("t", "u");
    window("t", "u");
    expect([pair("t").ratePerSec, pair("u").ratePerSec]).toEqual([50, 5]);
    expect(pair("t").reason?.policy).toBe("slo");
    expect(controller.explain("t").sentence).toContain("It is promised 50 requests per second there, and is not held to less.");
    expect(controller.explain("u").limits[0].promisedPerSec).toBe(null);
    controller.setPolicy("giver", { mode: "observe" });
    window("t", "u");
    expect(pair("t")).toMatchObject({ ratePerSec: 5, shadowRatePerSec: 50 });
  });

  test("does not lift what its own policy decides, such as a cap", () => {
    const { window, pair } = stacked([told("terms", { t: 20 }, { t: 50 }).policy]);
    window("t");
    window("t");
    expect(pair("t").ratePerSec).toBe(20);
  });

  test.each([
    [-1, "negative"],
    [Number.NaN, "nan"],
    [Number.POSITIVE_INFINITY, "nan"],
  ])("of %s is refused, and what was in force stays", (nonsense, cause) => {
    const doll = told("doll", { t: 40 }, { t: 10 });
    const { controller, window, pair } = stacked([doll.policy]);
    window("t");
    window("t");
    doll.promises.t = nonsense;
    doll.wants.t = 1;
    window("t");
    expect(pair("t").ratePerSec).toBe(40);
    expect(controller.view().refusals[cause]).toBe(1);
    expect(controller.view().policies[0].refused).toMatch(/policy "doll" promises tenant "t" .* expected a finite number ≥ 0/);
  });
});

describe("a policy sees what those before it decided", () => {
  const first = () => told("first", { t: 30 });

  test("as limits, and as demands within them; what tenants ask for is shown unchanged", () => {
    const [before, after] = [first(), told("after", {})];
    const { controller, window } = stacked([before.policy, after.policy]);
    window("t", "u");
    window("t", "u");
    expect(before.seen.at(-1)!.decided).toEqual({});
    expect(after.seen.at(-1)!.decided).toEqual({ t: 30 });
    // A request is 1,000 µs of the disk.
    expect(after.seen.at(-1)!.demands.t).toBeCloseTo(30_000, 6);
    expect(after.seen.at(-1)!.demands.u).toBeCloseTo(before.seen.at(-1)!.demands.u, 6);
    expect(controller.view().resources[0].tenants.t.demand).toBeCloseTo(before.seen.at(-1)!.demands.t, 6);
    expect(before.seen.at(-1)!.demands.t).toBeGreaterThan(100_000);
  });

  test.each([
    ["a policy", (controller: ReturnType<typeof bench>["controller"]) => controller.setPolicy("first", { mode: "observe" })],
    ["a point", (controller: ReturnType<typeof bench>["controller"]) => controller.setPoint("svc/front", { mode: "observe" })],
    ["a tenant", (controller: ReturnType<typeof bench>["controller"]) => controller.setTenant("t", { mode: "observe" })],
  ])("but nothing of it while %s is only observed", (_, observe) => {
    const [before, after] = [first(), told("after", {})];
    const { controller, window } = stacked([before.policy, after.policy]);
    window("t");
    observe(controller);
    window("t");
    expect(after.seen.at(-1)!.decided).toEqual({});
    expect(after.seen.at(-1)!.demands).toEqual(before.seen.at(-1)!.demands);
  });

  test("and its last good limits while it is refused", () => {
    const [before, after] = [first(), told("after", {})];
    const { window } = stacked([before.policy, after.policy]);
    window("t");
    window("t");
    before.wants.t = Number.NaN;
    window("t");
    expect(after.seen.at(-1)!.decided).toEqual({ t: 30 });
  });
});

describe("a policy that is only watched", () => {
  test("is compared with what is in force: whom it would hold to less, and how much less would get through", () => {
    const [real, watched] = [told("real", { t: 80, u: 500 }), told("watched", { t: 30, u: 700, v: 60 })];
    const { controller, window } = stacked([real.policy, watched.policy], { policies: { watched: { mode: "observe" } } });
    window("t", "u", "v");
    window("t", "u", "v");
    const [inForce, shadow] = controller.view().policies;
    expect(inForce).toMatchObject({ limits: 2, tenants: 2, decisive: 2, apart: { tenants: 0, lessPerSec: {} } });
    expect(shadow).toMatchObject({ limits: 3, tenants: 3, decisive: 0, apart: { tenants: 2 } });
    // 100 a second get through of each: 70 fewer of t, 40 fewer of v.
    expect(shadow.apart.lessPerSec["svc/front"]).toBeCloseTo(110, 6);
  });
});

describe("what waits behind a cap", () => {
  test("is no demand beyond what the cap lets through, so that its room goes to others", () => {
    const capped = { t: { caps: { "svc/front": 100 } } };
    const watcher = told("watcher", {});
    const { window } = stacked([POLICIES.find(({ name }) => name === "caps-and-guarantees")!, watcher.policy], {
      tenants: capped,
    });
    for (let i = 0; i < 4; i++) window("t", "u");
    const { demands } = watcher.seen.at(-1)!;
    expect(demands.t).toBeCloseTo(100_000, 3);
    expect(demands.u).toBeGreaterThan(250_000);
  });
});
