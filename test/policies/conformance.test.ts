/** Every policy of the registry keeps to every rule; a new one is held to them without a word. And no rule is for nothing. */
import { describe, expect, test } from "vitest";
import { checkPolicy, checkRule, RULES } from "../../policies/conformance/index.js";
import { bottleneckFairness, definePolicy, maxMinFair, POLICIES, type Policy, Rates, type View } from "../../policies/index.js";

describe.each(POLICIES.map((policy) => ({ name: policy.name, policy })))("$name", ({ policy }) => {
  test.each(RULES.map((rule) => ({ asks: rule.asks, rule })))("$asks", ({ rule }) => {
    const { broken } = checkRule(policy, rule, { views: rule.name === "decides" ? 1_000 : 300, seed: 7 });
    expect(broken).toBeUndefined();
  });
});

/** A policy that limits every tenant that uses a full resource, at the points that lead there, to what `rate` says. */
function limiting(rate: (fairRate: number, at: { view: View; tenant: number }) => number, keepsTo = true): Policy {
  return definePolicy({
    name: "mutant",
    params: {},
    decide(view) {
      const rates = new Rates(view);
      for (const resource of view.resources) {
        if (keepsTo && resource.slowdown <= 4) continue;
        const fair = maxMinFair(0.9 * resource.totalLoad(), resource.demands);
        for (const tenant of view.tenants) {
          if (keepsTo && fair[tenant.index] >= resource.demand(tenant)) continue;
          for (const point of view.points) {
            if (keepsTo && !point.feeds(resource)) continue;
            const fairRate = point.rateFor(resource, tenant, fair[tenant.index]);
            if (fairRate === Number.POSITIVE_INFINITY) continue;
            rates.limit(point, tenant, rate(fairRate, { view, tenant: tenant.index }), resource);
          }
        }
      }
      return rates;
    },
  }) as Policy;
}

function brokenBy(policy: Policy): string[] {
  return checkPolicy(policy).flatMap(({ rule, broken }) => (broken === undefined ? [] : [rule]));
}

