/**
 * Deficit round robin [Shreedhar, Varghese, SIGCOMM 1995]: tenants take turns; each turn adds a quantum times its weight to
 * what a tenant may spend, and it is served while that covers its first job.
 *
 *   at a turn's start:  D ← D + Q·φ        serve while D ≥ L:  D ← D − L        charge, complete:  D ← D − (c − charged)
 *
 * Fair over rounds, but a round is as long as everybody's quanta together: coarse. Q is the largest cost seen, so
 * that a turn serves at least one job of a tenant of weight one, and debt from jobs that cost more than their estimates is
 * worked off within as many turns as jobs run at once: choosing stays O(1) in the number of tenants. Only where all weights are
 * small are there rounds that serve nobody; those are skipped, O(n) at once.
 */
import { LinkedQueue } from "../linked-queue.js";
import { TicketScheduler } from "./scheduler.js";
import type { Ticket } from "./ticket.js";
import { Turn } from "./turn.js";

export class Drr extends TicketScheduler {
  readonly #turns: Turn[] = []; // by tenant
  readonly #round = new LinkedQueue<Turn>();
  #quantum = 0;
  #generation = 1;
  /** The tenant at the head of the round has had its quantum for this turn. */
  #begun = false;

  protected push(ticket: Ticket): void {
    while (this.#turns.length <= ticket.tenant) this.#turns.push(new Turn());
    const turn = this.#turns[ticket.tenant];
    if (turn.generation !== this.#generation) {
      turn.generation = this.#generation;
      turn.deficit = 0;
    }
    turn.jobs.push(ticket);
    if (turn.jobs.head === ticket) this.#round.push(turn);
  }

  protected pop(): Ticket {
    let first: Turn | undefined;
    for (;;) {
      const turn = this.#round.head!;
      if (turn === first) this.#skip();
      const ticket = turn.jobs.head!;
      const cost = this.context.estimator.estimate(ticket);
      if (cost > this.#quantum) this.#quantum = cost;
      if (!this.#begun) {
        turn.deficit += this.#quantum * this.context.weightOf(ticket.tenant);
        this.#begun = true;
      }
      if (turn.deficit >= cost) {
        turn.jobs.shift();
        turn.deficit -= cost;
        this.begin(ticket, cost, 1);
        if (turn.jobs.head === undefined) this.#endTurn(turn, false);
        return ticket;
      }
      this.#endTurn(turn, true);
      first ??= turn;
    }
  }

  protected unlink(ticket: Ticket): void {
    const turn = this.#turns[ticket.tenant];
    turn.jobs.remove(ticket);
    if (turn.jobs.head !== undefined) return;
    if (this.#round.head === turn) this.#endTurn(turn, false);
    else {
      this.#round.remove(turn);
      turn.deficit = Math.min(turn.deficit, 0);
    }
  }

  protected recharge(ticket: Ticket, charged: number, cost: number): void {
    if (cost > this.#quantum) this.#quantum = cost;
    this.#turns[ticket.tenant].deficit -= cost - charged;
  }

  protected rest(): void {
    this.#generation += 1;
  }

  protected drop(tenant: number): void {
    if (tenant < this.#turns.length) this.#turns[tenant].deficit = 0;
  }

  /** Nobody could be served in a whole round: those that follow and serve nobody either (weights may be tiny) are had at once. */
  #skip(): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (let turn = this.#round.head; turn !== undefined; turn = turn.next) {
      const ticket = turn.jobs.head!;
      const quantum = this.#quantum * this.context.weightOf(ticket.tenant);
      rounds = Math.min(rounds, Math.ceil((this.context.estimator.estimate(ticket) - turn.deficit) / quantum) - 1);
    }
    if (!(rounds > 0)) return;
    for (let turn = this.#round.head; turn !== undefined; turn = turn.next) {
      turn.deficit += rounds * this.#quantum * this.context.weightOf(turn.jobs.head!.tenant);
    }
  }

  /** A tenant that leaves the round takes debts along, but no savings. */
  #endTurn(turn: Turn, waits: boolean): void {
    this.#round.remove(turn);
    this.#begun = false;
    if (waits) this.#round.push(turn);
    else turn.deficit = Math.min(turn.deficit, 0);
  }
}
