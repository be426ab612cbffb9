import type { Request } from "./request.js";
import type { ViaSet } from "./via.js";

export interface PointOptions {
  /** Requests that may run here at once; the rest queue, fairly. Default: no bound, no queue. */
  slots?: number;
  /** Who is next when a slot is free: "sfq" (start-time fair queuing, the default) or "fifo". */
  scheduler?: "fifo" | "sfq";
  /** Requests that may wait here in all (throttled or queued); when full, the newest of the tenant with the longest backlog is refused. Default 10,000. */
  queueLimit?: number;
  /** Bucket size, in seconds of the rate, where an allocation gives none. Default 0.1. */
  burstSeconds?: number;
  /** Unit of cost. Default "requests": each request costs 1 unless it says otherwise, and slots are shared by time. With a unit of its own a service declares or charges costs, and slots are shared by those. */
  unit?: string;
}

/** Where requests may be held back: throttle, then scheduler, then a slot. Made by `agent.controlPoint(name)`. */
export abstract class ControlPoint {
  abstract readonly name: string;
  /** "service/name": what the controller calls it, together with its like in other instances. */
  abstract readonly logicalName: string;
  /** The point's meter index in reports. */
  abstract readonly index: number;
  abstract readonly unit: string;
  /** Requests that hold a slot now. */
  abstract readonly running: number;
  /** Requests that wait now, throttled or queued. */
  abstract readonly waiting: number;

  /**
   * Throttle → scheduler → slot. Calls `onStart` (possibly before returning) or `onRefused`, exactly one of them, once,
   * unless cancelled before.
   * @throws TenantryError BAD_JOB when the request was submitted before
   */
  abstract submit(request: Request): void;
  /**
   * Ends a request that was started: settles the bucket and the scheduler by its actual cost, frees its slot, starts the next.
   * @param actualCost in the point's unit; default: what was charged, or what it was admitted at
   * @throws TenantryError BAD_JOB when it is not running (completed before, or never started)
   */
  abstract complete(request: Request, actualCost?: number): void;
  /**
   * Progress of a long request: `costSoFar` in the point's unit, never decreasing.
   * @throws TenantryError BAD_JOB when it is not running or the cost went back
   */
  abstract charge(request: Request, costSoFar: number): void;
  /** Takes a waiting request out at once and gives its tokens back. @returns false when it no longer waits: if it runs, complete it */
  abstract cancel(request: Request): boolean;
  /** The throttle alone: `onStart` when admitted, and nothing to complete. For long loops inside a request. */
  abstract throttle(request: Request): void;
  /** Changes the number of slots while running: more start at once, fewer as slots come free. @param slots whole, ≥ 1, or Infinity */
  abstract setSlots(slots: number): void;
  /** The via set of a request that came with `via` and passed here. */
  abstract passed(via: ViaSet): ViaSet;
}
