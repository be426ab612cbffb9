/** The library linked into services, without the world around it: simulations and `io/` construct agents from here. */
export { Agent, type AgentOptions, type AgentState } from "./agent.js";
export { ControlPoint } from "./control-point.js";
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
export type { EndState, LadderState } from "./ladder.js";
export { Operation, type OperationPhase } from "./operation.js";
export type { PointOptions } from "./point-options.js";
export type { Refusals } from "./refusal.js";
export { Request, type RequestHandlers, type RequestOptions, type RequestPhase } from "./request.js";
export { type RecordOptions, ResourceMeter, type ResourceOptions } from "./resource-meter.js";
export { OVERFLOW, type TenantIndex, UNKNOWN } from "./tenant-table.js";
export { type ViaSet, ViaTable } from "./via.js";
