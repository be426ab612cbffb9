/** The library linked into services, without the world around it: simulations and `io/` construct agents from here. */
export { Agent, type AgentEvent, type AgentEventKind, type AgentOptions, type AgentState } from "./agent.js";
export { ControlPoint, type PointOptions } from "./control-point.js";
export { Request, type RequestHandlers, type RequestOptions, type RequestPhase } from "./request.js";
export { Operation, type RecordOptions, ResourceMeter, type ResourceOptions } from "./resource-meter.js";
export type { TenantIndex } from "./tenant-table.js";
export { type ViaSet, ViaTable } from "./via.js";
