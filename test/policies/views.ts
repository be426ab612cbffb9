/** Views as a controller might fill them, at random. */
import fc from "fast-check";
import { Point, Resource, type Tenant, type Terms, type View } from "../../policies/index.js";

export interface Drawn {
  tenants: { weight: number; terms: { p99TargetUs?: number; tier?: number; cap?: number; guarantee?: number } }[];
  resources: { slowdown: number; calmServiceUs: number }[];
  points: { fed: boolean[] }[];
  /** By point and tenant: what gets through, what waits beside it, and how tight a limit is; 0: none. */
  pairs: { through: number; waiting: number; tightness: number; p99Us: number; oldestUs: number }[][];
  /** By resource and tenant: load of one unit of cost, and long-run use beside the present. */
  costs: { perCost: number; past: number }[][];
}

/** Units in which the same view may be told. */
export interface Units {
  /** Of each resource's load, and of each point's cost, by index. */
  load(resource: number): number;
  cost(point: number): number;
}

const often = <T>(usual: T, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });

const terms = fc.record(
  { p99TargetUs: between(1e3, 1e6), tier: fc.nat(3), cap: between(1, 2_000), guarantee: between(1, 500) },
  { requiredKeys: [] },
);

/** @param calm nothing waits anywhere, nobody is limited, and nobody is beyond what was agreed */
export function drawn(calm: boolean): fc.Arbitrary<Drawn> {
  const size = (max: number) => fc.integer({ min: 1, max });
  return fc.tuple(size(6), size(4), size(3)).chain(([tenants, resources, points]) => {
    const listOf = <T>(arbitrary: fc.Arbitrary<T>, length: number) =>
      fc.array(arbitrary, { minLength: length, maxLength: length });
    const slowdown = fc.oneof(fc.constant(1), between(1, 4), between(4, 60), fc.constant(1e6));
    const through = often(0, between(0.5, 2_000));
    const pair = fc.record({
      through,
      waiting: calm ? fc.constant(0) : often(0, between(0.5, 500)),
      tightness: calm ? fc.constant(0) : often(0, between(0.9, 2.5)),
      p99Us: calm ? fc.constant(500) : often(0, between(100, 5e6)),
      oldestUs: calm ? fc.constant(0) : often(0, between(0, 5e6)),
    });
    return fc.record({
      tenants: listOf(fc.record({ weight: often(1, between(0.1, 10)), terms: calm ? fc.constant({}) : terms }), tenants),
      resources: listOf(
        fc.record({ slowdown: calm ? fc.constant(1) : slowdown, calmServiceUs: between(100, 50_000) }),
        resources,
      ),
      points: listOf(fc.record({ fed: listOf(fc.boolean(), resources) }), points),
      pairs: listOf(listOf(pair, tenants), points),
      costs: listOf(listOf(fc.record({ perCost: often(0, between(10, 5_000)), past: between(0, 3) }), tenants), resources),
    });
  });
}

const PLAIN: Units = { load: () => 1, cost: () => 1 };

/** The view of what was drawn, with demands as the controller reckons them. */
export function viewOf({ tenants, resources, points, pairs, costs }: Drawn, units: Units = PLAIN): View {
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
      pairs[p].forEach(({ through, waiting, tightness, p99Us, oldestUs }, i) => {
        const unit = units.cost(p);
        point.throughputs[i] = through * unit;
        point.totalThroughput += through * unit;
        point.rates[i] = tightness === 0 ? Number.NaN : tightness * Math.max(through, 0.5) * unit;
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

function termsIn({ p99TargetUs, tier, cap, guarantee }: Drawn["tenants"][number]["terms"], points: number, units: Units): Terms {
  const everywhere = (rate: number) =>
    Object.fromEntries(Array.from({ length: points }, (_, p) => [`svc/p${p}`, rate * units.cost(p)]));
  return {
    ...(p99TargetUs !== undefined && { p99TargetUs }),
    ...(tier !== undefined && { tier }),
    ...(cap !== undefined && { caps: everywhere(cap) }),
    ...(guarantee !== undefined && { guarantees: everywhere(Math.min(guarantee, cap ?? guarantee)) }),
  };
}
