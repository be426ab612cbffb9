/**
 * Round robin: one job of each waiting tenant in turn, whatever it costs. Fair in jobs, not in work; a baseline. O(1).
 */
import { LinkedQueue } from "../linked-queue.js";
import { TicketScheduler } from "./scheduler.js";
import type { Ticket } from "./ticket.js";
import { Turn } from "./turn.js";

export class RoundRobin extends TicketScheduler {
  readonly #turns: Turn[] = []; // by tenant
  readonly #round = new LinkedQueue<Turn>();

  protected push(ticket: Ticket): void {
    while (this.#turns.length <= ticket.tenant) this.#turns.push(new Turn());
    const turn = this.#turns[ticket.tenant];
    turn.jobs.push(ticket);
    if (turn.jobs.head === ticket) this.#round.push(turn);
  }

  protected pop(): Ticket {
    const turn = this.#round.shift()!;
    const ticket = turn.jobs.shift()!;
    this.begin(ticket, this.context.estimator.estimate(ticket), 1);
    if (turn.jobs.head !== undefined) this.#round.push(turn);
    return ticket;
  }

  protected unlink(ticket: Ticket): void {
    const turn = this.#turns[ticket.tenant];
    turn.jobs.remove(ticket);
    if (turn.jobs.head === undefined) this.#round.remove(turn);
  }

  protected recharge(): void {}

  protected rest(): void {}

  protected drop(): void {}
}
