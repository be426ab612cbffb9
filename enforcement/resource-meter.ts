import type { TenantIndex } from "./tenant-table.js";
import type { ViaSet } from "./via.js";

export interface ResourceOptions {
  /** At most this many operations in service; the rest queue in order of arrival, and the queueing is measured. Default: no bound. */
  slots?: number;
  /** Unit of cost, for display. Default "us": what is used is time in service. */
  unit?: string;
}

/** What `record` may say beyond the amount. */
export interface RecordOptions {
  /** Operations this stands for. Default 1. */
  count?: number;
  /** Time they waited in all, µs. Default 0. */
  waitUs?: number;
  /** Time they were in service in all, µs. Default: the amount when the meter's unit is "us", else 0. */
  serviceUs?: number;
}

/** One use of a resource, from `use` to exactly one `finish` or `cancel`. */
export class Operation {
  readonly tenant: TenantIndex;
  readonly via: ViaSet;
  /** Called once when service begins, possibly within `use`. */
  readonly onStart: (operation: Operation) => void;

  constructor(options: { tenant: TenantIndex; via?: ViaSet }, onStart: (operation: Operation) => void) {
    this.tenant = options.tenant;
    this.via = options.via ?? 0;
    this.onStart = onStart;
  }
}

/** Measures who uses one resource, and how much slower than in calm. Made by `agent.resource(name)`. */
export abstract class ResourceMeter {
  abstract readonly name: string;
  /** The meter's index in reports. */
  abstract readonly index: number;
  abstract readonly unit: string;
  /** Operations in the resource's own queue now. */
  abstract readonly waiting: number;
  /** Operations in service now. */
  abstract readonly running: number;

  /** Begins an operation: in service at once, or when a slot is free. Calls `operation.onStart` exactly once unless cancelled. */
  abstract use(operation: Operation): void;
  /**
   * Ends an operation that is in service; its slot goes to the next.
   * @param cost what it used, in the meter's unit; default: its time in service, µs
   * @throws TenantryError BAD_JOB when it is not in service (ended before, or never started)
   */
  abstract finish(operation: Operation, cost?: number): void;
  /** Takes an operation out of the queue. @returns false when it is not queued (it runs, or has ended) */
  abstract cancel(operation: Operation): boolean;
  /** For things that queue elsewhere: one more waits. Follow with `begin` or `leave`. */
  abstract arrive(tenant: TenantIndex): void;
  /** One that waited gave up. */
  abstract leave(tenant: TenantIndex): void;
  /** One is in service from now; `waited`: it had been announced by `arrive`. Follow with `end`. */
  abstract begin(tenant: TenantIndex, via: ViaSet, waited: boolean): void;
  /** One that was in service is done. `cost` in the meter's unit; undefined: see `startedUs`, the clock time `begin` was called at. */
  abstract end(tenant: TenantIndex, startedUs: number, cost?: number): void;
  /**
   * Counts use that was measured elsewhere.
   * @param amount units used, ≥ 0
   * @example network.record(tenant, via, bytes);
   * @example eventLoop.record(tenant, via, turnUs, { waitUs });
   */
  abstract record(tenant: TenantIndex, via: ViaSet, amount: number, options?: RecordOptions): void;
}
