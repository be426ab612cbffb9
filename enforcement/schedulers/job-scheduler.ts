/**
 * The schedulers for those who build on the core: jobs are the caller's own objects, tenants are strings. Nothing is written
 * on a job; what the scheduler knows of it is kept beside it while it waits or runs, and forgotten when it completes.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { type Estimator, Known, MovingMean, Pessimistic } from "./estimators.js";
import { checkSchedulerKind, createTicketScheduler, listed, type SchedulerKind } from "./index.js";
import type { TicketScheduler } from "./scheduler.js";
import { Ticket } from "./ticket.js";

/** A piece of work of one tenant. */
export interface Job {
  tenant: string;
  /** What kind of work; costs are estimated per (tenant, api). */
  api?: string;
  /** Cost in any unit, the same for all jobs, when known. */
  cost?: number;
}

export interface SchedulerOptions {
  /** How many jobs may run at once: slots are 0 … slots − 1. */
  slots: number;
  /** Cost one slot works off per second, for schedulers that keep virtual time. Default: measured. */
  costUnitsPerSecPerSlot?: number;
  /** Relative claim of a tenant, > 0. Default 1 for all. Read whenever a job of the tenant is enqueued, so it may change. */
  weightOf?(tenant: string): number;
  /**
   * "known": `job.cost` is the truth. "moving-average": `job.cost` is ignored, estimates come from what completed.
   * "pessimistic": likewise, the largest lately seen. Default: `job.cost` where there is one, else the moving average.
   */
  estimator?: "known" | "moving-average" | "pessimistic";
}

export interface Scheduler<J extends Job = Job> {
  /** Jobs waiting. */
  readonly queued: number;
  /** @throws TenantryError BAD_JOB when the job is queued or running already */
  enqueue(job: J, nowUs: number): void;
  /** The job to run next in `slot`, undefined when there is none for it now. */
  dequeue(slot: number, nowUs: number): J | undefined;
  /** Progress of a running job; never decreasing. @throws TenantryError BAD_JOB when it is not running, or the cost went back */
  charge(job: J, costSoFar: number, nowUs: number): void;
  /** Ends a running job at its actual cost. @throws TenantryError BAD_JOB when it is not running, or had been charged more */
  complete(job: J, actualCost: number, nowUs: number): void;
  /** Takes a waiting job out. @returns false when it is not waiting here */
  remove(job: J): boolean;
}

const ESTIMATORS = ["known", "moving-average", "pessimistic"];

/**
 * A scheduler, by name.
 *
 * @throws TenantryError BAD_ARGUMENT when there is no such scheduler or an option is out of range
 * @example
 * const scheduler = createScheduler("sfq", { slots: 2, weightOf: (tenant) => (tenant === "gold" ? 2 : 1) });
 * scheduler.enqueue({ tenant: "gold", cost: 3 }, 0);
 * const job = scheduler.dequeue(0, 0)!;
 * scheduler.complete(job, 3, 3_000);
 */
export function createScheduler<J extends Job = Job>(kind: SchedulerKind, options: SchedulerOptions): Scheduler<J> {
  checkSchedulerKind(kind);
  const { slots, costUnitsPerSecPerSlot: speed, estimator } = options ?? {};
  if (!(Number.isInteger(slots) && slots >= 1)) {
    throw new TenantryError("BAD_ARGUMENT", `scheduler: slots is ${shown(slots)}; expected a whole number ≥ 1`);
  }
  if (speed !== undefined && !(speed > 0 && speed < Number.POSITIVE_INFINITY)) {
    throw new TenantryError("BAD_ARGUMENT", `scheduler: costUnitsPerSecPerSlot is ${shown(speed)}; expected a finite number > 0`);
  }
  if (estimator !== undefined && !ESTIMATORS.includes(estimator)) {
    throw new TenantryError(
      "BAD_ARGUMENT",
      `scheduler: there is no estimator ${shown(estimator)}; choose one of ${listed(ESTIMATORS)}`,
    );
  }
  return new JobScheduler<J>(kind, options);
}

class JobTicket<J> extends Ticket {
  readonly job: J;
  constructor(job: J, tenant: number, api: string | undefined, cost: number | undefined) {
    super(tenant, api, cost);
    this.job = job;
  }
}

