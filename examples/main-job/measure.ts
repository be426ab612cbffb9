/**
 * What is measured. A moment is one look, about once a second: every latency the load generator saw since the last look, and the
 * controller's view. A phase is its moments; percentiles are of all its latencies together, never averages of percentiles.
 */
import type { ViewSnapshot } from "tenantry/controller";
import { maxMinFair } from "tenantry/policies";
import type { Act } from "./acts.js";
import { CONNECTIONS, STORAGES, THREADS } from "./cluster.js";
import type { Seens } from "./load.js";
import type { TenantName } from "./workload.js";

export interface Moment {
  /** Since the first phase began, and since the last look. */
  atSec: number;
  forSec: number;
  seens: Seens;
  view: ViewSnapshot | undefined;
}

/** One tenant over some moments. */
export interface TenantFigures {
  throughputPerSec: number;
  p50Ms: number;
  p99Ms: number;
  /** Of what the bottleneck did for all tenants, 0..1. */
  share: number;
  /** Servers of the bottleneck this tenant kept busy, and would keep busy under weighted max-min fairness. */
  busy: number;
  fairBusy: number;
  /** The resource of whose servers it had the largest part, and that part, 0..1. */
  dominant: { resource: string; share: number };
  refused: number;
  failed: number;
}

export interface Figures {
  tenants: Record<TenantName, TenantFigures>;
  bottleneck: string;
  /** Part of the time its servers were busy, 0..1. */
  utilisation: number;
}

/** Threads that serve each resource; the disk's are the operating system's. */
const SERVERS: Record<string, number> = {
  "gateway/event-loop": 1,
  "storage/event-loop": STORAGES,
  "storage/workers": STORAGES * THREADS,
  "storage/connections": STORAGES * CONNECTIONS,
};

/** The resource whose servers were busiest over some moments, of those that can be counted. */
export function bottleneckOf(moments: readonly Moment[]): string {
  const busy = Object.entries(SERVERS).map(([name, servers]) =>
    mean(moments, (view) => (view.resources.find((each) => each.name === name)?.busyUsPerSec ?? 0) / servers),
  );
  return Object.keys(SERVERS)[busy.indexOf(Math.max(...busy))];
}

/** Slowdown as measured: not relative to calm. */
export function rawSlowdown(view: ViewSnapshot, name: string): number {
  const resource = view.resources.find((each) => each.name === name);
  return resource === undefined ? 1 : resource.slowdown * resource.floor;
}

/** @param bottleneck the resource that shares are of */
export function figuresOf(moments: readonly Moment[], bottleneck: string, act: Act): Figures {
  const names = cast(act);
  const ofBottleneck = (view: ViewSnapshot) => view.resources.find((each) => each.name === bottleneck);
  const seconds = moments.reduce((sum, { forSec }) => sum + forSec, 0);
  const total = mean(moments, (view) => ofBottleneck(view)?.load ?? 0) / 1e6;
  const busy = names.map((name) => mean(moments, (view) => ofBottleneck(view)?.tenants[name]?.load ?? 0) / 1e6);
  // Who floods wants whatever there is; what the others want, the controller has judged by what they use and what waits.
  const demands = names.map((name) =>
    act.floods.includes(name)
      ? Number.POSITIVE_INFINITY
      : mean(moments, (view) => ofBottleneck(view)?.tenants[name]?.demand ?? 0) / 1e6,
  );
  const fair = maxMinFair(total, demands);
  const tenants = names.map((name, i): [TenantName, TenantFigures] => {
    const latenciesMs = latenciesOf(moments, name);
    const sum = (field: "refused" | "failed") => moments.reduce((all, { seens }) => all + (seens[name]?.[field] ?? 0), 0);
    return [
      name,
      {
        throughputPerSec: latenciesMs.length / Math.max(seconds, 1e-9),
        p50Ms: quantile(latenciesMs, 0.5),
        p99Ms: quantile(latenciesMs, 0.99),
        share: total > 0 ? busy[i] / total : 0,
        busy: busy[i],
        fairBusy: fair[i],
        dominant: dominantOf(moments, name),
        refused: sum("refused"),
        failed: sum("failed"),
      },
    ];
  });
  const servers = SERVERS[bottleneck] ?? 1;
  return { tenants: Object.fromEntries(tenants) as Figures["tenants"], bottleneck, utilisation: total / servers };
}

/** Everybody who plays, in the order in which they are shown. */
export function cast({ calm, floods }: Act): TenantName[] {
  return [...calm, ...floods];
}

function dominantOf(moments: readonly Moment[], tenant: TenantName): { resource: string; share: number } {
  const shares = Object.entries(SERVERS).map(([resource, servers]) => {
    const load = (view: ViewSnapshot) => view.resources.find(({ name }) => name === resource)?.tenants[tenant]?.load ?? 0;
    return { resource, share: mean(moments, load) / 1e6 / servers };
  });
  return shares.reduce((most, each) => (each.share > most.share ? each : most));
}

/** Every latency of a tenant over some moments, ms, sorted. */
export function latenciesOf(moments: readonly Moment[], tenant: TenantName): number[] {
  return moments.flatMap(({ seens }) => seens[tenant]?.latenciesMs ?? []).sort((a, b) => a - b);
}

/** The smallest value that at least a fraction q of all are no greater than; NaN when there is none. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted.length === 0 ? Number.NaN : sorted[Math.ceil(q * sorted.length) - 1];
}

/** The mean over the moments in which the controller answered. */
function mean(moments: readonly Moment[], of: (view: ViewSnapshot) => number): number {
  const values = moments.flatMap(({ view }) => (view === undefined ? [] : [of(view)]));
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The tightest rate in force for a tenant (or the one that would be, when only observed) where requests are counted, and why. */
export function limitOf(view: ViewSnapshot | undefined, tenant: TenantName) {
  const limits = (view?.points ?? []).flatMap((point) => {
    if (point.unit !== "requests") return [];
    const at = point.tenants[tenant];
    const ratePerSec = at?.ratePerSec ?? at?.shadowRatePerSec ?? null;
    return ratePerSec === null ? [] : [{ point: point.name, ratePerSec, inForce: at.ratePerSec !== null, reason: at.reason }];
  });
  return limits.sort((a, b) => a.ratePerSec - b.ratePerSec).at(0);
}
