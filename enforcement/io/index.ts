/**
 * What `import … from "tenantry"` gives: the library a service links.
 */
export { type ErrorCode, type RefusalCode, TenantryError, ThrottledError } from "../../proto/errors.js";
export type { Transport } from "../../proto/ports.js";
export type { AgentEvent, AgentEventKind, AgentState, PointOptions, RecordOptions, ResourceOptions } from "../index.js";
export type { BaggageMember } from "./baggage.js";
export type { Batch } from "./batch.js";
export type { CallHandle, CallOptions } from "./call.js";
export { type CreateAgentOptions, createAgent } from "./create-agent.js";
export type { EventLoopOptions, EventLoopProbe } from "./event-loop.js";
export type { IncomingHeaders, OutgoingHeaders } from "./header-carrier.js";
export { type Quota, quotaOf, rateLimitHeaders, refuse } from "./rate-limit-headers.js";
export type { ServiceAgent } from "./service-agent.js";
export type { ServicePoint } from "./service-point.js";
export type { ServiceResource, UseOptions } from "./service-resource.js";
export { type TenantContext, tenantFromHeaders } from "./tenant-headers.js";
