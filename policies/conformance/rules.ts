/**
 * What every policy must keep to, whatever it thinks is fair: nine rules, each a property over views at random. A rule says in words
 * what is broken, and by how much; that is all a person sees of it.
 */
import { expectedLoads } from "../holds.js";
import type { View } from "../view.js";
import { type Given, viewOf } from "./given.js";
import { figure } from "./in-words.js";
import { type Decide, type Limit, limitFault } from "./limits.js";

export interface Rule {
  /** Short, for scripts. */
  readonly name: string;
  /** What it asks, in a sentence. */
  readonly asks: string;
  /** Only of views where nothing is short. */
  readonly calm?: true;
  /** What is broken on this view, in words; undefined: nothing. */
  broken(given: Given, decide: Decide, about: { beta: number }): string | undefined;
}

/** A rule about the limits set on one view. */
function onView(broken: (view: View, limits: Limit[], about: { beta: number }) => string | undefined): Rule["broken"] {
  return (given, decide, about) => {
    const view = viewOf(given);
    return broken(view, decide(view), about);
  };
}

export const RULES: readonly Rule[] = [
  {
    name: "decides",
    asks: "it gives Rates for every view: each a finite number from 0, at a point and for a tenant of the view",
    broken: onView((view, limits) => {
      for (const limit of limits) {
        const fault = limitFault(view, limit);
        if (fault !== undefined) return fault;
      }
      return undefined;
    }),
  },
  {
    name: "pure",
    asks: "the same view gives the same rates, and is left as it was",
    broken(given, decide) {
      const view = viewOf(given);
      const first = decide(view);
      const second = decide(view);
      const third = decide(viewOf(given));
      const where = written(view, viewOf(given));
      if (where !== undefined) return `it writes to the view (${where}), which is read by others after it; work on a copy`;
      if (!same(first, second))
        return "asked twice, it decides differently: is there memory, a clock or chance in it, or does it write to the view?";
      return same(second, third)
        ? undefined
        : "asked again on an equal view, it decides differently: is there memory, a clock or chance in it?";
    },
  },
  {
    name: "calm",
    asks: "nothing is limited where nothing is short",
    calm: true,
    broken: onView((_, limits) =>
      limits.length > 0 ? `${limits.length} limit(s) are set although nothing waits or is slow` : undefined,
    ),
  },
  {
    name: "effect",
    asks: "a limit stands where it has an effect: at a point that leads to the resource it is because of",
    broken: onView((view, limits) => {
      for (const { point, tenant, resource } of limits) {
        const at = view.points[point];
        const { id, terms } = view.tenants[tenant];
        if (resource < 0 && terms?.caps === undefined) {
          return `${id} is limited at ${at.name} for no resource, and has no cap: name the resource as fourth argument of limit()`;
        }
        if (resource >= 0 && !at.feeds(view.resources[resource])) {
          return `${id} is limited at ${at.name} because of ${view.resources[resource].name}, and requests there do not lead to it: ask point.feeds(resource)`;
        }
      }
      return undefined;
    }),
  },
  {
    name: "nobody-starved",
    asks: "a limit leaves a hundredth of what an equal part of every resource would, unless it is a cap",
    broken: onView((view, limits) => {
      for (const { point, tenant: i, rate, resource: because } of limits) {
        if (because < 0) continue;
        const part = equalPart(view, i);
        const at = view.points[point];
        // What is told is what it was held back because of first; what bounds it now may be another resource.
        const reached = view.resources.filter((resource) => at.feeds(resource) && resource.demands[i] > 0);
        if (part === 0 || reached.length === 0) continue;
        const least = Math.min(...reached.map((each) => at.rateFor(each, view.tenants[i], 0.01 * part * each.demands[i])));
        if (least === Number.POSITIVE_INFINITY) {
          return `${view.tenants[i].id} is limited to ${figure(rate)} per second at ${at.name}, where nothing comes through: what that leaves is not known, and point.rateFor gives Infinity there, which limits nobody`;
        }
        if (!(rate >= least * (1 - 1e-6))) {
          return `${view.tenants[i].id} is left ${figure(rate)} per second at ${at.name}; expected at least ${figure(least)}`;
        }
      }
      return undefined;
    }),
  },
  {
    name: "feasible",
    asks: "those limited because a resource is full may not together put more on it than it carries",
    broken: onView((view, limits, { beta }) => {
      for (const [r, resource] of view.resources.entries()) {
        if (resource.slowdown < 4) continue;
        const theirs = new Set(limits.flatMap((limit) => (limit.resource === r ? [limit.tenant] : [])));
        const feeders = view.points.filter((point) => point.feeds(resource));
        const expected = expectedLoads(resource, feeders).reduce((sum, load) => sum + load, 0);
        const given = [...theirs].reduce((sum, i) => sum + allowed(view, limits, r, i), 0);
        const most = (1 + beta) * expected;
        if (!(given <= most * (1 + 1e-9))) {
          return `those limited because of ${resource.name} may put ${figure(given)} on it; it carries ${figure(most)}`;
        }
      }
      return undefined;
    }),
  },
  {
    name: "work-conserving",
    asks: "no resource loses more than half of its load in one window, but for caps",
    broken: onView((view, limits) => {
      for (const [r, resource] of view.resources.entries()) {
        // Limits for the sake of one resource lower the load of another: only its own limits are its doing.
        const own = limits.filter((limit) => limit.resource === r);
        const left = view.tenants.reduce((sum, _, i) => sum + allowed(view, own, r, i), 0);
        const least = 0.49 * resource.totalLoad();
        if (!(left >= least * (1 - 1e-9))) {
          return `${resource.name} is left ${figure(left)} of its load of ${figure(resource.totalLoad())}; expected at least ${figure(least)}`;
        }
      }
      return undefined;
    }),
  },
  {
    name: "unit-free",
    asks: "told in other units, the same view gives the same limits",
    broken(given, decide) {
      const units = { load: (r: number) => 2 ** (5 * r + 3), cost: (p: number) => 2 ** (4 - 3 * p) };
      const told = decide(viewOf(given, units)).map((limit) => ({ ...limit, rate: limit.rate / units.cost(limit.point) }));
      const why = "is something compared with a number that has a unit?";
      return differs(viewOf(given), decide(viewOf(given)), told, `with loads and costs told in other units; ${why}`, 1e-9);
    },
  },
  {
    name: "order-free",
    asks: "tenants in another order get the same",
    broken(given, decide) {
      const last = given.tenants.length - 1;
      const turned = {
        ...given,
        tenants: [...given.tenants].reverse(),
        pairs: given.pairs.map((row) => [...row].reverse()),
        costs: given.costs.map((row) => [...row].reverse()),
      };
      const back = decide(viewOf(turned)).map((limit) => ({ ...limit, tenant: last - limit.tenant }));
      return differs(viewOf(given), decide(viewOf(given)), back, "with its tenants in reverse order", 1e-6);
    },
  },
];

