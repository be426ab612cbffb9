/**
 * What a scheduler keeps about one job between `enqueue` and `complete`. A control point's `Request` is a ticket itself, so
 * that scheduling a request allocates nothing more.
 */
import type { Linked } from "../linked-queue.js";

/** Where a ticket is in its one-way life. */
export const IDLE = 0;
export const QUEUED = 1;
export const RUNNING = 2;
export type TicketState = typeof IDLE | typeof QUEUED | typeof RUNNING;

export class Ticket {
  /** Index of the tenant the job is for. */
  readonly tenant: number;
  /** What kind of job, for estimating its cost; undefined: the tenant's jobs are all of one kind. */
  readonly api: string | undefined;
  /** Cost as declared beforehand, in the scheduler's unit; undefined: to be estimated. */
  readonly declaredCost: number | undefined;

  // The scheduler's own bookkeeping.
  /** @internal */ state: TicketState = IDLE;
  /** @internal While it runs: its row among those that do. */
  row = -1;
  /** @internal While it waits: virtual time before which it does not start. */
  joined = 0;
  /** @internal Index of `api` in the estimator. */
  apiIndex = 0;
  /**
   * @internal Neighbours in whichever queue holds the ticket: a line at the throttle, a scheduler's, the list of what runs. It is in one
   * at a time, and leaves it before it enters the next; so each starts with links that are clear.
   */
  next: Linked | undefined = undefined;
  /** @internal */ previous: Linked | undefined = undefined;

  constructor(tenant: number, api: string | undefined, declaredCost: number | undefined) {
    this.tenant = tenant;
    this.api = api;
    this.declaredCost = declaredCost;
  }
}
