/**
 * A control point as a service calls it: promises instead of callbacks, the tenant from the context, `AbortSignal`s, and
 * deadlines in milliseconds from now.
 *
 * A call that is admitted at once calls its function at once, before `run` returns: no promise stands between. Unless others
 * were admitted before it whose continuations have yet to run: functions are called in the order in which the core decided.
 */
import { UNKNOWN_TENANT } from "../../proto/names.js";
import type { Clock } from "../../proto/ports.js";
import type { Agent, ControlPoint, RequestOptions, ViaSet } from "../index.js";
import { admissionAt, badArgument, Call, type CallHandle, type CallOptions, checkCost, InnerCall } from "./call.js";
import type { KeepAlive } from "./keep-alive.js";
import { enter, Scope, storage } from "./scope.js";
import { TenantContext } from "./tenant-headers.js";
import { untilDone } from "./until-done.js";
import { type Turns, Waiter } from "./waiter.js";

/** What all points and resources of an agent share. */
export interface Surroundings {
  readonly agent: Agent;
  readonly clock: Clock;
  readonly keepAlive: KeepAlive;
}

const ADMITTED = Promise.resolve();
const NOBODY = new TenantContext(UNKNOWN_TENANT);
const NOTHING_TO_END = { end() {} };

/** Where requests may be held back. Made by `agent.controlPoint(name)`. */
export class ServicePoint {
  readonly #core: ControlPoint;
  readonly #around: Surroundings;
  /** Per set of points passed before, the set with this one: few sets, and each asked for with every call. */
  readonly #passed: ViaSet[] = [];
  readonly #turns: Turns = { due: 0 };

  /** @internal */
  constructor(core: ControlPoint, around: Surroundings) {
    this.#core = core;
    this.#around = around;
  }

  /** The point's name in this service. */
  get name(): string {
    return this.#core.name;
  }

  /** Requests that hold a slot now. */
  get running(): number {
    return this.#core.running;
  }

  /** Requests that wait now, held back by a rate or queued for a slot. */
  get waiting(): number {
    return this.#core.waiting;
  }

  /**
   * The rate in force here for a tenant, in the point's units per second; Infinity where nothing is limited.
   *
   * @param tenant default: the current one
   * @example refuse(res, error, { ratePerSec: reads.ratePerSec(error.tenant) });
   */
  ratePerSec(tenant?: string): number {
    const { agent } = this.#around;
    return this.#core.ratePerSec(agent.tenant(tenant ?? storage.getStore()?.context.tenant ?? UNKNOWN_TENANT));
  }

  /** Changes the number of slots while running. @param slots whole, ≥ 1, or Infinity */
  setSlots(slots: number): void {
    this.#core.setSlots(slots);
  }

