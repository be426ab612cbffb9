/** The library linked into services, without the world around it: simulations and `io/` construct agents from here. */
export { Agent, type AgentOptions, type AgentState } from "./agent.js";
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
} from "./core.js";
export type { AgentEvent, AgentEventKind } from "./events.js";
export { Operation, type OperationOptions, type OperationPhase } from "./meters/operation.js";
export { type RecordOptions, ResourceMeter, type ResourceOptions } from "./meters/resource-meter.js";
export { type Share, sharesOf } from "./meters/shares.js";
export { ControlPoint } from "./points/control-point.js";
export type { PointOptions } from "./points/point-options.js";
export type { Refusals } from "./points/refusal.js";
export { Request, type RequestHandlers, type RequestOptions, type RequestPhase } from "./points/request.js";
export { IndexedHeap } from "./schedulers/indexed-heap.js";
export type { EndState, LadderState } from "./session/ladder.js";
export { OVERFLOW, type TenantIndex, UNKNOWN } from "./tenant-table.js";
export { type ViaSet, ViaTable } from "./via.js";
