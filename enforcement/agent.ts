/**
 * Everything a service links, without the world around it: who is served, what they use, where they may be held back, and the
 * conversation with the controller. Simulations construct it with a virtual clock and network; `io/` with the real ones.
 */
import { TenantryError } from "../proto/errors.js";
import { POINT, RESOURCE } from "../proto/messages.js";
import { checkName, isLabel, shown } from "../proto/names.js";
import type { Chance, Clock, Transport } from "../proto/ports.js";
import type { AgentEvent } from "./events.js";
import { Feeds } from "./meters/feeds.js";
import { Meter } from "./meters/meter.js";
import { checkedResourceOptions, ResourceMeter, type ResourceOptions } from "./meters/resource-meter.js";
import { ControlPoint } from "./points/control-point.js";
import { checkedPointOptions, type PointOptions } from "./points/point-options.js";
import { listed } from "./schedulers/index.js";
import { Conversation } from "./session/conversation.js";
import { Enforcer } from "./session/enforcer.js";
import type { EndState, LadderState } from "./session/ladder.js";
import { RateTable } from "./session/rate-table.js";
import type { Reported } from "./session/reporter.js";
import { type TenantIndex, TenantTable } from "./tenant-table.js";
import { ViaTable } from "./via.js";

export interface AgentOptions {
  /** Logical service, a name. */
  service: string;
  /** Unique among the live instances of the service; 1 to 128 printable characters. */
  instance: string;
  /** Random per process start; 1 to 64 printable characters. */
  boot: string;
  clock: Clock;
  chance: Chance;
  /** How to reach a controller; absent: local fairness only. */
  transport?: Transport | undefined;
  /** What follows when the controller stays away for long: "open" (no limit, the default), "floor" (`floorPerSec` each) or "closed". */
  endState?: EndState | undefined;
  /** Rate of each limited tenant and point in the end state "floor", cost units per second. Default: its fallback. */
  floorPerSec?: number | undefined;
  /** Tenants known at once, at most; the rest share the tenant "overflow". Default 10,000. */
  maxTenants?: number | undefined;
  /** Resources and control points, at most. Default 256. */
  maxMeters?: number | undefined;
  /** Time at the fallback rates before the end state, µs. Default 60 s. */
  endAfterUs?: number | undefined;
  /** Told of each step once; `io/` logs it. */
  onEvent?: ((event: AgentEvent) => void) | undefined;
}

/** A snapshot, for metrics and tests. */
export interface AgentState {
  /** Is there an open session with a controller? */
  readonly connected: boolean;
  /** Epoch and sequence of the allocation in force; 0, 0: none yet. */
  readonly epoch: number;
  readonly sequence: number;
  /** Where the rates stand: none in force, under a valid lease, or on the way down. */
  readonly ladder: LadderState;
  /** Tenants known here. */
  readonly tenants: number;
  readonly windowUs: number;
  readonly connectionAttempts: number;
  readonly reportsSent: number;
  readonly reportsAcknowledged: number;
  readonly allocationsApplied: number;
  /** Allocations that came late, or twice. */
  readonly allocationsIgnored: number;
  /** (point, tenant) pairs with a rate in force. */
  readonly limitsInForce: number;
}

/**
 * @example
 * const agent = new Agent({ service: "storage", instance: "storage-1", boot, clock, chance, transport });
 * const disk = agent.resource("disk");
 * const reads = agent.controlPoint("read", { slots: 16 });
 * agent.start();
 */
export class Agent {
  readonly service: string;
  /** Sets of control points that requests have passed. */
  readonly vias = new ViaTable();
  readonly #clock: Clock;
  readonly #tenants: TenantTable;
  readonly #maxMeters: number;
  readonly #meters: Reported[] = [];
  readonly #resources = new Map<string, { meter: ResourceMeter; options: object }>();
  readonly #points = new Map<string, { point: ControlPoint; options: object }>();
  readonly #table: RateTable;
  readonly #enforcer: Enforcer;
  readonly #conversation: Conversation | undefined;
  #closed = false;

