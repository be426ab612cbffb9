/** What of enforcement stands alone: offered to those who build on it as part of `tenantry/core`. */
export { createScheduler, type Job, type Scheduler, type SchedulerOptions } from "./job-scheduler.js";
export { SCHEDULER_KINDS, type SchedulerKind } from "./schedulers.js";
export { createTokenBucket, type TokenBucket, type TokenBucketOptions } from "./token-bucket.js";
