/** What a run of a pool of slots is made with. */
import type { SchedulerKind, SchedulerOptions } from "../../enforcement/index.js";
import type { Workload } from "./workload.js";

/** How costs are estimated. */
export type EstimatorKind = NonNullable<SchedulerOptions["estimator"]>;

export interface PoolOptions {
  workload: Workload;
  /** n. */
  slots: number;
  /** r: cost units one slot works off per second. */
  unitsPerSecPerSlot: number;
  scheduler: SchedulerKind;
  /** Default: the scheduler's own. */
  estimator?: EstimatorKind;
  /** What comes before counts neither for lag nor for latency. Default 0. */
  warmUpUs?: number;
  /** Between two measurements of use so far; default 10 ms, and never (Infinity) where costs are known. */
  refreshUs?: number;
  /** Between two looks at lags; default 10 ms, Infinity: nothing is measured but latencies. */
  sampleUs?: number;
  /** How many cost units are a second of lag. Default r: lag is then in seconds of one slot. */
  lagUnitsPerSec?: number;
  /** Tenants whose lag and service are kept over time. */
  watch?: readonly number[];
  /** Which part of the run is kept as a map of who occupied which slot. */
  occupancy?: { fromUs: number; toUs: number };
  /** Credit at re-activation, jobs; default: the scheduler's own. */
  creditJobs?: number;
  /** The scheduler sees time in steps of this, µs; default: exact. For experiments. */
  clockGrainUs?: number;
}
