/**
 * What a policy sees: the paper's Table 1 [Retro, §3] as plain values. The controller fills one view per window; a policy
 * reads it and decides. Nothing here changes while a policy runs, and nothing reaches outside.
 *
 *   workflows() → view.tenants        load(r,w)       → resource.load(tenant)       throughput(p,w) → point.throughput(tenant)
 *   resources() → view.resources      slowdown(r)     → resource.slowdown           get_rate(p,w)   → point.rate(tenant)
 *   points()    → view.points         latency(r,w)    → resource.latency(tenant)    set_rate(p,w,v) → rates.limit(point, tenant, v, because)
 *
 * Beyond the paper: `demand` counts what waits as well as what is used; `slowdown` is relative to the resource's own calm;
 * `feeds` tells which points lead to which resources, as observed on real requests; `rateFor` turns a wished-for load into
 * the rate that gives it; `average` remembers for a policy, that has no memory, what a tenant used in the long run; `p99` and
 * `oldest` are of a point, so that a latency may be a percentile and one who waits for ever has one; `terms` are what is agreed.
 */

import type { Holds } from "./holds.js";
import { type Inflow, reckoned } from "./inflows.js";
import type { Rates } from "./rates.js";

/** Who work is done for: the paper's workflow. */
export interface Tenant {
  /** Its place in every column of this view; changes from view to view. */
  readonly index: number;
  readonly id: string;
  /** Relative claim to shared resources, > 0. A tenant of weight 2 gets twice the share of one of weight 1. */
  readonly weight: number;
  /** What is agreed with it beyond its weight; absent: nothing. */
  readonly terms?: Terms;
  /** The group it belongs to, by its index; absent: none, it stands at the top beside the groups that do. */
  readonly group?: number;
}

/** Tenants that have a claim together, such as an organisation or a team in it. Its members share what it is given. */
export interface Group {
  /** Its place in `view.groups`, where parents come before their children. */
  readonly index: number;
  readonly id: string;
  /** The group it belongs to, by its index; absent: it stands at the top. */
  readonly parent?: number;
  /** Claim against its siblings, groups and tenants alike; > 0. */
  readonly weight: number;
  /** What is agreed for all of its members together, as for a tenant. */
  readonly caps?: Terms["caps"];
  readonly guarantees?: Terms["guarantees"];
}

/** What is agreed with a tenant, as configured: promises to it, and bounds on it. */
export interface Terms {
  /** 99 of 100 of its requests are to take no longer than this at any point (wait for a slot + service), µs. */
  readonly p99TargetUs?: number;
  /** Whom to serve first where there is not enough: 0 before 1, and so on; 1 when absent. */
  readonly tier?: number;
  /** By point (`service/name`): what it may get through at most, cost units per second over all instances. */
  readonly caps?: Readonly<Record<string, number>>;
  /** By point: what it is to get through at least, if it asks for it, in the same unit. */
  readonly guarantees?: Readonly<Record<string, number>>;
}

const NO_INFLOWS: ReadonlyMap<string, Inflow> = new Map();

/** One logical resource: the same-named resources of all instances of a service, taken together. */
export class Resource {
  readonly index: number;
  /** `service/name`. */
  readonly name: string;
  /** Unit of load per second: "us" for time, or what the service counts. */
  readonly unit: string;
  /**
   * Σ(wait + service) / Σ service of the window, divided by `floor`; 1 is calm, 25 means that work takes 25 times as long as
   * it does in calm. Unitless, ≥ 1.
   */
  slowdown = 1;
  /** The slowdown this resource shows when it is calm, learned; ≥ 1. */
  floor = 1;
  /** Time one operation takes in calm, mean over all tenants, µs: in service, times `floor`. 0 when none was done. */
  calmServiceUs = 0;
  /** The most it can carry, as learned while work stood in line: units of load per second, all tenants; 0: not known yet. */
  capacity = 0;
  /** Operations it can have in service at once, over all instances; 0: no bound, or not told. */
  slots = 0;
  /** The instance that is slowed down most, with its own slowdown (relative to the same floor). */
  hottest: { instance: string; slowdown: number } = { instance: "", slowdown: 1 };
  /** Columns by tenant index; written by whoever fills the view. */
  readonly loads: Float64Array;
  readonly demands: Float64Array;
  readonly latenciesUs: Float64Array;
  readonly averages: Float64Array;
  /** What comes here by points of the same unit of cost, by that unit; where a single point leads here, nothing. See inflows.ts. */
  inflows: ReadonlyMap<string, Inflow> = NO_INFLOWS;
  /** @internal */
  total = Number.NaN;

  constructor(index: number, name: string, unit: string, tenantCount: number) {
    this.index = index;
    this.name = name;
    this.unit = unit;
    this.loads = new Float64Array(tenantCount);
    this.demands = new Float64Array(tenantCount);
    this.latenciesUs = new Float64Array(tenantCount);
    this.averages = new Float64Array(tenantCount);
  }

  /** Use by this tenant: units of service per second (µs of service per second for time). */
  load(tenant: Tenant): number {
    return this.loads[tenant.index];
  }

  /**
   * What this tenant would use if nothing held it back: use, plus what waits; same unit as its load, and not below it. But of
   * one whom a policy earlier in the stack limits, no more than it can use under that limit, which may be less than its load.
   */
  demand(tenant: Tenant): number {
    return this.demands[tenant.index];
  }