  /** @throws TenantryError BAD_NAME or BAD_ARGUMENT, naming the option */
  constructor(options: AgentOptions) {
    const { service, instance, boot, clock, transport } = checked(options);
    const onEvent = options.onEvent ?? (() => {});
    this.service = service;
    this.#clock = clock;
    this.#maxMeters = options.maxMeters ?? 256;
    this.#tenants = new TenantTable({
      maxTenants: options.maxTenants ?? 10_000,
      nowUs: () => clock.nowUs(),
      isIdle: (tenant) => this.#isIdle(tenant),
      onNew: (tenant, id) => this.#enforcer.addTenant(tenant, id, this.#table),
      onForgotten: (tenant) => this.#forget(tenant),
      onFull: () => {
        const message = `${this.#tenants.size} tenants are known, the most there may be; those that are new share the tenant "overflow"`;
        onEvent({ kind: "bounded", message });
      },
    });
    this.#enforcer = new Enforcer(clock, this.#tenants);
    this.#table = new RateTable({
      clock,
      endState: options.endState ?? "open",
      floorPerSec: options.floorPerSec,
      endAfterUs: options.endAfterUs ?? 60_000_000,
      onChanged: () => this.#enforcer.enforce(this.#table),
      onStep: (state, before) => this.#conversation?.tellStep(state, before),
    });
    if (transport === undefined) return;
    const { chance } = options;
    const identity = { service, instance, boot };
    const parts = { identity, transport, clock, chance, meters: this.#meters, tenants: this.#tenants, table: this.#table };
    this.#conversation = new Conversation({ ...parts, onEvent });
  }

  /** Read from outside; a snapshot. */
  get state(): AgentState {
    const conversation = this.#conversation;
    return {
      connected: conversation?.connected ?? false,
      epoch: this.#table.epoch,
      sequence: this.#table.sequence,
      ladder: this.#table.ladder.state,
      tenants: this.#tenants.size,
      windowUs: this.#table.ladder.windowUs,
      connectionAttempts: conversation?.attempts ?? 0,
      reportsSent: conversation?.reportsSent ?? 0,
      reportsAcknowledged: conversation?.reportsAcknowledged ?? 0,
      allocationsApplied: this.#table.applied,
      allocationsIgnored: this.#table.ignored,
      limitsInForce: this.#table.size,
    };
  }

  /**
   * A tenant's handle, for hot paths: ask once per request. Beyond `maxTenants`, the handle of the tenant "overflow".
   * @throws TenantryError BAD_TENANT when `id` is not 1 to 128 printable characters
   */
  tenant(id: string): TenantIndex {
    return this.#tenants.indexOf(id);
  }

  /** What a tenant is called. */
  tenantName(index: TenantIndex): string {
    return this.#tenants.nameOf(index);
  }

  /**
   * The meter of a resource; the same one whenever asked by the same name.
   * @throws TenantryError BAD_NAME; BAD_ARGUMENT when an option is out of range or differs from before; TOO_MANY
   */
  resource(name: string, options?: ResourceOptions): ResourceMeter {
    const complete = checkedResourceOptions(name, options);
    const known = this.#resources.get(name);
    if (known !== undefined) return same(`resource "${name}"`, known.meter, known.options, options);
    const feeds = new Feeds(this.vias);
    const meter = this.#addMeter("resource", name, { kind: RESOURCE, unit: complete.unit, slots: told(complete.slots), feeds });
    const resource = new ResourceMeter(meter, { feeds, clock: this.#clock, tenants: this.#tenants, slots: complete.slots });
    this.#resources.set(name, { meter: resource, options: complete });
    return resource;
  }

  /**
   * A control point; the same one whenever asked by the same name.
   * @throws TenantryError BAD_NAME; BAD_ARGUMENT when an option is out of range or differs from before; TOO_MANY
   */
  controlPoint(name: string, options?: PointOptions): ControlPoint {
    const complete = checkedPointOptions(name, options);
    const known = this.#points.get(name);
    if (known !== undefined) return same(`control point "${name}"`, known.point, known.options, options);
    const meter = this.#addMeter("control point", name, { kind: POINT, unit: complete.unit, feeds: undefined });
    const { vias } = this;
    const logicalName = `${this.service}/${name}`;
    const point = new ControlPoint(meter, { logicalName, clock: this.#clock, tenants: this.#tenants, vias, options: complete });
    this.#points.set(name, { point, options: complete });
    this.#enforcer.addPoint(point, this.#table);
    if (this.#closed) point.close();
    return point;
  }

  /** The control points made so far. */
  get points(): Iterable<ControlPoint> {
    return [...this.#points.values()].map(({ point }) => point);
  }

  /** Begins connecting and reporting, when there is a transport. Harmless when repeated. */
  start(): void {
    if (!this.#closed) this.#conversation?.start();
  }

  /**
   * Ends: what waits is refused with SHUTTING_DOWN, what runs completes as usual, a last report is sent and waited for (at most
   * 1 s), and no alarm is left. Calls `done` once, possibly before returning. Again: only calls `done`.
   */
  close(done: () => void): void {
    if (this.#closed) {
      done();
      return;
    }
    this.#closed = true;
    for (const { point } of this.#points.values()) point.close();
    this.#table.ladder.close();
    if (this.#conversation === undefined) done();
    else this.#conversation.close(done);
  }

  #addMeter(
    what: string,
    name: string,
    about: { kind: typeof RESOURCE | typeof POINT; unit: string; slots?: number; feeds: Feeds | undefined },
  ): Meter {
    checkName(what, name);
    if (this.#meters.length >= this.#maxMeters) {
      const message = `${what} "${name}" would be one more than the ${this.#maxMeters} resources and control points there may be; name fewer, or raise maxMeters`;
      throw new TenantryError("TOO_MANY", message);
    }
    const { feeds, ...rest } = about;
    const meter = new Meter({ name, index: this.#meters.length, ...rest });
    this.#meters.push({ meter, feeds });
    return meter;
  }

  #isIdle(tenant: TenantIndex): boolean {
    const reported = this.#conversation !== undefined;
    for (const { meter } of this.#meters) if (!meter.isIdle(tenant, reported)) return false;
    for (const { point } of this.#points.values()) if (!point.isIdle(tenant)) return false;
    return true;
  }

  #forget(tenant: TenantIndex): void {
    for (const { meter } of this.#meters) meter.forget(tenant);
    this.#enforcer.forgetTenant(tenant);
  }
}

/** Slots as a report tells them: 0 for no bound. */
function told(slots: number): number {
  return slots < 2 ** 32 ? slots : 0;
}

const END_STATES = ["open", "floor", "closed"];

function checked(options: AgentOptions): AgentOptions {
  const { service, instance, boot, endState, floorPerSec, maxTenants, maxMeters, endAfterUs } = options;
  checkName("service", service);
  if (!isLabel(instance, 128)) throw bad("instance", instance, "1 to 128 printable characters");
  if (!isLabel(boot, 64)) throw bad("boot", boot, "1 to 64 printable characters");
  if (endState !== undefined && !END_STATES.includes(endState)) throw bad("endState", endState, `one of ${listed(END_STATES)}`);
  if (floorPerSec !== undefined && !(floorPerSec >= 0 && floorPerSec < Number.POSITIVE_INFINITY)) {
    throw bad("floorPerSec", floorPerSec, "a finite number ≥ 0");
  }
  if (maxTenants !== undefined && !inRange(maxTenants, 2, 1_000_000)) throw bad("maxTenants", maxTenants, "2 to 1,000,000");
  if (maxMeters !== undefined && !inRange(maxMeters, 1, 65_536)) throw bad("maxMeters", maxMeters, "1 to 65,536");
  if (endAfterUs !== undefined && !(endAfterUs >= 0 && endAfterUs < Number.POSITIVE_INFINITY)) {
    throw bad("endAfterUs", endAfterUs, "a time in µs ≥ 0");
  }
  return options;
}

function inRange(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function bad(option: string, value: unknown, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `agent: ${option} is ${shown(value)}; expected ${expected}`);
}

/** What was made before under this name, unless it was made otherwise. */
function same<T>(what: string, made: T, before: object, now: object | undefined): T {
  for (const [option, value] of Object.entries(now ?? {})) {
    const was = (before as Record<string, unknown>)[option];
    if (value === undefined || value === was) continue;
    throw new TenantryError(
      "BAD_ARGUMENT",
      `${what} was made with ${option} ${shown(was)} and is now asked for with ${shown(value)}; ask with the same options, or none`,
    );
  }
  return made;
}
