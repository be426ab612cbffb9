/**
 * The schedulers for those who build on the core: jobs are the caller's own objects, tenants are strings. Nothing is written
 * on a job; what the scheduler knows of it is kept beside it while it waits or runs, and forgotten when it completes.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { WEIGHT_BOUNDS } from "../../proto/validate.js";
import { createEstimator, ESTIMATOR_KINDS, type EstimatorKind } from "./estimators.js";
import { checkSchedulerKind, createTicketScheduler, listed, type SchedulerKind } from "./index.js";
import { type JobTenant, JobTenants } from "./job-tenants.js";
import { LARGEST_COST, type TicketScheduler } from "./scheduler.js";
import { Ticket } from "./ticket.js";

/** A piece of work of one tenant. */
export interface Job {
  tenant: string;
  /** What kind of work; costs are estimated per (tenant, api). */
  api?: string;
  /** Cost in any unit, the same for all jobs, when known; > 0, at most 1e15. */
  cost?: number;
}

/** What a scheduler is told when it is made; only `slots` is needed. */
export interface SchedulerOptions {
  /** How many jobs may run at once: slots are 0 … slots − 1. */
  slots: number;
  /** Cost one slot works off per second, for schedulers that keep virtual time. Default: measured. */
  costUnitsPerSecPerSlot?: number;
  /** Relative claim of a tenant, from 1e-9 to 1e9. Default 1 for all. Read whenever a job of the tenant is enqueued, so it may change. */
  weightOf?(tenant: string): number;
  /**
   * "known": `job.cost` is the truth. "moving-average": `job.cost` is ignored, estimates come from what completed.
   * "pessimistic": likewise, the largest lately seen. Default: `job.cost` where there is one, else "pessimistic".
   */
  estimator?: EstimatorKind;
  /** What a job of unknown cost is taken to cost before any has completed, > 0. Default 1. */
  initialCost?: number;
  /**
   * How many jobs' worth of service a tenant may claim that comes back, ≥ 0, where virtual time is kept. Default 0:
   * docs/2dfq.md has the experiment that says what it buys and what it costs.
   */
  creditJobs?: number;
}

/** Who is next? Pure: it answers and never calls; time is what the caller says it is, in whole µs, and never runs backwards. */
export interface Scheduler<J extends Job = Job> {
  /** Jobs waiting. */
  readonly queued: number;
  /** Tenants kept in mind: all that have a job here, and of the others no more than 10,000. */
  readonly tenants: number;
  /**
   * A job arrives.
   * @param nowUs the caller's clock, whole µs; it never runs backwards
   * @throws TenantryError BAD_JOB when the job is queued or running already; BAD_ARGUMENT when its tenant, api, cost or weight,
   *   or the time, is out of range. Whatever throws has changed nothing; so it is with every method here.
   */
  enqueue(job: J, nowUs: number): void;
  /** The job to run next in `slot`, undefined when there is none for it now. @throws TenantryError BAD_ARGUMENT */
  dequeue(slot: number, nowUs: number): J | undefined;
  /** Progress of a running job, ≥ 0; never decreasing. @throws TenantryError BAD_JOB when it is not running, or the cost went back */
  charge(job: J, costSoFar: number, nowUs: number): void;
  /** Ends a running job at its actual cost, from 0 to 1e15. @throws TenantryError BAD_JOB when it is not running, or had been charged more */
  complete(job: J, actualCost: number, nowUs: number): void;
  /** Takes a waiting job out. (One that runs is completed, at what it used.) @returns false when it is not waiting here */
  remove(job: J): boolean;
  /**
   * Changes the number of slots; nobody's place is lost. Jobs that run in slots which are no more complete as usual.
   * @throws TenantryError BAD_ARGUMENT unless `slots` is a whole number ≥ 1
   */
  resize(slots: number): void;
}

/**
 * A scheduler, by name.
 *
 * @throws TenantryError BAD_ARGUMENT when there is no such scheduler or an option is out of range
 * @example
 * const scheduler = createScheduler("2dfq", { slots: 2, weightOf: (tenant) => (tenant === "gold" ? 2 : 1) });
 * scheduler.enqueue({ tenant: "gold", cost: 3 }, 0);
 * const job = scheduler.dequeue(0, 0)!;
 * scheduler.complete(job, 3, 3_000);
 */
export function createScheduler<J extends Job = Job>(kind: SchedulerKind, options: SchedulerOptions): Scheduler<J> {
  checkSchedulerKind(kind);
  const { slots, costUnitsPerSecPerSlot, estimator, initialCost, creditJobs, weightOf } = options ?? {};
  checkSlots(slots);
  checkPositive("costUnitsPerSecPerSlot", costUnitsPerSecPerSlot);
  checkPositive("initialCost", initialCost);
  if (creditJobs !== undefined && !(creditJobs >= 0 && creditJobs < Number.POSITIVE_INFINITY)) {
    throw bad("creditJobs", creditJobs, "a finite number, 0 or more");
  }
  if (weightOf !== undefined && typeof weightOf !== "function") throw bad("weightOf", weightOf, "a function");
  if (estimator !== undefined && !ESTIMATOR_KINDS.includes(estimator)) {
    throw new TenantryError(
      "BAD_ARGUMENT",
      `scheduler: there is no estimator ${shown(estimator)}; choose one of ${listed(ESTIMATOR_KINDS)}`,
    );
  }
  return new JobScheduler<J>(kind, options);
}