  /** Mean time (wait + service) of one operation of this tenant in the window, µs; 0 when it did none. */
  latency(tenant: Tenant): number {
    return this.latenciesUs[tenant.index];
  }

  /**
   * Use by this tenant in the long run: an exponential average over many windows, same unit as its load. Of one who came
   * later than others, the mean of theirs at first.
   */
  average(tenant: Tenant): number {
    return this.averages[tenant.index];
  }

  /** Use by all tenants. Added up at the first call, when all loads have been written. */
  totalLoad(): number {
    if (Number.isNaN(this.total)) {
      this.total = 0;
      for (let i = 0; i < this.loads.length; i++) this.total += this.loads[i];
    }
    return this.total;
  }
}

/** One logical control point: the same-named points of all instances of a service, taken together. */
export class Point {
  readonly index: number;
  /** `service/name`. */
  readonly name: string;
  /** Unit of cost: "requests", or what the service charges. */
  readonly unit: string;
  /** Columns by tenant index; written by whoever fills the view. `rates` holds NaN for "unlimited". */
  readonly throughputs: Float64Array;
  readonly rates: Float64Array;
  /** Index of the resource that the rate in force is because of; −1: of none. */
  readonly reasons: Int32Array;
  readonly waitings: Float64Array;
  readonly p99sUs: Float64Array;
  readonly oldestsUs: Float64Array;
  /** By resource index: 1 when requests admitted here were seen to use the resource. */
  readonly fed: Uint8Array;
  /** Σ throughput of all tenants, cost units per second. */
  totalThroughput = 0;

  constructor(index: number, name: string, unit: string, tenantCount: number, resourceCount: number) {
    this.index = index;
    this.name = name;
    this.unit = unit;
    this.throughputs = new Float64Array(tenantCount);
    this.rates = new Float64Array(tenantCount).fill(Number.NaN);
    this.reasons = new Int32Array(tenantCount).fill(-1);
    this.waitings = new Float64Array(tenantCount);
    this.p99sUs = new Float64Array(tenantCount);
    this.oldestsUs = new Float64Array(tenantCount);
    this.fed = new Uint8Array(resourceCount);
  }

  /** Cost units per second this tenant gets through here. */
  throughput(tenant: Tenant): number {
    return this.throughputs[tenant.index];
  }

  /** The rate in force, cost units per second over all instances; undefined: unlimited. */
  rate(tenant: Tenant): number | undefined {
    const rate = this.rates[tenant.index];
    return Number.isNaN(rate) ? undefined : rate;
  }

  /** Cost units of this tenant that are held back by the throttle now. */
  waiting(tenant: Tenant): number {
    return this.waitings[tenant.index];
  }

  /** 99th percentile of (queue + service) here, µs, not counting the throttle's own delay; 0 when nothing completed. */
  p99(tenant: Tenant): number {
    return this.p99sUs[tenant.index];
  }

  /** Age of the oldest request of this tenant that waits here now, for the throttle or for a slot, µs; 0 when none does. */
  oldest(tenant: Tenant): number {
    return this.oldestsUs[tenant.index];
  }

  /** Do requests that pass here go on to use this resource? Observed on real requests, across services. */
  feeds(resource: Resource): boolean {
    return this.fed[resource.index] === 1;
  }

  /**
   * The rate here, in cost units per second, at which this tenant would put `load` on `resource`: judged by what its own
   * requests used in the window, or, when it got none through, by everybody's. Infinity when its requests put no load there:
   * no rate here would change anything. Where it comes by several points, one by which it hardly came is not taken for what its
   * load is due to (inflows.ts).
   */
  rateFor(resource: Resource, tenant: Tenant, load: number): number {
    const { index } = tenant;
    const inflow = resource.inflows.get(this.unit);
    const [cost, costs] =
      this.throughputs[index] > 0
        ? [reckoned(this.throughputs[index], inflow?.most[index]), resource.loads[index]]
        : [reckoned(this.totalThroughput, inflow?.mostOfAll), resource.totalLoad()];
    const ratio = cost > 0 && costs > 0 ? cost / costs : Number.POSITIVE_INFINITY;
    return ratio === Number.POSITIVE_INFINITY ? ratio : ratio * load;
  }
}

/** The whole cluster in one window. */
export interface View {
  /** Length of the window the figures are for, µs. */
  readonly windowUs: number;
  readonly tenants: readonly Tenant[];
  readonly resources: readonly Resource[];
  readonly points: readonly Point[];
  /** Groups of tenants, parents before their children; absent: there are none. */
  readonly groups?: readonly Group[];
  /** Limits that policies before this one in the stack have set in this window; absent: none. Demands are within them already. */
  readonly decided?: Rates;
  /** What the rates in force do to whom, if somebody has reckoned it already; `holdsOf(view)` gives it in any case. */
  readonly holds?: Holds;
}

/** The paper's S = argmax_r slowdown(r): the most slowed-down resource; undefined when there is none. */
export function slowest(resources: readonly Resource[]): Resource | undefined {
  let worst: Resource | undefined;
  for (const resource of resources) if (worst === undefined || resource.slowdown > worst.slowdown) worst = resource;
  return worst;
}