/** The part of what tenant `i` asks for that an equal share, by weight, of every resource it uses would give it, 0..1. */
function equalPart(view: View, i: number): number {
  let part = 1;
  for (const { demands, loads } of view.resources) {
    if (demands[i] === 0) continue;
    const wanting = view.tenants.reduce((sum, { weight }, j) => sum + (demands[j] > 0 ? weight : 0), 0);
    const equal = (loads.reduce((a, b) => a + b, 0) * view.tenants[i].weight) / wanting;
    part = Math.min(part, equal / demands[i]);
  }
  return part;
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

function same(a: readonly Limit[], b: readonly Limit[]): boolean {
  return (
    a.length === b.length &&
    a.every((limit, k) => Object.entries(limit).every(([key, value]) => Object.is(b[k][key as keyof Limit], value)))
  );
}

/** Which column or figure of a view is no longer as it was; undefined: all are. */
function written(view: View, fresh: View): string | undefined {
  for (const kind of ["resources", "points"] as const) {
    for (const [i, each] of view[kind].entries()) {
      for (const [key, was] of Object.entries(fresh[kind][i])) {
        const is: unknown = each[key as keyof typeof each];
        // A sum that is kept once it was asked for, the same for everybody.
        if (key === "total" || Object.is(is, was)) continue;
        const column = ArrayBuffer.isView(was) && ArrayBuffer.isView(is) ? (is as Float64Array) : undefined;
        if (
          column === undefined
            ? JSON.stringify(is) !== JSON.stringify(was)
            : !column.every((value, k) => Object.is(value, was[k]))
        )
          return `${kind}[${i}].${key}`;
      }
    }
  }
  return undefined;
}

/** The first limit that is another, or missing, when the same is `told` otherwise. */
function differs(view: View, plain: Limit[], told: Limit[], how: string, tolerance: number): string | undefined {
  const pair = (limit: Limit) => `${view.tenants[limit.tenant].id} at ${view.points[limit.point].name}`;
  const find = (limits: Limit[], { point, tenant }: Limit) =>
    limits.find((other) => other.point === point && other.tenant === tenant);
  for (const limit of plain) {
    const other = find(told, limit);
    if (other === undefined) return `${pair(limit)} is limited to ${figure(limit.rate)}, and not at all ${how}`;
    if (!(Math.abs(other.rate - limit.rate) <= tolerance * limit.rate)) {
      return `${pair(limit)} is limited to ${figure(limit.rate)}, and to ${figure(other.rate)} ${how}`;
    }
  }
  const more = told.find((limit) => find(plain, limit) === undefined);
  return more === undefined ? undefined : `${pair(more)} is not limited, but to ${figure(more.rate)} ${how}`;
}
