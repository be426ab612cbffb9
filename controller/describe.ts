/** The view for people: names instead of indices, and bounded: the tenants with the largest shares, limited ones first. */
import type { PointFigures, ResourceFigures } from "./figures.js";
import type { Limit } from "./limit-table.js";
import type { Instance } from "./membership.js";
import type { MeterBook } from "./meter-book.js";
import type { PolicyLoop } from "./policy-loop.js";
import type { Settings } from "./settings.js";
import type {
  InstanceSnapshot,
  PointSnapshot,
  PointTenantSnapshot,
  Reason,
  ResourceSnapshot,
  TenantSnapshot,
} from "./snapshot.js";
import type { TargetWatch } from "./targets.js";
import type { ViewBuilder } from "./view-builder.js";

/** What is described; all of it read only. */
export interface Described {
  builder: ViewBuilder;
  loop: PolicyLoop;
  settings: Settings;
  meters: MeterBook;
  targets: TargetWatch;
}

/** Who set a limit and because of which resource, by name. */
export function reasonOf(limit: Pick<Limit, "policy" | "resource" | "note">, { loop, meters }: Described): Reason {
  if (limit.policy < 0) {
    const [policy, resource] = limit.note.split("|");
    return { policy, resource: resource || null };
  }
  return { policy: loop.wanted[limit.policy].policy.name, resource: meters.at(limit.resource)?.name ?? null };
}

/** The limit that would stand were it not for the tightest; null: there is none. */
function runnerUpOf(point: number, seat: number, level: 1 | 2, described: Described): PointTenantSnapshot["runnerUp"] {
  const next = described.loop.rivals(point, seat, level)[1];
  return next === undefined ? null : { ...reasonOf({ ...next, note: "" }, described), ratePerSec: next.ratePerSec };
}

/** At most `most` instances, those heard of last. */
export function describeInstances(instances: Iterable<Instance>, nowUs: number, most: number): InstanceSnapshot[] {
  const all = [...instances];
  if (all.length > most) all.sort((a, b) => b.lastReportUs - a.lastReportUs).length = most;
  return all.map((instance) => ({
    service: instance.service,
    instance: instance.instance,
    ageUs: nowUs - instance.joinedUs,
    silentUs: instance.lastReportUs < 0 ? null : nowUs - instance.lastReportUs,
    live: instance.live,
    heldSequence: instance.heldSequence,
  }));
}

/** View indices of the tenants to show, the most important first. */
export function chooseTenants({ builder, loop }: Described, most: number): number[] {
  const { tenants } = builder.view;
  const scores = new Float64Array(tenants.length);
  for (const { resource } of builder.resources) raise(scores, resource.loads, resource.totalLoad());
  for (const { point, queued, throttled } of builder.points) {
    raise(scores, point.throughputs, point.totalThroughput);
    for (let v = 0; v < scores.length; v++) if (queued[v] + throttled[v] > 0) scores[v] += 1e-6;
  }
  loop.shadow.forEach((_point, seat) => {
    const v = builder.indexOf(seat);
    if (v >= 0 && scores[v] < 1) scores[v] += 1;
  });
  const order = Array.from(tenants, (_, v) => v);
  order.sort((a, b) => scores[b] - scores[a] || a - b);
  return order.slice(0, most);
}

function raise(scores: Float64Array, column: Float64Array, total: number): void {
  if (!(total > 0)) return;
  for (let v = 0; v < scores.length; v++) scores[v] = Math.max(scores[v], column[v] / total);
}

export function describeTenants({ builder, settings, targets }: Described, chosen: readonly number[]): TenantSnapshot[] {
  return chosen.map((v) => {
    const { id, weight } = builder.view.tenants[v];
    const { point, p99Us } = targets.outOfReach.get(id) ?? {};
    const outOfReach = point === undefined || p99Us === undefined ? null : { point, p99Us };
    const terms = settings.terms.get(id) ?? null;
    return { id, weight, mode: settings.tenantMode(id), group: settings.group(id) ?? null, terms, outOfReach };
  });
}

export function describeResource(figures: ResourceFigures, { builder }: Described, chosen: readonly number[]): ResourceSnapshot {
  const { resource, busyUsPerSec } = figures;
  const total = resource.totalLoad();
  const tenants: ResourceSnapshot["tenants"] = emptyRecord();
  for (const v of chosen) {
    const load = resource.loads[v];
    const demand = resource.demands[v];
    if (load === 0 && demand === 0) continue;
    tenants[builder.view.tenants[v].id] = {
      load,
      demand,
      share: total > 0 ? load / total : 0,
      latencyUs: resource.latenciesUs[v],
    };
  }
  const { name, unit, slowdown, floor, hottest } = resource;
  return { name, unit, slowdown, floor, hottest: { ...hottest }, busyUsPerSec, load: total, tenants };
}

export function describePoint(figures: PointFigures, described: Described, chosen: readonly number[]): PointSnapshot {
  const { builder, settings } = described;
  const { point } = figures;
  const tenants: PointSnapshot["tenants"] = emptyRecord();
  for (const v of chosen) {
    const entry = describePair(figures, v, described);
    if (entry !== undefined) tenants[builder.view.tenants[v].id] = entry;
  }
  return {
    name: point.name,
    unit: point.unit,
    mode: settings.pointMode(point.name),
    feeds: builder.view.resources.filter((resource) => point.feeds(resource)).map((resource) => resource.name),
    tenants,
  };
}

/** One tenant at one point; undefined: nothing to tell. */
export function describePair(figures: PointFigures, v: number, described: Described): PointTenantSnapshot | undefined {
  const { builder, loop } = described;
  const { meter, point, throttled, queued, refusedPerSec, oldestUs, p50sUs } = figures;
  const seat = builder.seatOf[v];
  const limit = loop.inForce.get(meter.index, seat);
  const shadow = loop.shadow.get(meter.index, seat);
  const idle = point.throughputs[v] + throttled[v] + queued[v] + refusedPerSec[v] === 0;
  if (idle && limit === undefined && shadow === undefined) return undefined;
  const shown = limit ?? shadow;
  return {
    throughputPerSec: point.throughputs[v],
    ratePerSec: limit?.ratePerSec ?? null,
    shadowRatePerSec: shadow === undefined || shadow.ratePerSec === limit?.ratePerSec ? null : shadow.ratePerSec,
    waiting: throttled[v],
    queued: queued[v],
    oldestUs: oldestUs[v],
    p50Us: p50sUs[v],
    p99Us: point.p99sUs[v],
    refusedPerSec: refusedPerSec[v],
    reason: shown === undefined ? null : reasonOf(shown, described),
    runnerUp: shown === undefined ? null : runnerUpOf(meter.index, seat, limit === undefined ? 1 : 2, described),
  };
}

/** Tenant ids come from outside: "__proto__" must be a key like any other. */
export function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}
