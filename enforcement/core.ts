/** What of enforcement stands alone: offered to those who build on it as part of `tenantry/core`. */

export { createTokenBucket, type TokenBucket, type TokenBucketOptions } from "./points/token-bucket.js";
export { SCHEDULER_KINDS, type SchedulerKind } from "./schedulers/index.js";
export { createScheduler, type Job, type Scheduler, type SchedulerOptions } from "./schedulers/job-scheduler.js";
