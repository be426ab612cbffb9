/**
 * Whose work this is: one `AsyncLocalStorage` for the process, shared by all its agents, and what it holds.
 *
 * A second store would cost every await again (+0.8 µs per ten awaits on Node 20), so all that travels with a request lives in
 * one object: its tenant, already resolved to the small integer the hot paths use; the points it has passed; and the point
 * whose admission it holds.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Agent, ControlPoint, TenantIndex, ViaSet } from "../index.js";
import { TenantContext } from "./tenant-headers.js";

/** An admission a request holds: while it runs, the same point lets the request's inner calls straight through. */
export interface Admission {
  readonly point: ControlPoint;
  /** False once the request is complete: work it left behind is admitted like any other. */
  readonly held: boolean;
  /** The admission around this one. */
  readonly outer: Admission | undefined;
}

/** What travels with a request through callbacks, timers, streams and awaits. Immutable but for the handle it caches. */
export class Scope {
  readonly owner: Agent;
  /** Who, and what else came in with the request. */
  readonly context: TenantContext;
  /** Points passed, upstream and here. */
  readonly via: ViaSet;
  readonly admission: Admission | undefined;
  #index: TenantIndex;

  constructor(owner: Agent, context: TenantContext, index: TenantIndex, via: ViaSet, admission: Admission | undefined) {
    this.owner = owner;
    this.context = context;
    this.#index = index;
    this.via = via;
    this.admission = admission;
  }

  /**
   * The tenant's handle at `agent`. A context may outlive its tenant's place in the agent's table (an idle connection, say), and
   * the place may be another's by then: comparing the name costs nanoseconds and settles it.
   */
  indexAt(agent: Agent): TenantIndex {
    const { tenant } = this.context;
    if (agent !== this.owner) return agent.tenant(tenant);
    if (agent.tenantName(this.#index) !== tenant) this.#index = agent.tenant(tenant);
    return this.#index;
  }

  /** The points passed, as `agent` numbers them. */
  viaAt(agent: Agent): ViaSet {
    return agent === this.owner ? this.via : agent.vias.intern(this.owner.vias.names(this.via));
  }

  /** What `inject` writes: the tenant, every point passed, and the baggage of others. */
  outgoing(): TenantContext {
    return new TenantContext(this.context.tenant, this.owner.vias.names(this.via), this.context.baggage);
  }
}

/** The one store. */
export const storage = new AsyncLocalStorage<Scope>();

/** Told of every scope entered and left, while somebody watches (the event loop's sampler, one part in twenty of the time). */
export interface ScopeWatcher {
  enter(scope: Scope): void;
  leave(): void;
}

let watcher: ScopeWatcher | undefined;

export function watchScopes(by: ScopeWatcher): void {
  watcher = by;
}

export function leaveUnwatched(): void {
  watcher = undefined;
}

/** Calls `fn(argument)` within a scope, and whatever it starts. */
export function enter<A, T>(scope: Scope, fn: (argument: A) => T, argument: A): T {
  if (watcher === undefined) return storage.run(scope, fn, argument);
  const watching = watcher;
  watching.enter(scope);
  try {
    return storage.run(scope, fn, argument);
  } finally {
    watching.leave();
  }
}
