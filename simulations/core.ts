/**
 * `tenantry/core`: the arithmetic alone, for those who build on it. Synchronous, without clocks, timers or I/O;
 * time is an argument, in whole microseconds. Simulations drive these very functions.
 */
export {
  createScheduler,
  createTokenBucket,
  type Job,
  SCHEDULER_KINDS,
  type Scheduler,
  type SchedulerKind,
  type SchedulerOptions,
  type TokenBucket,
  type TokenBucketOptions,
} from "../enforcement/index.js";
export { dominantResourceShares, maxMinFair } from "../policies/index.js";
