import type { Chance, Clock, Transport } from "../proto/ports.js";
import type { ControlPoint, PointOptions } from "./control-point.js";
import type { ResourceMeter, ResourceOptions } from "./resource-meter.js";
import type { TenantIndex } from "./tenant-table.js";
import type { ViaTable } from "./via.js";

export interface AgentOptions {
  /** Logical service, a name. */
  service: string;
  /** Unique among the live instances of the service. */
  instance: string;
  /** Random per process start. */
  boot: string;
  clock: Clock;
  chance: Chance;
  /** How to reach a controller; absent: local fairness only. */
  transport?: Transport | undefined;
  /** What follows when the controller stays away for long: "open" (no limit, the default), "floor" (`floorPerSec` each) or "closed". */
  endState?: "open" | "floor" | "closed";
  /** Rate per tenant and point in the end state "floor", cost units per second. */
  floorPerSec?: number;
  /** Tenants known at once, at most; the rest share the tenant "overflow". Default 10,000. */
  maxTenants?: number;
  /** Resources and control points, at most. Default 256. */
  maxMeters?: number;
  /** Time at the fallback rates before the end state, µs. Default 60 s. */
  endAfterUs?: number;
  /** Told of each step once; `io/` logs it. */
  onEvent?: ((event: AgentEvent) => void) | undefined;
}

export type AgentEventKind =
  | "connected"
  | "disconnected"
  | "holding"
  | "decaying"
  | "fallback"
  | "open"
  | "floor"
  | "closed"
  | "bounded";

export interface AgentEvent {
  readonly kind: AgentEventKind;
  /** In plain words, for a log. */
  readonly message: string;
  readonly error?: Error;
}

/** Read from outside; nothing here may be written. */
export interface AgentState {
  readonly connected: boolean;
  /** Epoch and sequence of the allocation in force; 0, 0: none. */
  readonly epoch: number;
  readonly sequence: number;
  /** Where the rates stand: none in force, under a valid lease, or on the way down. */
  readonly ladder: "open" | "leased" | "decaying" | "fallback" | "floor" | "closed";
  readonly tenants: number;
  readonly windowUs: number;
  readonly reportsSent: number;
  readonly reportsAcknowledged: number;
  readonly allocationsApplied: number;
  readonly allocationsIgnored: number;
  readonly connectionAttempts: number;
  readonly limitsInForce: number;
}

/** The library's heart: everything a service links, without the world around it. `io/` wraps it for Node. */
export declare class Agent {
  constructor(options: AgentOptions);
  readonly service: string;
  readonly vias: ViaTable;
  readonly state: AgentState;
  /** The tenant's handle. @throws TenantryError BAD_TENANT */
  tenant(id: string): TenantIndex;
  tenantName(index: TenantIndex): string;
  resource(name: string, options?: ResourceOptions): ResourceMeter;
  controlPoint(name: string, options?: PointOptions): ControlPoint;
  start(): void;
  close(done: () => void): void;
}
