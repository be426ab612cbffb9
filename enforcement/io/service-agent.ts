/**
 * The agent as a service holds it: who a request is for, what it uses, and where it may be held back.
 */
import { TenantryError } from "../../proto/errors.js";
import { UNKNOWN_TENANT } from "../../proto/names.js";
import { checkOptions } from "../../proto/options.js";
import type { Clock } from "../../proto/ports.js";
import type { Agent, AgentState, PointOptions, ResourceOptions } from "../index.js";
import { badArgument } from "./call.js";
import { type EventLoopOptions, EventLoopProbe } from "./event-loop.js";
import type { IncomingHeaders, OutgoingHeaders } from "./header-carrier.js";
import { KeepAlive } from "./keep-alive.js";
import { enter, Scope, storage } from "./scope.js";
import { ServicePoint, type Surroundings } from "./service-point.js";
import { ServiceResource } from "./service-resource.js";
import { TenantContext, tenantFromHeaders, tenantToHeaders } from "./tenant-headers.js";

/** Made by `createAgent`. */
export class ServiceAgent {
  readonly #core: Agent;
  readonly #around: Surroundings;
  readonly #tenantHeader: string | undefined;
  readonly #resources = new Map<string, ServiceResource>();
  readonly #points = new Map<string, ServicePoint>();
  #loop: EventLoopProbe | undefined;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(core: Agent, clock: Clock, tenantHeader: string | undefined) {
    this.#core = core;
    this.#around = { agent: core, clock, keepAlive: new KeepAlive() };
    this.#tenantHeader = tenantHeader;
  }

  /** The service's name. */
  get service(): string {
    return this.#core.service;
  }

  /** Connection, allocation in force and counters, for showing. */
  get state(): AgentState {
    return this.#core.state;
  }

  /**
   * Calls `fn` on behalf of a tenant. Everything it starts (awaits, timers, streams, event handlers) belongs to the tenant too.
   *
   * Within a run for the same tenant this changes nothing; for another tenant, what it uses is that one's from here on, while
   * admissions the request holds stay held.
   *
   * @param tenant an id, or what `extract` returned (which also carries the points passed upstream and others' baggage)
   * @returns what `fn` returns
   * @throws TenantryError BAD_TENANT when the id is empty, longer than 128 or has control characters
   * @example agent.run(customerOf(req), () => handle(req, res));
   * @example agent.run(agent.extract(req.headers), () => handle(req, res));
   */
  run<T>(tenant: string | TenantContext, fn: () => T): T {
    if (typeof fn !== "function") throw badArgument("fn", fn, "a function: agent.run(tenant, fn)");
    const around = storage.getStore();
    if (tenant instanceof TenantContext) {
      const index = this.#core.tenant(tenant.tenant);
      const via = tenant.via.length === 0 ? 0 : this.#core.vias.intern(tenant.via);
      return enter(new Scope(this.#core, tenant, index, via, around?.admission), fn, undefined);
    }
    if (around !== undefined && around.context.tenant === tenant && around.owner === this.#core) return fn();
    const index = this.#core.tenant(tenant);
    // The points passed led the other tenant here, not this one; what others put into the baggage belongs to the request.
    const sameTenant = around !== undefined && around.context.tenant === tenant;
    const context = new TenantContext(tenant, undefined, around?.context.baggage);
    const via = sameTenant ? around.viaAt(this.#core) : 0;
    return enter(new Scope(this.#core, context, index, via, around?.admission), fn, undefined);
  }

  /** Who the current request is for; "unknown" outside any `run`. */
  tenant(): string {
    return storage.getStore()?.context.tenant ?? UNKNOWN_TENANT;
  }

  /**
   * Who a request is for, from its headers: the configured `tenantHeader` when it is there, else W3C baggage, else "unknown".
   * Pass the result to `run`; in a string it reads as the tenant id. Headers are believed: where strangers can reach the
   * service, give `run` the tenant you have authenticated.
   *
   * @param headers `req.headers`, `Headers`, a `Map`, gRPC `Metadata`
   * @throws TenantryError BAD_TENANT when an id is there but is not one (answer 400)
   */
  extract(headers: IncomingHeaders): TenantContext {
    return tenantFromHeaders(headers, { tenantHeader: this.#tenantHeader });
  }

  /**
   * Writes the current tenant, the points its request has passed and others' baggage into the headers of an outgoing call.
   * Baggage members that are there already stay. Outside any `run` nothing is written.
   *
   * @returns the same headers
   * @example fetch(url, { headers: agent.inject({ accept: "application/json" }) });
   */
  inject<H extends OutgoingHeaders>(headers: H): H {
    const scope = storage.getStore();
    return scope === undefined ? headers : tenantToHeaders(scope.outgoing(), headers);
  }

  /**
   * Something tenants share and may exhaust. The same name gives the same resource.
   *
   * @param name 1 to 64 letters, digits, `.`, `_`, `-`
   * @throws TenantryError BAD_NAME; BAD_ARGUMENT for options that differ from before; TOO_MANY
   * @example const disk = agent.resource("disk", { slots: 4 });
   */
  resource(name: string, options?: ResourceOptions): ServiceResource {
    const meter = this.#core.resource(name, options);
    let resource = this.#resources.get(name);
    if (resource === undefined) {
      resource = new ServiceResource(meter, this.#around);
      this.#resources.set(name, resource);
    }
    return resource;
  }

  /**
   * A place where requests may be held back: by their tenant's rate, then by fair queuing for slots. The same name gives the
   * same point. Do not hold something others wait for (an exclusive lock) while passing one.
   *
   * @param name 1 to 64 letters, digits, `.`, `_`, `-`
   * @throws TenantryError BAD_NAME; BAD_ARGUMENT for options that are out of range or differ from before; TOO_MANY
   * @example const reads = agent.controlPoint("read", { slots: 16 });
   */
  controlPoint(name: string, options?: PointOptions): ServicePoint {
    const core = this.#core.controlPoint(name, options);
    let point = this.#points.get(name);
    if (point === undefined) {
      point = new ServicePoint(core, this.#around);
      this.#points.set(name, point);
    }
    return point;
  }

  /**
   * Measures this thread's event loop as a resource. Called again, it returns the probe that runs.
   *
   * @throws TenantryError BAD_ARGUMENT when `duty` is not 0.01 to 0.5, or a resource of this name exists that has other than one slot
   * @example agent.eventLoop();
   */
  eventLoop(options: EventLoopOptions = {}): EventLoopProbe {
    checkOptions<EventLoopOptions>("eventLoop", options, { name: true, duty: true });
    const { name = "event-loop", duty } = options;
    if (duty !== undefined && !(duty >= 0.01 && duty <= 0.5)) throw badArgument("duty", duty, "0.01 to 0.5");
    if (this.#closing !== undefined) throw new TenantryError("CLOSED", "the agent is closed; create another");
    this.#loop ??= new EventLoopProbe(this.#core, this.#core.resource(name, { slots: 1 }), duty);
    return this.#loop;
  }

  /**
   * Sends one last report (waiting for it no longer than a moment), refuses what waits with SHUTTING_DOWN, and releases every
   * timer and connection. What runs may end. Harmless when repeated.
   */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#loop?.stop();
      const { keepAlive } = this.#around;
      keepAlive.hold();
      this.#closing = new Promise<void>((resolve) => this.#core.close(resolve)).finally(() => {
        keepAlive.release();
        keepAlive.close();
      });
    }
    return this.#closing;
  }
}
