/**
 * What several tenants contribute to before it is done once for all of them. Contributions are kept by name, since a request may have
 * ended, and its tenant's place in the agent's table be another's, before the work begins.
 */
import { TenantryError } from "../../proto/errors.js";
import { UNKNOWN_TENANT } from "../../proto/names.js";
import { type Agent, type Share, sharesOf, type ViaSet } from "../index.js";
import { badArgument, type CallHandle } from "./call.js";
import { storage } from "./scope.js";
import type { UseOptions } from "./service-resource.js";

/** So large a part would leave nothing to be told of the others. */
const MOST = 2 ** 53;

type Run = <T>(fn: unknown, signal: AbortSignal | undefined, shares: readonly Share[] | undefined) => Promise<Awaited<T>>;

/** One use of a resource for several tenants. Made by `resource.batch()`. */
export class Batch {
  readonly #agent: Agent;
  readonly #run: Run;
  readonly #contributions = new Map<string, { via: ViaSet; part: number }>();
  #begun = false;

  /** @internal */
  constructor(agent: Agent, run: Run) {
    this.#agent = agent;
    this.#run = run;
  }

  /** Tenants that have contributed. */
  get size(): number {
    return this.#contributions.size;
  }

  /**
   * The current tenant contributes: bytes, records, whatever the work is in proportion to. Of parts added by one tenant the sum
   * counts; a part of 0 is no contribution.
   *
   * @param part 0 to 2⁵³. Default 1.
   * @throws TenantryError BAD_ARGUMENT when the part is none; BAD_JOB when the work has begun, and the part comes too late
   * @example batch.add(record.length);
   */
  add(part = 1): void {
    if (typeof part !== "number" || !(part >= 0 && part <= MOST)) throw badArgument("part", part, "a number from 0 to 2^53");
    if (this.#begun) throw this.#late("was added to");
    if (part === 0) return;
    const scope = storage.getStore();
    const id = scope?.context.tenant ?? UNKNOWN_TENANT;
    const known = this.#contributions.get(id);
    if (known === undefined) this.#contributions.set(id, { via: scope?.viaAt(this.#agent) ?? 0, part });
    else known.part += part;
  }

  /**
   * Does the work: one use of the resource, which may queue for a slot, by all who contributed. When nobody did, by whoever calls.
   *
   * @returns what `fn` returns; rejects with what it throws
   * @throws TenantryError BAD_JOB when called again; `signal.reason` when the signal aborts before `fn` is called
   * @example await batch.run(() => file.datasync());
   */
  run<T>(fn: (use: CallHandle) => T): Promise<Awaited<T>>;
  run<T>(options: UseOptions | undefined, fn: (use: CallHandle) => T): Promise<Awaited<T>>;
  run<T>(first: UseOptions | undefined | ((use: CallHandle) => T), second?: (use: CallHandle) => T): Promise<Awaited<T>> {
    if (this.#begun) return Promise.reject(this.#late("was run"));
    const alone = typeof first === "function";
    const fn = alone ? first : second;
    // Checked here, so that what was contributed is not lost by a slip.
    if (typeof fn !== "function") return Promise.reject(badArgument("fn", fn, "a function: run(fn) or run(options, fn)"));
    this.#begun = true;
    return this.#run(fn, alone ? undefined : first?.signal, this.#shares());
  }

  #shares(): Share[] | undefined {
    if (this.#contributions.size === 0) return undefined;
    const contributions = Array.from(this.#contributions, ([id, { via, part }]) => ({
      tenant: this.#agent.tenant(id),
      via,
      part,
    }));
    return sharesOf(contributions);
  }

  #late(what: string): TenantryError {
    return new TenantryError("BAD_JOB", `a batch ${what} after it had been run; expected another, from resource.batch()`);
  }
}
