/** What every policy must keep to, whatever it thinks is fair; a new one in the registry is held to it without a word. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedLoad, POLICIES, type Rates, type View } from "../../policies/index.js";
import { type Drawn, drawn, viewOf } from "./views.js";

interface Limit {
  point: number;
  tenant: number;
  rate: number;
  resource: number;
}

function limitsOf(rates: Rates): Limit[] {
  const limits: Limit[] = [];
  rates.forEach((point, tenant, rate, resource) => {
    limits.push({ point, tenant, rate, resource });
  });
  return limits;
}

/** What a tenant may put on a resource under these limits: no more than it asks for, and at each point what it may there. */
function allowed(view: View, limits: readonly Limit[], r: number, i: number): number {
  const resource = view.resources[r];
  const demand = resource.demands[i];
  const feeders = view.points.filter((point) => point.feeds(resource));
  const through = feeders.reduce((sum, { throughputs }) => sum + throughputs[i], 0);
  const rateAt = (index: number) => limits.find(({ point, tenant }) => point === index && tenant === i)?.rate;
  // One that puts no load there yet is judged by what others' requests bring.
  if (through === 0 || resource.loads[i] === 0) {
    const rates = feeders.map(({ index }) => rateAt(index) ?? Number.POSITIVE_INFINITY);
    const perLoad = feeders.map((point) => point.rateFor(resource, view.tenants[i], 1));
    return Math.min(demand, ...rates.map((rate, p) => (perLoad[p] < Number.POSITIVE_INFINITY ? rate / perLoad[p] : rate)));
  }
  const scale = resource.loads[i] / through;
  // Where no limit stands, as much as is asked for comes through there alone. What it could do at a point that it does not
  // use now is not counted: a policy cannot know, and the next window tells.
  const rates = feeders.map(({ index, throughputs }) => (throughputs[i] > 0 ? (rateAt(index) ?? Number.POSITIVE_INFINITY) : 0));
  return Math.min(demand, scale === 0 ? 0 : rates.reduce((sum, rate) => sum + rate * scale, 0));
}

