/** First come, first served, whoever it is: the floor other schedulers are held against, and right where one tenant is alone. */
import { LinkedQueue } from "../linked-queue.js";
import { TicketScheduler } from "./scheduler.js";
import type { Ticket } from "./ticket.js";

export class Fifo extends TicketScheduler {
  readonly #queue = new LinkedQueue<Ticket>();

  protected push(ticket: Ticket): void {
    this.#queue.push(ticket);
  }

  protected override pass(ticket: Ticket): void {
    this.begin(ticket, this.context.estimator.estimate(ticket), 1);
  }

  protected pop(): Ticket {
    const ticket = this.#queue.shift()!;
    this.begin(ticket, this.context.estimator.estimate(ticket), 1);
    return ticket;
  }

  protected unlink(ticket: Ticket): void {
    this.#queue.remove(ticket);
  }

  protected recharge(): void {}

  protected rest(): void {}

  protected drop(): void {}
}
