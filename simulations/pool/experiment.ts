/** What the experiments with populations have in common: one run of a pool, and what is kept of it as plain data. */
import type { SchedulerKind } from "../../enforcement/index.js";
import type { Box } from "../report/index.js";
import { sortedQuantile } from "./latency-log.js";
import type { Stint } from "./occupancy.js";
import type { EstimatorKind } from "./options.js";
import { FIXED_TENANTS, NAMED_TENANTS } from "./population.js";
import { SlotPool } from "./slot-pool.js";
import type { Workload } from "./workload.js";

/** A scheduler with an estimator, by the name pictures give it. */
export interface Contender {
  name: string;
  scheduler: SchedulerKind;
  estimator: EstimatorKind;
}

/** The three the paper compares where costs are unknown. */
export const ESTIMATING: readonly Contender[] = [
  { name: "WFQᴱ", scheduler: "wfq", estimator: "moving-average" },
  { name: "WF2Qᴱ", scheduler: "wf2q", estimator: "moving-average" },
  { name: "2DFQᴱ", scheduler: "2dfq", estimator: "pessimistic" },
];

/** Tenants whose figures are shown one by one. */
export const SHOWN_TENANTS: readonly string[] = [...NAMED_TENANTS, ...FIXED_TENANTS];

export interface RunSettings {
  slots: number;
  unitsPerSecPerSlot: number;
  warmUpSec: number;
  endSec: number;
  /** Names of tenants whose lag and service are kept over time. */
  watch?: readonly string[];
  /** Measure nothing but latencies, which is faster. Default false. */
  latenciesOnly?: boolean;
  /** Credit at re-activation, jobs; default: the scheduler's own. */
  creditJobs?: number;
  /** Steps in which the scheduler sees time, µs; default: exact. */
  clockGrainUs?: number;
  /** Seconds of the run whose occupancy is kept. */
  occupancySec?: [number, number];
}

/** What is kept of a run. */
export interface RunRecord {
  hash: string;
  events: number;
  /** Quantiles of latency, µs, of `SHOWN_TENANTS`. */
  latencyUs: Box[];
  /** By tenant: σ and range of the lag, seconds of a fair share. */
  sigmaSec: Float64Array;
  rangeSec: Float64Array;
  /** Gini index of the service, by window of 100 ms. */
  gini: number[];
  /** Of watched tenants: lag by sample of 10 ms, s; service by window of 100 ms, cost units. */
  lagSec: number[][];
  service: number[][];
  stints: Stint[];
}

/** Runs a population under one contender; a second of lag is what a tenant would get if all had work. */
export function runContender(workload: Workload, { scheduler, estimator }: Contender, settings: RunSettings): RunRecord {
  const { slots, unitsPerSecPerSlot: rate, warmUpSec, endSec, watch = [], occupancySec } = settings;
  const { clockGrainUs, creditJobs, latenciesOnly } = settings;
  const pool = new SlotPool({
    workload,
    slots,
    unitsPerSecPerSlot: rate,
    lagUnitsPerSec: (slots * rate) / workload.tenants.length,
    scheduler,
    estimator,
    warmUpUs: warmUpSec * 1e6,
    ...(latenciesOnly ? { sampleUs: Number.POSITIVE_INFINITY } : {}),
    ...(clockGrainUs === undefined ? {} : { clockGrainUs }),
    ...(creditJobs === undefined ? {} : { creditJobs }),
    watch: watch.map((name) => workload.tenants.indexOf(name)),
    ...(occupancySec === undefined ? {} : { occupancy: { fromUs: occupancySec[0] * 1e6, toUs: occupancySec[1] * 1e6 } }),
  });
  pool.run(endSec * 1e6);
  pool.close();
  const latencies = pool.latencies.byTenant(workload.tenants.length);
  return {
    hash: pool.trace.hash,
    events: pool.events,
    latencyUs: SHOWN_TENANTS.map((name) => boxOf(latencies[workload.tenants.indexOf(name)])),
    sigmaSec: pool.lag.deviations(),
    rangeSec: pool.lag.ranges(),
    gini: pool.windows.gini,
    lagSec: pool.lag.series,
    service: pool.windows.series,
    stints: pool.stints,
  };
}

/** p1, p25, p50, p75, p99 of sorted values. */
export function boxOf(sorted: Float64Array): Box {
  const at = (q: number) => sortedQuantile(sorted, q);
  return { low: at(0.01), q25: at(0.25), q50: at(0.5), q75: at(0.75), high: at(0.99) };
}

/** 99th percentile of one of `SHOWN_TENANTS`, ms. */
export function p99Ms(record: { latencyUs: Box[] }, tenant: string): number {
  return record.latencyUs[SHOWN_TENANTS.indexOf(tenant)].high / 1e3;
}
