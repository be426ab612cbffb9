/**
 * One call of a control point: the request the core sees, the admission the context carries, and the handle the function is
 * given are one object, so that a call that need not wait allocates little else.
 */
import { TenantryError, type ThrottledError } from "../../proto/errors.js";
import { type ControlPoint, Request, type RequestHandlers, type RequestOptions } from "../index.js";
import type { Admission } from "./scope.js";
import type { Waiter, Waiting } from "./waiter.js";

/** What a call says of itself. Everything is optional. */
export interface CallOptions {
  /** What kind of request, e.g. "GetBlob": unknown costs are estimated per tenant and kind. */
  api?: string | undefined;
  /** Cost in the point's unit, when known beforehand. Default: 1 request, or an estimate from what such requests were charged. */
  cost?: number | undefined;
  /** Gives up waiting when aborted: leaves the queue at once, gives its tokens back, and rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /** Refuses with DEADLINE what could not, or did not, start within so many ms. Default: waits as long as it takes. */
  deadlineMs?: number | undefined;
}

/** What a function that runs at a control point, or uses a resource, is given. */
export interface CallHandle {
  /**
   * Progress of a long request: what it has cost so far, in the unit of the point, never decreasing. The last word is what it
   * cost. After the function has ended this does nothing.
   * @throws TenantryError BAD_JOB when the cost went back, BAD_ARGUMENT when it is no cost
   */
  charge(costSoFar: number): void;
}

export class Call extends Request implements Admission, CallHandle, Waiting {
  readonly point: ControlPoint;
  readonly outer: Admission | undefined;
  held = false;
  error: ThrottledError | undefined;
  waiter: Waiter | undefined;
  #own = 0;
  #inner = 0;

  constructor(options: RequestOptions, point: ControlPoint, outer: Admission | undefined) {
    super(options, HANDLERS);
    this.point = point;
    this.outer = outer;
  }

  charge(costSoFar: number): void {
    checkCost("costSoFar", costSoFar);
    if (!this.held) return;
    this.point.charge(this, costSoFar + this.#inner);
    this.#own = costSoFar;
  }

  /** An inner call that went straight through cost so much more. */
  chargeInner(more: number): void {
    if (!this.held) return;
    this.point.charge(this, this.#own + this.#inner + more);
    this.#inner += more;
  }

  withdraw(): boolean {
    return this.point.cancel(this);
  }

  end(cost?: number): void {
    this.held = false;
    this.point.complete(this, cost);
  }
}

const HANDLERS: RequestHandlers = {
  onStart(request) {
    const call = request as Call;
    call.held = true;
    call.waiter?.start();
  },
  onRefused(error, request) {
    const call = request as Call;
    call.error = error;
    call.waiter?.refuse(error);
  },
};

/** A call of a point its request holds already: what it charges is part of what the outer call costs. */
export class InnerCall implements CallHandle {
  readonly #outer: Call;
  #charged = 0;

  constructor(outer: Call) {
    this.#outer = outer;
  }

  charge(costSoFar: number): void {
    checkCost("costSoFar", costSoFar);
    this.#outer.chargeInner(costSoFar - this.#charged);
    this.#charged = costSoFar;
  }
}

/** The admission at `point` that the current request holds, if it holds one. */
export function admissionAt(point: ControlPoint, innermost: Admission | undefined): Call | undefined {
  for (let admission = innermost; admission !== undefined; admission = admission.outer) {
    if (admission.point === point && admission.held) return admission as Call;
  }
  return undefined;
}

/** Costs are finite and not negative; anything else would poison a bucket for ever. */
export function checkCost(what: string, cost: unknown): asserts cost is number {
  if (typeof cost !== "number" || !(cost >= 0) || cost === Number.POSITIVE_INFINITY) {
    throw badArgument(what, cost, "a finite number, 0 or more, in the unit of the point or resource");
  }
}

/** The coded error for an argument that cannot be used. */
export function badArgument(what: string, value: unknown, expected: string): TenantryError {
  return new TenantryError(
    "BAD_ARGUMENT",
    `${what} is ${typeof value === "object" ? "an object" : String(value)}; expected ${expected}`,
  );
}