describe("a policy that breaks a rule is told which, on a simple view", () => {
  test("one that breaks none", () => {
    expect(brokenBy(limiting((rate) => rate))).toEqual([]);
    expect(checkPolicy(limiting((rate) => rate)).map(({ met }) => met)).toEqual(RULES.map(() => true));
  });

  test.each([
    ["decides", limiting(() => Number.NaN), /limited to NaN per second/],
    ["decides", limiting(() => -1), /limited to -1 per second/],
    [
      "decides",
      { ...bottleneckFairness, decide: () => undefined as unknown as Rates },
      /decide gives undefined; write "return rates"/,
    ],
    [
      "decides",
      limiting(() => (undefined as unknown as { x: number }).x),
      /it throws TypeError: Cannot read properties of undefined/,
    ],
    [
      "decides",
      { ...bottleneckFairness, decide: () => [1, 2] as unknown as Rates },
      /^decide gives an array; write "return rates"/,
    ],
    [
      "decides",
      { ...bottleneckFairness, decide: (async () => undefined) as unknown as () => Rates },
      /^decide gives a promise; take async and await away/,
    ],
    [
      "decides",
      limiting(() => {
        throw { toString: 0 };
      }),
      /it throws an object/,
    ],
    ["decides", limiting(() => undefined as unknown as number), /limited to NaN per second/],
    ["nobody-starved", limiting((rate) => rate / 1e4), /is left .* expected at least/],
    ["nobody-starved", everywhere(12), /is limited to 12 .* where nothing comes through: .*point\.rateFor gives Infinity/],
    ["work-conserving", limiting((rate) => rate / 4), /is left .* of its load of/],
    ["feasible", limiting((rate) => rate * 3), /may put .* on it; it carries/],
    ["calm", limiting((rate) => rate, false), /although nothing waits or is slow/],
    ["effect", limiting((rate) => rate, false), /do not lead to it: ask point.feeds/],
    ["unit-free", limiting((rate) => Math.min(rate, 50)), /in other units/],
    ["order-free", limiting((rate, { tenant }) => rate * (tenant === 0 ? 1 : 0.99)), /in reverse order/],
    ["pure", remembering(), /asked twice, it decides differently/],
    ["pure", writing((view) => view.resources[0]?.demands.fill(0)), /it writes to the view \(resources\[0\]\.demands\)/],
    ["pure", writing((view) => view.points[0]?.rates.fill(5)), /it writes to the view \(points\[0\]\.rates\)/],
  ] as [string, Policy, RegExp][])("%s", (rule, policy, says) => {
    const verdict = checkPolicy(policy).find((each) => each.rule === rule)!;
    expect(verdict.met).toBe(false);
    expect(verdict.broken!.says).toMatch(says);
    expect(verdict.broken!.given.tenants.length).toBeLessThanOrEqual(2);
    expect(verdict.broken!.given.resources.length).toBeLessThanOrEqual(2);
  });

  test("at a point, for a tenant, or because of a resource that is not in the view", () => {
    const elsewhere = (what: "point" | "tenant" | "resource") =>
      definePolicy({
        name: "elsewhere",
        params: {},
        decide(view) {
          const rates = new Rates(view);
          const [point] = view.points;
          const [tenant] = view.tenants;
          if (point === undefined || tenant === undefined) return rates;
          const stranger = { index: 77, id: "x", weight: 1 };
          rates.limit(
            what === "point" ? ({ index: 77 } as typeof point) : point,
            what === "tenant" ? stranger : tenant,
            1,
            what === "resource" ? ({ index: 77 } as (typeof view.resources)[number]) : undefined,
          );
          return rates;
        },
      }) as Policy;
    const says = (what: "point" | "tenant" | "resource") => checkPolicy(elsewhere(what))[0].broken?.says;
    expect(says("point")).toMatch(/point 77, which is not in the view; take points from view.points/);
    expect(says("tenant")).toMatch(/tenant 77 .*not in the view.*view\.tenants/);
    expect(says("resource")).toMatch(/resource 77, which is not in the view/);
  });

  test("what is promised is held to the same", () => {
    const promising = (point: (view: View) => object, rate: number) =>
      definePolicy({
        name: "promising",
        params: {},
        decide(view) {
          const rates = new Rates(view);
          if (view.points.length > 0 && view.tenants.length > 0)
            rates.promise(point(view) as View["points"][number], view.tenants[0], rate);
          return rates;
        },
      }) as Policy;
    const says = (policy: Policy) => checkPolicy(policy)[0].broken?.says;
    expect(says(promising(() => ({ index: 77 }), 5))).toMatch(
      /a promise is made at point 77, which is not in the view; take points/,
    );
    expect(says(promising((view) => view.points[0], -5))).toMatch(
      /t0 at svc\/p0 is promised -5 per second; expected a finite number/,
    );
  });

  test("the simplest view is shown in words, with what was decided on it", () => {
    const { broken } = checkPolicy(limiting((rate) => -rate))[0];
    expect(broken).toMatchObject({
      says: expect.stringMatching(/^t0 at svc\/p0 is limited to -/),
      limits: [expect.stringMatching(/^t0 at svc\/p0: -.* per second because of svc\/r0$/)],
    });
    expect(broken!.view.slice(0, 3)).toEqual([
      "tenant t0: weight 1",
      expect.stringMatching(/^resource svc\/r0: slowdown \d+; t0 load/),
      expect.stringMatching(/^point svc\/p0: feeds svc\/r0; t0 .* per second through$/),
    ]);
  });

  test("the same seed gives the same verdicts, another one other views", () => {
    const policy = limiting((rate) => rate / 4);
    expect(checkPolicy(policy, { seed: 3 })).toEqual(checkPolicy(policy, { seed: 3 }));
  });
});

/** A policy that limits everybody everywhere to one number, because of whatever it finds. */
function everywhere(ratePerSec: number): Policy {
  return definePolicy({
    name: "everywhere",
    params: {},
    decide(view) {
      const rates = new Rates(view);
      for (const resource of view.resources)
        for (const point of view.points)
          for (const tenant of view.tenants) if (point.feeds(resource)) rates.limit(point, tenant, ratePerSec, resource);
      return rates;
    },
  }) as Policy;
}

/** A policy that limits nobody, and leaves traces that do not change what it decides. */
function writing(write: (view: View) => void): Policy {
  return definePolicy({
    name: "writing",
    params: {},
    decide(view) {
      write(view);
      return new Rates(view);
    },
  }) as Policy;
}

function remembering(): Policy {
  let calls = 0;
  return limiting((rate) => rate * (1 + 1e-6 * calls++));
}
