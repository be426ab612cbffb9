/**
 * The port every scheduler stands behind: given waiting jobs and a slot that is free, who is next? A scheduler only answers;
 * whoever owns the slots obeys. Costs are in one unit of the owner's choosing (time a slot is held, or what a service
 * charges) and need not be known beforehand: a job is charged its estimate when it is dequeued, more when `charge` says
 * that it has used more, and exactly its actual cost when it completes.
 *
 * Misuse throws, names the job and changes nothing. The checks stand here, once, so that a new scheduler is only its order.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import type { Estimator } from "./estimators.js";
import { RunningJobs } from "./running-jobs.js";
import { IDLE, QUEUED, RUNNING, type Ticket } from "./ticket.js";

/** What a scheduler is made with. */
export interface SchedulerContext {
  /** Relative claim of a tenant, > 0. Read whenever it matters, so it may change at any time. */
  weightOf(tenant: number): number;
  estimator: Estimator;
  /** How a tenant is called in messages. */
  nameOf(tenant: number): string;
  /** Jobs that may run at once: slots are 0 … slots − 1. */
  slots: number;
  /** Cost one slot works off per second; undefined: measured from what completes. */
  costUnitsPerSecPerSlot?: number | undefined;
  /** Jobs' worth of service that who comes back may claim; undefined: none. For experiments: virtual-time.ts says what it buys. */
  creditJobs?: number | undefined;
}

/**
 * The largest cost there is. Tags are sums of costs over weights: beyond this they would lose whole units, and at last be
 * infinite, of which no order comes.
 */
export const LARGEST_COST = 1e15;

export abstract class TicketScheduler {
  /** Jobs waiting. */
  queued = 0;
  /** Jobs dequeued and not completed. */
  running = 0;
  protected readonly context: SchedulerContext;
  /** What is known of the jobs that run, by `ticket.row`. */
  protected readonly jobs = new RunningJobs();
  /** Time of the last event, µs. */
  protected nowUs = Number.NEGATIVE_INFINITY;

  constructor(context: SchedulerContext) {
    this.context = context;
  }

  /** A job arrives. @throws BAD_JOB when it is queued or runs already; BAD_ARGUMENT when time runs backwards */
  enqueue(ticket: Ticket, nowUs: number): void {
    if (ticket.state !== IDLE) throw this.#misuse(ticket, "enqueued", "a job that is neither queued nor running");
    this.#advance(nowUs, ticket);
    ticket.state = QUEUED;
    ticket.apiIndex = this.context.estimator.apiIndex(ticket.api);
    this.queued += 1;
    this.push(ticket);
  }

  /**
   * A job arrives and `slot` is free: may it run there at once? The same as `enqueue` and `dequeue`, for when nobody waits.
   * @returns false when others wait; nothing has changed then
   * @throws BAD_JOB when it is queued or runs already; BAD_ARGUMENT when time runs backwards
   */
  startNow(ticket: Ticket, slot: number, nowUs: number): boolean {
    if (ticket.state !== IDLE) throw this.#misuse(ticket, "started", "a job that is neither queued nor running");
    if (this.queued > 0) return false;
    this.#advance(nowUs, ticket);
    ticket.apiIndex = this.context.estimator.apiIndex(ticket.api);
    ticket.state = RUNNING;
    this.running += 1;
    this.pass(ticket, slot);
    return true;
  }

  /** The job to run next in `slot`, now charged its estimate; undefined: nobody waits. @throws BAD_ARGUMENT when time runs backwards */
  dequeue(slot: number, nowUs: number): Ticket | undefined {
    this.#advance(nowUs);
    if (this.queued === 0) return undefined;
    const ticket = this.pop(slot);
    ticket.state = RUNNING;
    this.queued -= 1;
    this.running += 1;
    return ticket;
  }

  /**
   * A running job has used `costSoFar`.
   * @throws BAD_JOB when it does not run, or had used more before; BAD_ARGUMENT when the cost is none or time runs backwards
   */
  charge(ticket: Ticket, costSoFar: number, nowUs: number): void {
    this.#checkCharge(ticket, costSoFar, "charged");
    this.#advance(nowUs, ticket);
    this.jobs.setReported(ticket.row, costSoFar);
    if (costSoFar > this.jobs.charged(ticket.row)) this.#recharge(ticket, costSoFar, false);
  }

  /** A running job is done; what it was charged becomes what it cost. @throws as `charge` does */
  complete(ticket: Ticket, actualCost: number, nowUs: number): void {
    this.#checkCharge(ticket, actualCost, "completed");
    this.#advance(nowUs, ticket);
    ticket.state = IDLE;
    this.running -= 1;
    this.context.estimator.observe(ticket.tenant, ticket.apiIndex, actualCost);
    this.#recharge(ticket, actualCost, true);
    this.jobs.end(ticket.row);
    if (this.running === 0 && this.queued === 0) this.rest();
  }

