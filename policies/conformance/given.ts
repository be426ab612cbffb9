/**
 * Views as a controller might fill them, told by few numbers: what gets through each point, what waits, what it costs. Loads and
 * demands follow from them as the controller reckons them, so that a view made smaller by hand or by shrinking stays one that
 * could be.
 */
import { Point, Resource, type Tenant, type Terms, type View } from "../view.js";

export interface Given {
  tenants: { weight: number; terms: GivenTerms }[];
  resources: { slowdown: number; calmServiceUs: number }[];
  points: { fed: boolean[] }[];
  /**
   * By point and tenant: what gets through, what waits beside it, how tight a limit is (times what gets through; 0: none), and
   * the resource it is because of, by its index (one that the point does not feed: none).
   */
  pairs: { through: number; waiting: number; tightness: number; reason: number; p99Us: number; oldestUs: number }[][];
  /** By resource and tenant: load of one unit of cost, and long-run use beside the present. */
  costs: { perCost: number; past: number }[][];
}

/** A cap or guarantee here is the same at every point. */
export interface GivenTerms {
  p99TargetUs?: number;
  tier?: number;
  cap?: number;
  guarantee?: number;
}

/** Units in which the same view may be told: factors of each resource's load, and of each point's cost, by index. */
export interface Units {
  load(resource: number): number;
  cost(point: number): number;
}

const PLAIN: Units = { load: () => 1, cost: () => 1 };

/** The view of what is given, with demands as the controller reckons them. */
export function viewOf({ tenants, resources, points, pairs, costs }: Given, units: Units = PLAIN): View {
  const view: View = {
    windowUs: 1_000_000,
    tenants: tenants.map(
      ({ weight, terms }, index): Tenant => ({ index, id: `t${index}`, weight, terms: termsIn(terms, points.length, units) }),
    ),
    resources: resources.map((each, r) => {
      const resource = new Resource(r, `svc/r${r}`, "us", tenants.length);
      resource.slowdown = each.slowdown;
      resource.calmServiceUs = each.calmServiceUs;
      return resource;
    }),
    points: points.map(({ fed }, p) => {
      const point = new Point(p, `svc/p${p}`, "requests", tenants.length, resources.length);
      fed.forEach((feeds, r) => {
        point.fed[r] = feeds ? 1 : 0;
      });
      pairs[p].forEach(({ through, waiting, tightness, reason, p99Us, oldestUs }, i) => {
        const unit = units.cost(p);
        point.throughputs[i] = through * unit;
        point.totalThroughput += through * unit;
        point.rates[i] = tightness === 0 ? Number.NaN : tightness * Math.max(through, 0.5) * unit;
        // A limit is because of a resource that is reached from there, or of none.
        if (tightness > 0 && fed[reason]) point.reasons[i] = reason;
        point.waitings[i] = waiting * unit;
        point.p99sUs[i] = through > 0 ? p99Us : 0;
        point.oldestsUs[i] = waiting > 0 ? oldestUs : 0;
      });
      return point;
    }),
  };
  for (const [r, resource] of view.resources.entries()) {
    const feeders = points.flatMap(({ fed }, p) => (fed[r] ? [p] : []));
    costs[r].forEach(({ perCost, past }, i) => {
      const load = feeders.reduce((sum, p) => sum + pairs[p][i].through, 0) * perCost;
      resource.loads[i] = load * units.load(r);
      resource.averages[i] = past * load * units.load(r);
      resource.latenciesUs[i] = load > 0 ? resource.calmServiceUs * resource.slowdown : 0;
    });
    const through = feeders.reduce((sum, p) => sum + pairs[p].reduce((all, pair) => all + pair.through, 0), 0);
    const perCost = through > 0 ? resource.totalLoad() / through : 0;
    for (let i = 0; i < tenants.length; i++) {
      resource.demands[i] = resource.loads[i];
      for (const p of feeders) {
        const { through: own, waiting } = pairs[p][i];
        const demand = own > 0 ? resource.loads[i] * (1 + waiting / own) : resource.loads[i] + waiting * perCost;
        resource.demands[i] = Math.max(resource.demands[i], demand);
      }
    }
  }
  return view;
}

function termsIn({ p99TargetUs, tier, cap, guarantee }: GivenTerms, points: number, units: Units): Terms {
  const everywhere = (rate: number) =>
    Object.fromEntries(Array.from({ length: points }, (_, p) => [`svc/p${p}`, rate * units.cost(p)]));
  return {
    ...(p99TargetUs !== undefined && { p99TargetUs }),
    ...(tier !== undefined && { tier }),
    ...(cap !== undefined && { caps: everywhere(cap) }),
    ...(guarantee !== undefined && { guarantees: everywhere(Math.min(guarantee, cap ?? guarantee)) }),
  };
}