describe.each(POLICIES.map((policy) => ({ name: policy.name, policy })))("$name", ({ policy }) => {
  const decide = (view: View) => limitsOf(policy.decide(view, policy.params));
  const holds = (property: (view: View, limits: Limit[], given: Drawn) => void, numRuns = 300) =>
    fc.assert(
      fc.property(drawn(false), (given) => {
        const view = viewOf(given);
        property(view, decide(view), given);
      }),
      { numRuns },
    );

  test("finite and not negative: every rate is a number from 0", () => {
    holds((_, limits) => {
      for (const { rate } of limits) expect(rate >= 0 && rate < Number.POSITIVE_INFINITY).toBe(true);
    }, 1_000);
  });

  test("nobody starved: a limit leaves a hundredth of what an equal part of every resource would, unless it is a cap", () => {
    holds((view, limits) => {
      for (const { point, tenant: i, rate, resource: because } of limits) {
        if (because < 0) continue;
        let part = 1;
        for (const { demands, loads } of view.resources) {
          if (demands[i] === 0) continue;
          const wanting = view.tenants.reduce((sum, { weight }, j) => sum + (demands[j] > 0 ? weight : 0), 0);
          const equal = (loads.reduce((a, b) => a + b, 0) * view.tenants[i].weight) / wanting;
          part = Math.min(part, equal / demands[i]);
        }
        const resource = view.resources[because];
        if (part === 0 || resource.demands[i] === 0) continue;
        const least = view.points[point].rateFor(resource, view.tenants[i], 0.01 * part * resource.demands[i]);
        expect(rate).toBeGreaterThanOrEqual(least * (1 - 1e-9));
      }
    });
  });

  test("feasible: those limited because a resource is full may not together put more on it than it carries", () => {
    holds((view, limits) => {
      for (const [r, resource] of view.resources.entries()) {
        if (resource.slowdown < 4) continue;
        const theirs = new Set(limits.flatMap((limit) => (limit.resource === r ? [limit.tenant] : [])));
        const feeders = view.points.filter((point) => point.feeds(resource));
        const expected = view.tenants.reduce((sum, tenant) => sum + expectedLoad(resource, tenant, feeders), 0);
        const given = [...theirs].reduce((sum, i) => sum + allowed(view, limits, r, i), 0);
        expect(given).toBeLessThanOrEqual((1 + (policy.params.beta ?? 0)) * expected * (1 + 1e-9));
      }
    });
  });

  test("work-conserving: no resource loses more than half of its load in one window, but for caps", () => {
    holds((view, limits) => {
      for (const [r, resource] of view.resources.entries()) {
        // Limits for the sake of one resource lower the load of another: only its own limits are its doing.
        const own = limits.filter((limit) => limit.resource === r);
        const left = view.tenants.reduce((sum, _, i) => sum + allowed(view, own, r, i), 0);
        expect(left).toBeGreaterThanOrEqual(0.49 * resource.totalLoad() * (1 - 1e-9));
      }
    });
  });

  test("nothing is limited where nothing is short", () => {
    fc.assert(
      fc.property(drawn(true), (given) => {
        expect(decide(viewOf(given))).toEqual([]);
      }),
    );
  });

  test("a limit stands where it has an effect: at a point that leads to the resource it is because of", () => {
    holds((view, limits) => {
      for (const { point, tenant, resource } of limits) {
        if (resource >= 0) expect(view.points[point].feeds(view.resources[resource])).toBe(true);
        else expect(view.tenants[tenant].terms?.caps).toBeDefined();
      }
    });
  });

  test("unit-free: told in other units, the same view gives the same limits", () => {
    holds((_, limits, given) => {
      const units = { load: (r: number) => 2 ** (5 * r + 3), cost: (p: number) => 2 ** (4 - 3 * p) };
      const told = decide(viewOf(given, units));
      expect(told.length).toBe(limits.length);
      told.forEach(({ rate, ...at }, k) => {
        expect(at).toEqual({ point: limits[k].point, tenant: limits[k].tenant, resource: at.resource });
        expect(Math.abs(rate / units.cost(at.point) - limits[k].rate)).toBeLessThanOrEqual(1e-9 * limits[k].rate);
      });
    });
  });

  test("tenants in another order get the same", () => {
    holds((_, limits, given) => {
      const last = given.tenants.length - 1;
      const back = decide(
        viewOf({
          ...given,
          tenants: [...given.tenants].reverse(),
          pairs: given.pairs.map((row) => [...row].reverse()),
          costs: given.costs.map((row) => [...row].reverse()),
        }),
      );
      expect(back.length).toBe(limits.length);
      for (const { point, tenant, rate } of limits) {
        const same = back.find((limit) => limit.point === point && limit.tenant === last - tenant)!;
        expect(Math.abs(same.rate - rate)).toBeLessThanOrEqual(1e-6 * rate);
      }
    });
  });

  test("an empty cluster, a cluster without load, without points, without resources", () => {
    const tenants = [{ index: 0, id: "a", weight: 1 }];
    const one = viewOf({
      tenants: [{ weight: 1, terms: { p99TargetUs: 1, tier: 0, guarantee: 1 } }],
      resources: [{ slowdown: 1e6, calmServiceUs: 0 }],
      points: [{ fed: [true] }],
      pairs: [[{ through: 0, waiting: 5, tightness: 0, p99Us: 0, oldestUs: 1e6 }]],
      costs: [[{ perCost: 0, past: 0 }]],
    });
    const windowUs = 1_000_000;
    for (const view of [
      one,
      { windowUs, tenants: [], resources: [], points: [] },
      { windowUs, tenants, resources: [], points: [] },
    ]) {
      expect(decide(view)).toEqual([]);
    }
    decide({ ...one, points: [] });
    decide({
      ...viewOf({
        tenants: [],
        resources: [{ slowdown: 9, calmServiceUs: 1 }],
        points: [{ fed: [true] }],
        pairs: [[]],
        costs: [[]],
      }),
    });
  });
});