class JobScheduler<J extends Job> implements Scheduler<J> {
  readonly #scheduler: TicketScheduler;
  readonly #slots: number;
  readonly #tickets = new Map<J, JobTicket<J>>();
  readonly #tenants = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #weights: number[] = [];
  readonly #weightOf: ((tenant: string) => number) | undefined;

  constructor(kind: SchedulerKind, options: SchedulerOptions) {
    this.#slots = options.slots;
    this.#weightOf = options.weightOf;
    this.#scheduler = createTicketScheduler(kind, {
      weightOf: (tenant) => this.#weights[tenant],
      estimator: estimatorOf(options.estimator),
      nameOf: (tenant) => this.#names[tenant],
      slots: options.slots,
      costUnitsPerSecPerSlot: options.costUnitsPerSecPerSlot,
    });
  }

  get queued(): number {
    return this.#scheduler.queued;
  }

  enqueue(job: J, nowUs: number): void {
    const known = this.#tickets.get(job);
    if (known !== undefined) this.#scheduler.enqueue(known, nowUs); // throws: it is queued or running
    const { tenant, api, cost } = job;
    if (typeof tenant !== "string") {
      throw new TenantryError("BAD_ARGUMENT", `scheduler: job.tenant is ${shown(tenant)}; expected a string`);
    }
    if (cost !== undefined && !(cost >= 0 && cost < Number.POSITIVE_INFINITY)) {
      throw new TenantryError(
        "BAD_ARGUMENT",
        `scheduler: job.cost is ${shown(cost)} (tenant "${tenant}"); expected a finite number ≥ 0`,
      );
    }
    const weight = this.#weightOf === undefined ? 1 : checkedWeight(tenant, this.#weightOf(tenant));
    const index = this.#indexOf(tenant);
    this.#weights[index] = weight;
    const ticket = new JobTicket(job, index, api, cost);
    this.#scheduler.enqueue(ticket, nowUs);
    this.#tickets.set(job, ticket);
  }

  dequeue(slot: number, nowUs: number): J | undefined {
    if (!(Number.isInteger(slot) && slot >= 0 && slot < this.#slots)) {
      throw new TenantryError(
        "BAD_ARGUMENT",
        `scheduler: slot is ${shown(slot)}; expected a whole number from 0 to ${this.#slots - 1}`,
      );
    }
    return (this.#scheduler.dequeue(slot, nowUs) as JobTicket<J> | undefined)?.job;
  }

  charge(job: J, costSoFar: number, nowUs: number): void {
    this.#scheduler.charge(this.#ticketOf(job, "charged"), costSoFar, nowUs);
  }

  complete(job: J, actualCost: number, nowUs: number): void {
    this.#scheduler.complete(this.#ticketOf(job, "completed"), actualCost, nowUs);
    this.#tickets.delete(job);
  }

  remove(job: J): boolean {
    const ticket = this.#tickets.get(job);
    if (ticket === undefined || !this.#scheduler.remove(ticket)) return false;
    this.#tickets.delete(job);
    return true;
  }

  #ticketOf(job: J, what: string): JobTicket<J> {
    const ticket = this.#tickets.get(job);
    if (ticket !== undefined) return ticket;
    throw new TenantryError(
      "BAD_JOB",
      `scheduler: a job of tenant ${shown(job?.tenant)} was ${what} while neither queued nor running; expected a job that was dequeued and has not completed`,
    );
  }

  #indexOf(tenant: string): number {
    let index = this.#tenants.get(tenant);
    if (index === undefined) {
      index = this.#names.length;
      this.#names.push(tenant);
      this.#tenants.set(tenant, index);
    }
    return index;
  }
}

function estimatorOf(name: SchedulerOptions["estimator"]): Estimator {
  if (name === "known") return new Known();
  if (name === "pessimistic") return new Pessimistic();
  return new MovingMean({ believe: name === undefined });
}

function checkedWeight(tenant: string, weight: number): number {
  if (weight > 0 && weight < Number.POSITIVE_INFINITY) return weight;
  throw new TenantryError(
    "BAD_ARGUMENT",
    `scheduler: the weight of tenant "${tenant}" is ${shown(weight)}; expected a finite number > 0`,
  );
}