  /**
   * Runs `fn` for the current tenant when the tenant's rate, the fair queue and a free slot allow: at once when nothing stands
   * in the way. A call inside `fn`, of the same point for the same request, goes straight through: it is admitted already.
   *
   * @returns what `fn` returns; rejects with what it throws
   * @throws ThrottledError QUEUE_FULL, DEADLINE, RATE_ZERO or SHUTTING_DOWN when the request is refused; `fn` is not called
   * @throws `signal.reason` when the signal aborts before `fn` is called
   * @example await reads.run({ api: "GetBlob", signal: AbortSignal.timeout(500) }, () => readBlob(key));
   * @example await scans.run(async (call) => { for await (const rows of scan()) call.charge((total += rows.length)); });
   */
  run<T>(fn: (call: CallHandle) => T): Promise<Awaited<T>>;
  run<T>(options: CallOptions | undefined, fn: (call: CallHandle) => T): Promise<Awaited<T>>;
  run<T>(first: CallOptions | undefined | ((call: CallHandle) => T), second?: (call: CallHandle) => T): Promise<Awaited<T>> {
    const alone = typeof first === "function";
    const fn = alone ? first : second;
    const options = alone ? undefined : first;
    if (typeof fn !== "function") return Promise.reject(badArgument("fn", fn, "a function: run(fn) or run(options, fn)"));
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const scope = storage.getStore();
    const outer = admissionAt(this.#core, scope?.admission);
    if (outer !== undefined) return untilDone(NOTHING_TO_END, fn, new InnerCall(outer));
    let call: Call;
    try {
      call = new Call(this.#request(scope, options), this.#core, scope?.admission);
      this.#core.submit(call);
    } catch (error) {
      return Promise.reject(error);
    }
    if (call.held && this.#turns.due === 0) return this.#start(call, scope, fn);
    if (call.error !== undefined) return Promise.reject(call.error);
    return this.#inTurn(call, scope, signal, fn);
  }

  /**
   * The throttle alone: waits until the current tenant's rate allows `cost` more, and takes no slot. For long loops inside a
   * request, so that a new rate bites soon however long the request is.
   *
   * @param options cost in the point's unit, or `{ api, cost, signal, deadlineMs }`
   * @throws ThrottledError, or `signal.reason`, as `run` does
   * @example for await (const chunk of file) { await writes.throttle(chunk.length); await socket.write(chunk); }
   */
  throttle(options?: number | CallOptions): Promise<void> {
    const asked = typeof options === "number" ? { cost: options } : options;
    const signal = asked?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    let call: Call;
    try {
      call = new Call(this.#request(storage.getStore(), asked), this.#core, undefined);
      this.#core.throttle(call);
    } catch (error) {
      return Promise.reject(error);
    }
    if (call.held) return ADMITTED;
    if (call.error !== undefined) return Promise.reject(call.error);
    call.waiter = new Waiter();
    return call.waiter.wait(this.#around.keepAlive, call, signal);
  }

  #request(scope: Scope | undefined, options: CallOptions | undefined): RequestOptions {
    const { agent, clock } = this.#around;
    const tenant = scope === undefined ? agent.tenant(UNKNOWN_TENANT) : scope.indexAt(agent);
    const via = scope === undefined ? 0 : scope.viaAt(agent);
    if (options === undefined) return { tenant, via };
    const { api, cost, deadlineMs } = options;
    if (cost !== undefined) checkCost("cost", cost);
    if (deadlineMs === undefined) return { tenant, via, api, cost };
    if (!(deadlineMs >= 0)) throw badArgument("deadlineMs", deadlineMs, "milliseconds from now, 0 or more");
    return { tenant, via, api, cost, deadlineUs: clock.nowUs() + Math.ceil(deadlineMs * 1000) };
  }

  #start<T>(call: Call, scope: Scope | undefined, fn: (call: CallHandle) => T): Promise<Awaited<T>> {
    const inner = this.#admitted(call, scope);
    return untilDone(call, (handle: CallHandle) => enter(inner, fn, handle), call);
  }

  /** After an await every asynchronous context of the caller is its own again, whoever made room. */
  async #inTurn<T>(
    call: Call,
    scope: Scope | undefined,
    signal: AbortSignal | undefined,
    fn: (call: CallHandle) => T,
  ): Promise<Awaited<T>> {
    if (call.held) {
      this.#turns.due += 1;
      await ADMITTED;
    } else {
      call.waiter = new Waiter(this.#turns);
      await call.waiter.wait(this.#around.keepAlive, call, signal);
    }
    this.#turns.due -= 1;
    if (signal?.aborted) {
      // Aborted between its admission and this continuation: it never ran, and cost nothing.
      call.end(0);
      throw signal.reason;
    }
    try {
      return await enter(this.#admitted(call, scope), fn, call as CallHandle);
    } finally {
      call.end();
    }
  }

  #admitted(call: Call, scope: Scope | undefined): Scope {
    let via = this.#passed[call.via];
    if (via === undefined) {
      via = this.#core.passed(call.via);
      this.#passed[call.via] = via;
    }
    return new Scope(this.#around.agent, scope?.context ?? NOBODY, call.tenant, via, call);
  }
}
