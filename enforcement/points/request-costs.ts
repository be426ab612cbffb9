/**
 * What requests of a control point cost, as far as they say: 1 each, until one has been charged anything else. For the
 * throttle, which wants the mean, and lately: the mean is over about ten.
 */
import { MovingAverage } from "../schedulers/estimators.js";
import type { Ticket } from "../schedulers/ticket.js";

export class RequestCosts {
  readonly #means = new MovingAverage({ alpha: 0.9 });
  #learned = false;

  expected(ticket: Ticket): number {
    return this.#learned ? this.#means.expected(ticket.tenant, this.#means.apiIndex(ticket.api)) : 1;
  }

  learn(ticket: Ticket, cost: number): void {
    this.#learned = true;
    this.#means.observe(ticket.tenant, this.#means.apiIndex(ticket.api), cost);
  }

  forget(tenant: number): void {
    this.#means.forget(tenant);
  }
}
