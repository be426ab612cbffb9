/**
 * A request passes the throttle at what it is expected to cost; what it did cost is known later. The difference is settled as
 * soon as it is: what it used beyond is taken, into debt if need be, and what it did not use is given back.
 */

import type { TenantIndex } from "../tenant-table.js";
import type { Request } from "./request.js";
import { RequestCosts } from "./request-costs.js";
import type { Throttle } from "./throttle.js";

export class Settlement {
  readonly #throttle: Throttle;
  readonly #costs = new RequestCosts();

  constructor(throttle: Throttle) {
    this.#throttle = throttle;
  }

  /** What a request is to be admitted at. */
  expectedCost(request: Request): number {
    return request.declaredCost ?? this.#costs.expected(request);
  }

  /** It has cost so much so far. */
  reached(request: Request, costSoFar: number, nowUs: number): void {
    if (costSoFar > request.cost) this.#takeMore(request, costSoFar, nowUs);
  }

  /** It is done. @param told did anybody say what it cost? */
  done(request: Request, cost: number, told: boolean, nowUs: number): void {
    if (told) this.#costs.learn(request, cost);
    if (cost > request.cost) this.#takeMore(request, cost, nowUs);
    else if (cost < request.cost) this.#giveBack(request, request.cost - cost, nowUs);
  }

  /** It will not run after all. */
  undone(request: Request, nowUs: number): void {
    this.#giveBack(request, request.taken, nowUs);
  }

  /** A tenant's index will be another's. */
  forget(tenant: TenantIndex): void {
    this.#costs.forget(tenant);
  }

  #takeMore(request: Request, cost: number, nowUs: number): void {
    this.#throttle.settle(request.tenant, request.cost - cost, nowUs);
    if (request.taken > 0) request.taken += cost - request.cost;
    request.cost = cost;
  }

  /** Only what was taken for it is ever given back. */
  #giveBack(request: Request, tokens: number, nowUs: number): void {
    const amount = Math.min(tokens, request.taken);
    request.taken -= amount;
    this.#throttle.settle(request.tenant, amount, nowUs);
  }
}
