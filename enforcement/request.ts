/**
 * One request at one control point, from `submit` (or `throttle`) to exactly one end: completed, cancelled or refused.
 */
import type { ThrottledError } from "../proto/errors.js";
import type { TenantIndex } from "./tenant-table.js";
import { Ticket } from "./ticket.js";
import type { ViaSet } from "./via.js";

/** What a request says of itself. */
export interface RequestOptions {
  /** Whose it is, as `agent.tenant(id)` gave it. */
  tenant: TenantIndex;
  /** What kind of request; costs are estimated per (tenant, api). */
  api?: string | undefined;
  /** Its cost in the point's unit, when known beforehand. Absent: 1 request, or the moving mean of what such requests were charged. */
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

  constructor(options: RequestOptions, handlers: RequestHandlers) {
    super(options.tenant, options.api, options.cost);
    this.handlers = handlers;
    this.deadlineUs = options.deadlineUs ?? Number.POSITIVE_INFINITY;
    this.via = options.via ?? 0;
  }
}
