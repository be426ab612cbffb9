/**
 * A tenant's waiting jobs in order of arrival, for all tenants: a doubly linked list each, through the jobs themselves. Both
 * ends of all lists lie in one array, so that the way from a tenant to its first job is one step.
 */
import type { Ticket } from "./ticket.js";

export class TenantQueues {
  readonly #ends: (Ticket | undefined)[] = []; // first and last job, by tenant

  /** The job of a tenant that waits for longest; undefined: none waits. */
  first(tenant: number): Ticket | undefined {
    return 2 * tenant < this.#ends.length ? this.#ends[2 * tenant] : undefined;
  }

  /** Puts a job behind the others of its tenant. @returns is it the only one? */
  push(ticket: Ticket): boolean {
    const ends = this.#ends;
    const at = 2 * ticket.tenant;
    while (ends.length <= at) ends.push(undefined, undefined);
    const last = ends[at + 1];
    ends[at + 1] = ticket;
    if (last === undefined) {
      ends[at] = ticket;
      return true;
    }
    ticket.previous = last;
    last.next = ticket;
    return false;
  }

  /** Takes a job out, wherever it stands. */
  remove(ticket: Ticket): void {
    const ends = this.#ends;
    const at = 2 * ticket.tenant;
    const previous = ticket.previous as Ticket | undefined;
    const next = ticket.next as Ticket | undefined;
    if (previous === undefined) ends[at] = next;
    else previous.next = next;
    if (next === undefined) ends[at + 1] = previous;
    else next.previous = previous;
    ticket.next = undefined;
    ticket.previous = undefined;
  }
}