class JobTicket<J> extends Ticket {
  readonly job: J;
  readonly owner: JobTenant;
  constructor(job: J, owner: JobTenant, api: string | undefined, cost: number | undefined) {
    super(owner.index, api, cost);
    this.job = job;
    this.owner = owner;
  }
}

class JobScheduler<J extends Job> implements Scheduler<J> {
  readonly #scheduler: TicketScheduler;
  readonly #tickets = new Map<J, JobTicket<J>>();
  readonly #tenants: JobTenants;
  readonly #weightOf: ((tenant: string) => number) | undefined;
  #slots: number;

  constructor(kind: SchedulerKind, options: SchedulerOptions) {
    const { slots, estimator, initialCost, costUnitsPerSecPerSlot, creditJobs, weightOf } = options;
    const tenants = new JobTenants((index) => this.#scheduler.forget(index));
    this.#slots = slots;
    this.#tenants = tenants;
    this.#weightOf = weightOf;
    this.#scheduler = createTicketScheduler(kind, {
      weightOf: (tenant) => tenants.at(tenant).weight,
      estimator: createEstimator(estimator ?? "pessimistic", { initialCost, believe: estimator === undefined }),
      nameOf: (tenant) => tenants.at(tenant).name,
      slots,
      costUnitsPerSecPerSlot,
      creditJobs,
    });
  }

  get queued(): number {
    return this.#scheduler.queued;
  }

  get tenants(): number {
    return this.#tenants.size;
  }

  enqueue(job: J, nowUs: number): void {
    if (typeof job !== "object" || job === null) throw bad("job", job, 'an object: { tenant: "name" }');
    const known = this.#tickets.get(job);
    if (known !== undefined) this.#scheduler.enqueue(known, nowUs); // throws: it is queued or running
    const { tenant, api, cost } = job;
    if (typeof tenant !== "string") throw bad("job.tenant", tenant, "a string");
    if (api !== undefined && typeof api !== "string")
      throw bad(`job.api of tenant ${shown(tenant)}`, api, "a string, or nothing");
    // What a message says of the tenant is put into words only when there is one: words cost more than a scheduler does.
    checkPositive("job.cost", cost, tenant);
    const weight = this.#weightOf === undefined ? 1 : this.#weightOf(tenant);
    checkWeight(weight, tenant);
    this.#scheduler.checkTime(nowUs, "a job", tenant);
    const owner = this.#tenants.join(tenant);
    owner.weight = weight;
    const ticket = new JobTicket(job, owner, api, cost);
    this.#tickets.set(job, ticket);
    this.#scheduler.enqueue(ticket, nowUs);
  }

  dequeue(slot: number, nowUs: number): J | undefined {
    if (!(Number.isInteger(slot) && slot >= 0 && slot < this.#slots)) {
      throw bad("slot", slot, `a whole number from 0 to ${this.#slots - 1}`);
    }
    return (this.#scheduler.dequeue(slot, nowUs) as JobTicket<J> | undefined)?.job;
  }

  charge(job: J, costSoFar: number, nowUs: number): void {
    this.#scheduler.charge(this.#ticketOf(job, "charged"), costSoFar, nowUs);
  }

  complete(job: J, actualCost: number, nowUs: number): void {
    const ticket = this.#ticketOf(job, "completed");
    this.#scheduler.complete(ticket, actualCost, nowUs);
    this.#gone(ticket);
  }

  remove(job: J): boolean {
    const ticket = this.#tickets.get(job);
    if (ticket === undefined || !this.#scheduler.remove(ticket)) return false;
    this.#gone(ticket);
    return true;
  }

  resize(slots: number): void {
    checkSlots(slots);
    this.#slots = slots;
    this.#scheduler.resize(slots);
  }

  #gone(ticket: JobTicket<J>): void {
    this.#tickets.delete(ticket.job);
    this.#tenants.leave(ticket.owner);
  }

  #ticketOf(job: J, what: string): JobTicket<J> {
    const ticket = this.#tickets.get(job);
    if (ticket !== undefined) return ticket;
    throw new TenantryError(
      "BAD_JOB",
      `scheduler: a job of tenant ${shown(job?.tenant)} was ${what} while neither queued nor running; expected a job that was dequeued and has not completed`,
    );
  }
}

function checkSlots(slots: unknown): void {
  if (!(Number.isInteger(slots) && (slots as number) >= 1)) throw bad("slots", slots, "a whole number ≥ 1");
}

function checkPositive(what: string, value: unknown, tenant?: string): void {
  if (value === undefined || (typeof value === "number" && value > 0 && value <= LARGEST_COST)) return;
  throw bad(tenant === undefined ? what : `${what} of tenant ${shown(tenant)}`, value, `a number > 0, at most ${LARGEST_COST}`);
}

function checkWeight(weight: unknown, tenant: string): void {
  if (typeof weight === "number" && weight >= WEIGHT_BOUNDS.least && weight <= WEIGHT_BOUNDS.most) return;
  throw bad(`the weight of tenant ${shown(tenant)}`, weight, "a number from 1e-9 to 1e9");
}

function bad(what: string, value: unknown, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `scheduler: ${what} is ${shown(value)}; expected ${expected}`);
}
