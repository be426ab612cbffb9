/** What a control point tells its meter: where each request is, and what it cost. */
import { COST, COST_SQUARED, COUNT, type Meter, REFUSED, type RUNNING, type THROTTLED, type WAITING } from "../meters/meter.js";
import type { TenantIndex } from "../tenant-table.js";
import type { Request } from "./request.js";

export class PointAccount {
  readonly #meter: Meter;

  constructor(meter: Meter) {
    meter.hasOwnCosts = true;
    this.#meter = meter;
  }

  /** The request is throttled, waits, or runs from now on. */
  enter(request: Request, gauge: typeof THROTTLED | typeof WAITING | typeof RUNNING, nowUs: number): void {
    if (request.gauge >= 0) this.#meter.move(request.tenant, request.gauge, gauge, nowUs);
    else this.#meter.add(request.tenant, gauge, 1, nowUs);
    request.gauge = gauge;
  }

  /** The request is none of these any more. */
  leave(request: Request, nowUs: number): void {
    if (request.gauge >= 0) this.#meter.add(request.tenant, request.gauge, -1, nowUs);
    request.gauge = -1;
  }

  refused(request: Request, nowUs: number): void {
    this.#meter.add(request.tenant, REFUSED, 1, nowUs);
  }

  /** A running request has cost this much more: told as it happens, so that long requests show in every window. */
  charged(request: Request, difference: number, nowUs: number): void {
    this.#meter.add(request.tenant, COST, difference, nowUs);
  }

  /** A request that ran is done. */
  completed(request: Request, cost: number, nowUs: number): void {
    const at = this.#meter.completed(request.tenant, cost, nowUs);
    if (request.progress > 0) this.#meter.cells[at + COST] -= request.progress; // told before
    this.#meter.observeLatency(request.tenant, nowUs - request.enteredUs);
    request.gauge = -1;
  }

  /** A request that asked for nothing but to be let through was. */
  passed(request: Request, nowUs: number): void {
    this.leave(request, nowUs);
    this.counted(request.tenant, request.cost, nowUs);
  }

  /** So much was let through. */
  counted(tenant: TenantIndex, cost: number, nowUs: number): void {
    const at = this.#meter.advance(tenant, nowUs);
    const { cells } = this.#meter;
    cells[at + COUNT] += 1;
    cells[at + COST] += cost;
    cells[at + COST_SQUARED] += cost * cost;
  }
}
