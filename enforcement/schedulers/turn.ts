/** A tenant's place in a round: its waiting jobs, and what it may still spend. */
import { LinkedQueue } from "../linked-queue.js";
import type { Ticket } from "./ticket.js";

export class Turn {
  readonly jobs = new LinkedQueue<Ticket>();
  deficit = 0;
  /** The busy period the deficit is of. */
  generation = 0;
  /** Neighbours in the round. */
  next: Turn | undefined = undefined;
  previous: Turn | undefined = undefined;
}
