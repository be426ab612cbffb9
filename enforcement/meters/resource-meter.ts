/**
 * A resource as a service sees it: something operations wait for and use. Its two numbers per window are the paper's
 * [Retro, §3]: load, the service time each tenant got; slowdown, Σ(queue + service) / Σ service.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { checkOptions } from "../../proto/options.js";
import type { Clock } from "../../proto/ports.js";
import { LinkedQueue } from "../linked-queue.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import type { ViaSet } from "../via.js";
import type { Feeds } from "./feeds.js";
import { COST, COST_SQUARED, COUNT, type Meter, RUNNING, SERVICE_US, WAIT_US, WAITING } from "./meter.js";
import type { Operation } from "./operation.js";

/** What a resource is told when it is made. */
export interface ResourceOptions {
  /** At most this many operations in service; the rest queue in order of arrival, and the queueing is measured. Default: no bound. */
  slots?: number;
  /** Unit of cost, for display. Default "us": what is used is time in service. */
  unit?: string;
}

/** The options complete and checked. @throws TenantryError BAD_ARGUMENT */
export function checkedResourceOptions(name: string, options: ResourceOptions = {}): Required<ResourceOptions> {
  checkOptions<ResourceOptions>(`resource "${name}"`, options, { slots: true, unit: true });
  const { slots = Number.POSITIVE_INFINITY, unit = "us" } = options;
  if (!(slots === Number.POSITIVE_INFINITY || (Number.isInteger(slots) && slots >= 1))) {
    throw bad(name, "slots", slots, "a whole number ≥ 1, or Infinity for no bound");
  }
  if (typeof unit !== "string" || unit.length < 1 || unit.length > 32) throw bad(name, "unit", unit, "1 to 32 characters");
  return { slots, unit };
}

function bad(name: string, option: string, value: unknown, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `resource "${name}": ${option} is ${shown(value)}; expected ${expected}`);
}

/** What `record` may say beyond the amount. */
export interface RecordOptions {
  /** Operations this stands for. Default 1. */
  count?: number;
  /** Time they waited in all, µs. Default 0. */
  waitUs?: number;
  /** Time they were in service in all, µs. Default: the amount when the meter's unit is "us", else 0. */
  serviceUs?: number;
}

/** Measures who uses one resource, and how much slower than in calm. Made by `agent.resource(name)`. */
export class ResourceMeter {
  readonly name: string;
  /** The meter's index in reports. */
  readonly index: number;
  readonly unit: string;
  readonly #meter: Meter;
  readonly #feeds: Feeds;
  readonly #clock: Clock;
  readonly #tenants: TenantTable;
  readonly #slots: number;
  readonly #queue = new LinkedQueue<Operation>();
  #waiting = 0;
  #running = 0;
  #starting = false;

  /** @internal Made by the agent. */
  constructor(meter: Meter, parts: { feeds: Feeds; clock: Clock; tenants: TenantTable; slots: number }) {
    this.name = meter.name;
    this.index = meter.index;
    this.unit = meter.unit;
    this.#meter = meter;
    this.#feeds = parts.feeds;
    this.#clock = parts.clock;
    this.#tenants = parts.tenants;
    this.#slots = parts.slots;
  }

  /** Operations in the resource's own queue now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Operations in service now. */
  get running(): number {
    return this.#running;
  }

