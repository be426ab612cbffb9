/**
 * One request at one control point, from `submit` (or `throttle`) to exactly one end: completed, cancelled or refused.
 */
import type { ThrottledError } from "../../proto/errors.js";
import type { Alarm } from "../../proto/ports.js";
import type { TicketScheduler } from "../schedulers/scheduler.js";
import { Ticket } from "../schedulers/ticket.js";
import type { TenantIndex } from "../tenant-table.js";
import type { ViaSet } from "../via.js";

/** What a request says of itself. */
export interface RequestOptions {
  /** Whose it is, as `agent.tenant(id)` gave it. */
  tenant: TenantIndex;
  /** What kind of request; costs are estimated per (tenant, api). */
  api?: string | undefined;
  /** Its cost in the point's unit, when known beforehand. Absent: 1, or the moving mean of what such requests were charged. */
  cost?: number | undefined;
  /** Clock time in µs after which it must not start any more. */
  deadlineUs?: number | undefined;
  /** The control points it passed before. */
  via?: ViaSet | undefined;
}

/** Who is told. One object may serve many requests: each call names its request. */
export interface RequestHandlers {
  /** It may run now; `point.complete(request)` must follow exactly once (not after `point.throttle`). May be called within `submit`. */
  onStart(request: Request): void;
  /** It was refused; nothing follows. May be called within `submit`. */
  onRefused(error: ThrottledError, request: Request): void;
}

/** Where a request is in its one-way life. */
export type RequestPhase = "new" | "throttled" | "queued" | "running" | "ended";

/**
 * @example
 * const request = new Request({ tenant, api: "GetBlob" }, {
 *   onStart: (r) => readBlob(() => point.complete(r)),
 *   onRefused: (error) => answer(429, error.retryAfterMs),
 * });
 * point.submit(request);
 */
export class Request extends Ticket {
  readonly handlers: RequestHandlers;
  readonly deadlineUs: number;
  readonly via: ViaSet;
  /** Where it is in its life; read-only for everyone but its point. */
  phase: RequestPhase = "new";
  /** Clock time it started at, µs; 0 before. */
  startedUs = 0;

  // The point's own bookkeeping.
  /** @internal Does it end when admitted, without scheduler and slot? */
  throttleOnly = false;
  /** @internal The cost it was, or waits to be, admitted at. */
  cost = 0;
  /** @internal Tokens taken from the bucket for it; 0 when nothing limited it. */
  taken = 0;
  /** @internal Highest cost charged while it ran; −1: none was. */
  progress = -1;
  /** @internal Clock time it came at, and time it passed the throttle at, µs. */
  arrivedUs = 0;
  /** @internal */ enteredUs = 0;
  /** @internal The slot it holds; −1: none. */
  slot = -1;
  /** @internal The scheduler it waits in, or that let it start. */
  scheduler: TicketScheduler | undefined = undefined;
  /** @internal Which gauge counts it; −1: none. */
  gauge = -1;
  /** @internal Neighbours among its tenant's waiting requests, by arrival. */
  older: Request | undefined = undefined;
  /** @internal */ newer: Request | undefined = undefined;
  /** @internal Rings at its deadline. */
  alarm: Alarm | undefined = undefined;

  constructor(options: RequestOptions, handlers: RequestHandlers) {
    super(options.tenant, options.api, options.cost);
    this.handlers = handlers;
    this.deadlineUs = options.deadlineUs ?? Number.POSITIVE_INFINITY;
    this.via = options.via ?? 0;
  }
}
