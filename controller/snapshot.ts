/**
 * The view as people and tools see it: plain JSON, served at /api/view, bounded in size. What policies see is `View` of
 * policies/view.ts; this is the same figures with names, plus what was decided and why.
 */
import type { PolicyOrigin, Terms } from "../policies/index.js";
import type { Mode } from "./modes.js";

/** Everything about one moment. Numbers are finite; `null` stands for "none". */
export interface ViewSnapshot {
  /** The controller's term, and the number of its last allocation. */
  epoch: number;
  sequence: number;
  /** Length of a window, µs. */
  windowUs: number;
  /** True in the first window after a start: rates held from before are echoed, nothing is decided. */
  learning: boolean;
  /** The mode of everything. */
  mode: Mode;
  /** In the order in which they decide. */
  policies: PolicySnapshot[];
  instances: InstanceSnapshot[];
  /** Those with the largest shares first, at most `viewTenants` of them; `tenantCount` says how many there are. */
  tenants: TenantSnapshot[];
  tenantCount: number;
  resources: ResourceSnapshot[];
  points: PointSnapshot[];
  /** Decisions the guard refused, since the start, by cause. */
  refusals: Record<string, number>;
}

/** One policy: its mode and parameters, and how it fared. */
export interface PolicySnapshot {
  name: string;
  mode: Mode;
  params: Record<string, number>;
  /** Is it part of the configured stack? */
  stacked: boolean;
  /** Limits it wants now, (point, tenant) pairs, and tenants that have one. */
  limits: number;
  tenants: number;
  /** Pairs of which its limit is the one in force. */
  decisive: number;
  /** What would be other than it is, were its limits in force as well; nothing for one whose limits are. */
  apart: PolicyComparison;
  /** Why its last decision was refused; null when it was taken. */
  refused: string | null;
  /** Of a policy from a file: which version of it runs, and what became of the others; null: it comes with the package. */
  origin: PolicyOrigin | null;
}

/** What of a policy is other than what is in force. */
export interface PolicyComparison {
  /** Tenants that it would hold to less at some point than they are held to now. */
  tenants: number;
  /** By point: how much of what gets through now it would not let through, the point's `unit` per second. */
  lessPerSec: Record<string, number>;
}

/** One process that reports. */
export interface InstanceSnapshot {
  service: string;
  instance: string;
  /** Since it joined, µs. */
  ageUs: number;
  /** Since its last report, µs; null before the first. */
  silentUs: number | null;
  /** Has it reported within the last windows? */
  live: boolean;
  /** Allocation it has said it holds. */
  heldSequence: number;
}

/** One tenant: its weight, mode and terms. */
export interface TenantSnapshot {
  id: string;
  weight: number;
  mode: Mode;
  /** Id of the group it belongs to; null: none. */
  group: string | null;
  /** What is agreed with it; null: nothing. */
  terms: Terms | null;
  /** Where it misses its latency target though nothing it uses is crowded, and what 99 of 100 take there, µs; null: nowhere. */
  outOfReach: { point: string; p99Us: number } | null;
}

/** One resource, over all instances of its service. */
export interface ResourceSnapshot {
  /** `service/name`. */
  name: string;
  unit: string;
  /** Relative to `floor`: 1 is calm. */
  slowdown: number;
  floor: number;
  hottest: { instance: string; slowdown: number };
  /** Time in service by all tenants over all instances, µs per second: 1_000_000 is one server kept busy. */
  busyUsPerSec: number;
  /** Use by all tenants, `unit` per second. */
  load: number;
  /** By tenant id; only tenants listed in `tenants`, with load or demand. */
  tenants: Record<string, ResourceTenantSnapshot>;
}

/** What one tenant uses of a resource, and would use. */
export interface ResourceTenantSnapshot {
  /** `unit` per second. */
  load: number;
  demand: number;
  /** Of the load of all, 0..1. */
  share: number;
  /** Mean wait + service of one operation, µs. */
  latencyUs: number;
}

/** One control point, over all instances of its service. */
export interface PointSnapshot {
  /** `service/name`. */
  name: string;
  unit: string;
  mode: Mode;
  /** Logical names of the resources its requests were seen to use. */
  feeds: string[];
  /** By tenant id; only tenants listed in `tenants`, with something to tell. */
  tenants: Record<string, PointTenantSnapshot>;
}

/** What one tenant does at a control point, and how it is held back there. */
export interface PointTenantSnapshot {
  /** `unit` per second. */
  throughputPerSec: number;
  /** The rate in force over all instances, `unit` per second; null: unlimited. */
  ratePerSec: number | null;
  /** The rate that would be in force if what is observed were enforced; null: the same, or unlimited. */
  shadowRatePerSec: number | null;
  /** Requests held back by the throttle now. */
  waiting: number;
  /** Requests that wait for a slot now. */
  queued: number;
  /** Age of the oldest request that waits, µs. */
  oldestUs: number;
  /** Wait for a slot + service, of the requests completed in the last window, µs; 0: none completed. */
  p50Us: number;
  p99Us: number;
  refusedPerSec: number;
  /** Who set `ratePerSec` (or `shadowRatePerSec`), and because of which resource; null: no rate. */
  reason: Reason | null;
  /** The next tighter rule, which would be in force were it not for that one; null: none. */
  runnerUp: (Reason & { ratePerSec: number }) | null;
}

/** A policy, and the resource its limit is because of; null: none. */
export interface Reason {
  policy: string;
  resource: string | null;
}

/** The answer to: is this tenant slowed down, by which rule, because of which resource, and what would help? */
export interface Explanation {
  tenant: string;
  /** The answer in words. */
  sentence: string;
  /** Has it been seen lately? */
  known: boolean;
  weight: number;
  mode: Mode;
  /** Limits on it, the tightest (rate against what it asks for) first. */
  limits: LimitExplanation[];
}

/** One rate a tenant has, and why, in figures and in words. */
export interface LimitExplanation {
  point: string;
  unit: string;
  /** "enforce": in force. "observe": would be in force. */
  mode: Mode;
  ratePerSec: number;
  throughputPerSec: number;
  /** Requests held back now. */
  waiting: number;
  policy: string;
  /** The resource that is short; null when the rule is about none. */
  resource: string | null;
  /** What would be in force were it not for that rule; null: no limit. */
  runnerUp: (Reason & { ratePerSec: number }) | null;
  /** What it is promised there: no rule but the promising one's own holds it to less; null: nothing. */
  promisedPerSec: number | null;
  /** Slowdown of that resource relative to calm, and this tenant's part of its load, 0..1; null without a resource. */
  slowdown: number | null;
  share: number | null;
}

/** Figures about the controller itself; grow from its start unless said otherwise. Read, never written, from outside. */
export interface Counters {
  reports: number;
  /** (tenant, meter) rows in them. */
  tuples: number;
  duplicateReports: number;
  /** Reports that did not follow what was applied before. */
  badSequences: number;
  /** Reports that broke the contract. */
  badMessages: number;
  /** Rows of meters beyond the bounds, ignored. */
  droppedRows: number;
  /** Limits that did not fit into a message, and so are not in force at its receiver; summed over all messages. */
  limitsLeftOut: number;
  sessionsAccepted: number;
  sessionsRefused: number;
  instancesDied: number;
  allocations: number;
  ticks: number;
  /** Ticks that came more than half a window late. */
  lateTicks: number;
  decisions: number;
  /** Names that found the tenant table full and share "overflow". */
  overflows: number;
  storeFailures: number;
  /** Decisions refused by the guard, by cause. */
  refusals: Record<string, number>;
  /** How long the last tick took, µs. Not a sum. */
  tickUs: number;
}
