/**
 * A resource as a service uses it: a function is run, and who used the resource for how long is measured.
 */
import { UNKNOWN_TENANT } from "../../proto/names.js";
import { Operation, type OperationOptions, type RecordOptions, type ResourceMeter, type Share } from "../index.js";
import { Batch } from "./batch.js";
import { badArgument, type CallHandle, checkCost } from "./call.js";
import { storage } from "./scope.js";
import type { Surroundings } from "./service-point.js";
import { untilDone } from "./until-done.js";
import { Waiter, type Waiting } from "./waiter.js";

/** What a use says of itself. */
export interface UseOptions {
  /** Gives up waiting for a slot when aborted; rejects with `signal.reason`. A use that has begun is not ended by it. */
  signal?: AbortSignal | undefined;
}

/** One use: the operation the meter sees and the handle the function is given. */
class Use extends Operation implements CallHandle, Waiting {
  readonly meter: ResourceMeter;
  begun = false;
  waiter: Waiter | undefined;
  #cost: number | undefined;

  constructor(options: OperationOptions, meter: ResourceMeter) {
    super(options, begin);
    this.meter = meter;
  }

  charge(costSoFar: number): void {
    checkCost("costSoFar", costSoFar);
    this.#cost = costSoFar;
  }

  withdraw(): boolean {
    return this.meter.cancel(this);
  }

  end(cost: number | undefined = this.#cost): void {
    this.meter.finish(this, cost);
  }
}

function begin(operation: Operation): void {
  const use = operation as Use;
  use.begun = true;
  use.waiter?.start();
}

/** Something tenants share and may exhaust. Made by `agent.resource(name)`. */
export class ServiceResource {
  readonly #meter: ResourceMeter;
  readonly #around: Surroundings;

  /** @internal */
  constructor(meter: ResourceMeter, around: Surroundings) {
    this.#meter = meter;
    this.#around = around;
  }

  /** The resource's name in this service. */
  get name(): string {
    return this.#meter.name;
  }

  /** Operations in the resource's own queue now. */
  get waiting(): number {
    return this.#meter.waiting;
  }

  /** Operations in service now. */
  get running(): number {
    return this.#meter.running;
  }

  /**
   * Runs `fn` as one use of the resource by the current tenant, timed from its start until what it returns is settled; before
   * that it may queue for a slot, which is timed too. Do not use a resource with slots inside a use of the same: the inner one
   * would wait for the outer.
   *
   * @returns what `fn` returns; rejects with what it throws
   * @throws `signal.reason` when the signal aborts before `fn` is called
   * @example await disk.use(() => readFile(path));
   * @example await network.use({ signal }, async (use) => { const body = await download(); use.charge(body.length); });
   */
  use<T>(fn: (use: CallHandle) => T): Promise<Awaited<T>>;
  use<T>(options: UseOptions | undefined, fn: (use: CallHandle) => T): Promise<Awaited<T>>;
  use<T>(first: UseOptions | undefined | ((use: CallHandle) => T), second?: (use: CallHandle) => T): Promise<Awaited<T>> {
    if (typeof first === "function") return this.#use(first);
    return this.#use(second, first?.signal);
  }

  /**
   * Begins to collect what is then done once for several tenants: a group commit, a flush. Each contributes from its own request;
   * whoever does the work calls `run`, and each contributor is charged its part of the time and of the cost.
   *
   * @example
   * let batch = journal.batch();
   * // in each request
   * batch.add(record.length);
   * // every so often
   * const full = batch;
   * batch = journal.batch();
   * await full.run(() => file.datasync());
   */
  batch(): Batch {
    return new Batch(this.#around.agent, (fn, signal, shares) => this.#use(fn, signal, shares));
  }

  /**
   * Counts use by the current tenant that was measured elsewhere.
   *
   * @param amount what was used, in the resource's unit, ≥ 0
   * @param options how many operations it stands for, and how long they waited and took in all, µs
   * @throws TenantryError BAD_ARGUMENT when an amount is negative or not finite
   * @example network.record(chunk.length);
   */
  record(amount: number, options?: RecordOptions): void {
    checkCost("amount", amount);
    const { agent } = this.#around;
    const scope = storage.getStore();
    if (scope === undefined) this.#meter.record(agent.tenant(UNKNOWN_TENANT), 0, amount, options);
    else this.#meter.record(scope.indexAt(agent), scope.viaAt(agent), amount, options);
  }

  #use<T>(fn: unknown, signal?: AbortSignal, shares?: readonly Share[]): Promise<Awaited<T>> {
    if (typeof fn !== "function") return Promise.reject(badArgument("fn", fn, "a function: use(fn) or use(options, fn)"));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const run = fn as (use: CallHandle) => T;
    let use: Use;
    try {
      const { agent } = this.#around;
      const scope = storage.getStore();
      const tenant = shares?.[0].tenant ?? scope?.indexAt(agent) ?? agent.tenant(UNKNOWN_TENANT);
      use = new Use({ tenant, via: scope?.viaAt(agent) ?? 0, shares }, this.#meter);
      this.#meter.use(use);
    } catch (error) {
      return Promise.reject(error);
    }
    if (use.begun) return untilDone<CallHandle, T>(use, run, use);
    return this.#queued(use, signal, run);
  }

  async #queued<T>(use: Use, signal: AbortSignal | undefined, fn: (use: CallHandle) => T): Promise<Awaited<T>> {
    use.waiter = new Waiter();
    await use.waiter.wait(this.#around.keepAlive, use, signal);
    if (signal?.aborted) {
      use.end(0);
      throw signal.reason;
    }
    try {
      return await fn(use);
    } finally {
      use.end();
    }
  }
}