  /**
   * Begins an operation: in service at once, or when a slot is free. Calls `operation.onStart` exactly once unless cancelled.
   * @throws TenantryError BAD_JOB when it was used before
   */
  use(operation: Operation): void {
    if (operation.phase !== "new") throw this.#misuse(operation, "used", "a new operation");
    this.#checkTenant(operation.tenant);
    if (operation.shares !== undefined) for (const { tenant } of operation.shares) this.#checkTenant(tenant);
    const nowUs = this.#clock.nowUs();
    operation.observedBy(this.#feeds);
    if (this.#running < this.#slots && this.#waiting === 0) {
      operation.count(this.#meter, RUNNING, 1, nowUs);
      this.#start(operation, nowUs);
      return;
    }
    operation.phase = "queued";
    this.#queue.push(operation);
    this.#waiting += 1;
    operation.count(this.#meter, WAITING, 1, nowUs);
  }

  /**
   * Ends an operation that is in service; its slot goes to the next.
   * @param cost what it used, in the meter's unit; default: its time in service where the unit is "us", else 0
   * @throws TenantryError BAD_JOB when it is not in service (ended before, or never started); BAD_ARGUMENT when the cost is no cost
   */
  finish(operation: Operation, cost?: number): void {
    if (operation.phase !== "running") throw this.#misuse(operation, "finished", "one that is in service");
    const nowUs = this.#clock.nowUs();
    operation.completed(this.#meter, this.#costOf(operation.startedUs, nowUs, cost), nowUs);
    operation.phase = "ended";
    this.#running -= 1;
    if (this.#waiting > 0) this.#startWaiting(nowUs);
  }

  /** Takes an operation out of the queue. @returns false when it is not queued (it is in service, or has ended) */
  cancel(operation: Operation): boolean {
    if (operation.phase !== "queued") return false;
    operation.phase = "ended";
    this.#queue.remove(operation);
    this.#waiting -= 1;
    operation.count(this.#meter, WAITING, -1, this.#clock.nowUs());
    return true;
  }

  /** For what queues elsewhere (a pool of another library, a lock): one more waits. Follow with `begin` or `leave`. */
  arrive(tenant: TenantIndex): void {
    this.#checkTenant(tenant);
    this.#meter.add(tenant, WAITING, 1, this.#clock.nowUs());
  }

  /** One that had arrived gave up waiting. */
  leave(tenant: TenantIndex): void {
    if (this.#meter.gauge(tenant, WAITING) < 1) throw this.#nobody("left", "waits", "arrive");
    this.#meter.add(tenant, WAITING, -1, this.#clock.nowUs());
  }

  /**
   * One is in service from now on; it had been announced by `arrive` if `waited`. Follow with `end`.
   * @returns clock time, µs, for `end`
   */
  begin(tenant: TenantIndex, via: ViaSet, waited: boolean): number {
    this.#checkTenant(tenant);
    if (waited && this.#meter.gauge(tenant, WAITING) < 1) throw this.#nobody("begun after waiting", "waits", "arrive");
    const nowUs = this.#clock.nowUs();
    this.#feeds.observe(via);
    if (waited) this.#meter.move(tenant, WAITING, RUNNING, nowUs);
    else this.#meter.add(tenant, RUNNING, 1, nowUs);
    return nowUs;
  }

  /** One that was in service since `startedUs` (as `begin` returned it) is done. `cost` as for `finish`. */
  end(tenant: TenantIndex, startedUs: number, cost?: number): void {
    if (this.#meter.gauge(tenant, RUNNING) < 1) throw this.#nobody("ended", "is in service", "begin");
    const nowUs = this.#clock.nowUs();
    this.#meter.completed(tenant, this.#costOf(startedUs, nowUs, cost), nowUs);
  }

  /**
   * Counts use that was measured elsewhere.
   * @param amount units used, ≥ 0
   * @throws TenantryError BAD_ARGUMENT when the amount or an option is negative or not finite
   * @example network.record(tenant, via, bytes);
   * @example eventLoop.record(tenant, via, turnUs, { waitUs });
   */
  record(tenant: TenantIndex, via: ViaSet, amount: number, options?: RecordOptions): void {
    this.#checkTenant(tenant);
    const count = options?.count ?? 1;
    const waitUs = options?.waitUs ?? 0;
    const serviceUs = options?.serviceUs ?? (this.unit === "us" ? amount : 0);
    if (!(amount + count + waitUs + serviceUs < Number.POSITIVE_INFINITY) || !(Math.min(amount, count, waitUs, serviceUs) >= 0)) {
      throw new TenantryError(
        "BAD_ARGUMENT",
        `resource "${this.name}": recorded amount ${amount}, count ${count}, waitUs ${waitUs}, serviceUs ${serviceUs}; expected finite numbers ≥ 0`,
      );
    }
    this.#feeds.observe(via);
    if (amount !== serviceUs) this.#meter.tellCosts();
    const at = this.#meter.advance(tenant, this.#clock.nowUs());
    const { cells } = this.#meter;
    cells[at + COUNT] += count;
    cells[at + COST_SQUARED] += count > 0 ? (amount * amount) / count : 0;
    cells[at + WAIT_US] += waitUs;
    cells[at + SERVICE_US] += serviceUs;
    if (this.#meter.hasOwnCosts) cells[at + COST] += amount;
  }

  #costOf(startedUs: number, nowUs: number, cost: number | undefined): number {
    if (cost === undefined) return this.unit === "us" ? nowUs - startedUs : 0;
    if (!(cost >= 0 && cost < Number.POSITIVE_INFINITY)) {
      throw new TenantryError("BAD_ARGUMENT", `resource "${this.name}": finished at cost ${cost}; expected a finite number ≥ 0`);
    }
    this.#meter.tellCosts();
    return cost;
  }

  #start(operation: Operation, nowUs: number): void {
    operation.phase = "running";
    operation.startedUs = nowUs;
    this.#running += 1;
    operation.onStart(operation);
  }

  /** Starts what waits while there are slots: a loop, not recursion, however many finish within their own `onStart`. */
  #startWaiting(nowUs: number): void {
    if (this.#starting) return;
    this.#starting = true;
    try {
      while (this.#waiting > 0 && this.#running < this.#slots) {
        const operation = this.#queue.shift() as Operation;
        this.#waiting -= 1;
        operation.move(this.#meter, WAITING, RUNNING, nowUs);
        this.#start(operation, nowUs);
      }
    } finally {
      this.#starting = false;
    }
  }

  #checkTenant(tenant: TenantIndex): void {
    if (!this.#tenants.has(tenant)) throw unknownTenant(`resource "${this.name}"`, tenant);
  }

  #misuse(operation: Operation, what: string, expected: string): TenantryError {
    const who = this.#tenants.nameOf(operation.tenant);
    return new TenantryError(
      "BAD_JOB",
      `resource "${this.name}": an operation of tenant "${who}" was ${what} when it was ${operation.phase}; expected ${expected}`,
    );
  }

  #nobody(what: string, where: string, before: string): TenantryError {
    return new TenantryError(
      "BAD_JOB",
      `resource "${this.name}": an operation was ${what}, but none of its tenant ${where}; call ${before} first`,
    );
  }
}

/** The error for a tenant handle that is none. */
export function unknownTenant(where: string, tenant: TenantIndex): TenantryError {
  return new TenantryError(
    "BAD_ARGUMENT",
    `${where}: ${tenant} is not a tenant's handle; expected what agent.tenant(id) returned`,
  );
}
