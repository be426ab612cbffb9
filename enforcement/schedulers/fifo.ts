/** First come, first served, whoever it is: the floor other schedulers are held against, and right where one tenant is alone. */
import { LinkedQueue } from "../linked-queue.js";
import { TicketScheduler } from "./scheduler.js";
import type { Ticket } from "./ticket.js";

export class Fifo extends TicketScheduler {
  readonly #queue = new LinkedQueue<Ticket>();

  protected push(ticket: Ticket): void {
    this.#queue.push(ticket);
  }

  protected override pass(): void {}

  protected pop(): Ticket {
    return this.#queue.shift()!;
  }

  protected unlink(ticket: Ticket): void {
    this.#queue.remove(ticket);
  }

  protected recharge(ticket: Ticket, cost: number): void {
    ticket.charged = cost;
  }

  protected rest(): void {}

  protected drop(): void {}
}