  /**
   * Takes a waiting job out.
   * @param nowUs when; without, it is as if it had left at the event before
   * @returns false when it is not waiting here
   * @throws BAD_ARGUMENT when time runs backwards
   */
  remove(ticket: Ticket, nowUs?: number): boolean {
    if (ticket.state !== QUEUED) return false;
    if (nowUs !== undefined) this.#advance(nowUs, ticket);
    this.unlink(ticket);
    ticket.state = IDLE;
    this.queued -= 1;
    if (this.running === 0 && this.queued === 0) this.rest();
    return true;
  }

  /** Throws BAD_ARGUMENT unless a call may come at this time, for whoever has to know before. @param what whose time it is, for the message */
  checkTime(nowUs: number, what: string, tenant?: string): void {
    if (typeof nowUs === "number" && nowUs >= this.nowUs && nowUs < Number.POSITIVE_INFINITY) return;
    const whose = tenant === undefined ? what : `${what} of tenant ${shown(tenant)}`;
    throw new TenantryError(
      "BAD_ARGUMENT",
      `scheduler: ${whose}: time is ${shown(nowUs)} µs and was ${this.nowUs} µs before; expected a finite time that does not run backwards`,
    );
  }

  /** A tenant that has nothing here, waiting or running, is forgotten: its index will be another's. */
  forget(tenant: number): void {
    this.context.estimator.forget(tenant);
    this.drop(tenant);
  }

  /** The number of slots changed; nothing else does. */
  resize(_slots: number): void {}

  /** So much time has passed since the last event; told before anything changes. */
  protected elapse(_us: number): void {}
  /** Puts a job in its place. */
  protected abstract push(ticket: Ticket): void;
  /** The same as `push` and `pop` of the only job there is. */
  protected pass(ticket: Ticket, slot: number): void {
    this.push(ticket);
    this.pop(slot);
  }
  /** Takes out the next job, having called `begin` for it. Called only when some wait. */
  protected abstract pop(slot: number): Ticket;
  /** Takes this job out. */
  protected abstract unlink(ticket: Ticket): void;
  /** A running job that its tenant was charged `charged` for has cost `cost`; `ended`: and is done. */
  protected abstract recharge(ticket: Ticket, charged: number, cost: number, ended: boolean): void;
  /** Nothing waits and nothing runs: the busy period is over. */
  protected abstract rest(): void;
  /** Clears what is kept of a tenant that has no job here. */
  protected abstract drop(tenant: number): void;

  #advance(nowUs: number, ticket?: Ticket): void {
    if (!(typeof nowUs === "number" && nowUs >= this.nowUs && nowUs < Number.POSITIVE_INFINITY)) {
      this.checkTime(nowUs, ticket === undefined ? "dequeue" : this.#who(ticket));
    }
    if (this.running > 0 && nowUs > this.nowUs) this.elapse(nowUs - this.nowUs);
    this.nowUs = nowUs;
  }

  /** A job begins: its tenant, of this weight now, is charged so much for it. */
  protected begin(ticket: Ticket, charged: number, weight: number): void {
    ticket.row = this.jobs.begin(charged, weight, this.nowUs);
  }

  #recharge(ticket: Ticket, cost: number, ended: boolean): void {
    this.recharge(ticket, this.jobs.charged(ticket.row), cost, ended);
    this.jobs.setCharged(ticket.row, cost);
  }

  #checkCharge(ticket: Ticket, cost: number, what: string): void {
    if (ticket.state !== RUNNING) throw this.#misuse(ticket, what, "a job that was dequeued and has not completed");
    if (!(typeof cost === "number" && cost >= 0 && cost <= LARGEST_COST)) {
      throw new TenantryError(
        "BAD_ARGUMENT",
        `scheduler: ${this.#who(ticket)} was ${what} at ${shown(cost)}; expected a number from 0 to ${LARGEST_COST}`,
      );
    }
    // A cost computed twice in floating point may differ in its last digits; that is not going back.
    const reported = this.jobs.reported(ticket.row);
    if (cost < reported * (1 - 1e-9)) {
      throw new TenantryError(
        "BAD_JOB",
        `scheduler: ${this.#who(ticket)} was ${what} at ${cost} after ${reported}; costs only grow while a job runs`,
      );
    }
  }

  #misuse(ticket: Ticket, what: string, expected: string): TenantryError {
    const state = ticket.state === QUEUED ? "queued" : ticket.state === RUNNING ? "running" : "neither queued nor running";
    return new TenantryError("BAD_JOB", `scheduler: ${this.#who(ticket)} was ${what} while ${state}; expected ${expected}`);
  }

  #who(ticket: Ticket): string {
    const api = ticket.api === undefined ? "" : ` (api ${shown(ticket.api)})`;
    return `a job of tenant ${shown(this.context.nameOf(ticket.tenant))}${api}`;
  }
}
