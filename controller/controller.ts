/**
 * The controller: agents join and report; once a window policies decide on one view of it all, and each instance is leased its
 * part. State changes first, calls out last; the ticker only says when: every figure is per time covered, so a late tick is
 * as right as one in time.
 */
import { type Params, POLICIES, type Policy, type Terms } from "../policies/index.js";
import { type ErrorCode, TenantryError } from "../proto/errors.js";
import { type Hello, POINT } from "../proto/messages.js";
import { checkTenantId } from "../proto/names.js";
import type { AgentPeer, Alarm, Chance, Clock, PeerSession } from "../proto/ports.js";
import { describePolicies } from "./compare.js";
import { type ControllerConfig, completeConfig } from "./config.js";
import {
  chooseTenants,
  type Described,
  describeInstances,
  describePoint,
  describeResource,
  describeTenants,
} from "./describe.js";
import { explain } from "./explain.js";
import type { Mode } from "./modes.js";
import { Rounds } from "./rounds.js";
import { Settings } from "./settings.js";
import type { Counters, Explanation, ViewSnapshot } from "./snapshot.js";
import { defaultStack, inOrder } from "./stack.js";
import { emptyState, type PointOverride, type StateStore, type TenantOverride } from "./state.js";

/** What the pure controller is made of: everything it needs from the world comes in here. */
export interface ControllerOptions {
  clock: Clock;
  chance: Chance;
  /** Where the epoch and run-time settings are kept. */
  store: StateStore;
  /** What differs from `DEFAULT_CONFIG`. */
  config?: Partial<ControllerConfig>;
  /** The policies there are; absent: those of the package. Which are in force, `config.stack` says. */
  policies?: readonly Policy[];
  /** Policies that decide in the place of those of this name, under it and with its settings: to compare two. */
  inPlaceOf?: Readonly<Record<string, Policy>>;
  /** Policies beside those: only observed unless configured, or named in the stack. */
  morePolicies?: readonly Policy[];
  /** Told of what an operator would want in a log. Must not throw. */
  onEvent?(event: ControllerEvent): void;
}

/** Something an operator would want in a log, in plain words. */
export interface ControllerEvent {
  kind:
    | "started"
    | "learned" // the window of learning is over: policies decide from now on
    | "stopped" // with a code: by itself
    | "joined"
    | "left"
    | "died"
    | "refused" // a session was refused, or ended for a bad message
    | "guard" // a decision was refused
    | "policy" // one from a file was loaded anew, or was not, or was stopped
    | "bound" // a bound is reached: not everything can be told or taken
    | "target" // a latency target is out of reach, whoever is held back for it
    | "setting" // changed at run time
    | "store"; // the store failed, or works again
  message: string;
  code?: ErrorCode;
}

/** What is in force for a tenant: its own settings, or those everybody has. */
export interface TenantSettings extends Terms {
  tenant: string;
  weight: number;
  mode: Mode;
  group?: string;
}

/** What is in force for a point. */
export interface PointSettings {
  point: string;
  mode: Mode;
  capacityPerSec?: number;
}

/** Tries to load and save the state before `start` gives up, and the pause after the first, doubled after each. */
const START_TRIES = 5;
const FIRST_PAUSE_US = 200_000;

/**
 * @example
 * const controller = new Controller({ clock, chance, store: memoryStore() });
 * controller.start((error) => { if (!error) listen() });
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #settings: Settings;
  readonly #rounds: Rounds;
  readonly #event: (kind: ControllerEvent["kind"], message: string, code?: ErrorCode) => void;
  #serving = false;
  #stopped = false;
  #retry: Alarm | undefined;

  /** @throws TenantryError BAD_CONFIG that lists every mistake */
  constructor(options: ControllerOptions) {
    this.#options = options;
    const { morePolicies = [], inPlaceOf = {} } = options;
    const usual = (options.policies ?? POLICIES).map((policy) => inPlaceOf[policy.name] ?? policy);
    const all = [...usual, ...morePolicies];
    const stack = options.config?.stack ?? defaultStack(usual);
    const config = Object.freeze(completeConfig({ ...options.config, stack }, all));
    const policies = inOrder(all, config.stack);
    this.#event = (kind, message, code) => options.onEvent?.(code === undefined ? { kind, message } : { kind, message, code });
    let storeWorks = true;
    this.#settings = new Settings({
      config,
      policies,
      policyDefault: (policy) => {
        if (config.stack.includes(policy.name)) return "enforce";
        return morePolicies.includes(policy) ? "observe" : "off";
      },
      store: options.store,
      state: emptyState(),
      onStore: (error) => {
        if (error !== undefined) this.#rounds.counters.storeFailures++;
        if (error?.code === "STORE_IN_USE") return this.#depose(error);
        if (storeWorks === (error === undefined)) return;
        storeWorks = error === undefined;
        this.#event("store", error?.message ?? "the state store works again; everything is saved", error?.code);
      },
    });
    this.#rounds = new Rounds({ clock: options.clock, config, policies, settings: this.#settings, event: this.#event });
  }

  /** The complete configuration, without what was set at run time. */
  get config(): Readonly<ControllerConfig> {
    return this.#settings.config;
  }

  /** The term: 0 before `start` is done. */
  get epoch(): number {
    return this.#rounds.epoch;
  }

  /** Does it serve? True from when `start` is done until `stop`. */
  get serving(): boolean {
    return this.#serving;
  }

  get counters(): Readonly<Counters> {
    return this.#rounds.counters;
  }

  /**
   * Loads the state, raises the epoch, saves it, and only then serves; `done` is called once, with an error when the store
   * stayed unusable after five tries in some six seconds.
   */
  start(done: (error?: TenantryError) => void): void {
    this.#try(1, done);
  }

  #try(attempt: number, done: (error?: TenantryError) => void): void {
    const { store, clock, chance } = this.#options;
    const failed = (error: TenantryError) => {
      this.#rounds.counters.storeFailures++;
      if (error.code === "STORE_IN_USE") return done(error);
      if (this.#stopped) return done(new TenantryError("CLOSED", "the controller was stopped before it had started"));
      this.#event("store", `${error.message} (try ${attempt} of ${START_TRIES})`, error.code);
      if (attempt >= START_TRIES) return done(error);
      const pauseUs = Math.round(FIRST_PAUSE_US * 2 ** attempt * (0.5 + 0.5 * chance.next()));
      this.#retry = clock.at(clock.nowUs() + pauseUs, () => this.#try(attempt + 1, done));
    };
    store.load((error, loaded) => {
      if (error !== undefined && loaded === undefined) return failed(error);
      if (error !== undefined) this.#event("store", error.message, error.code);
      const state = loaded ?? emptyState();
      state.epoch += 1;
      this.#settings.adopt(state);
      // Nobody may hear of this epoch before it is kept: a second controller must not serve the same one.
      this.#settings.save((unsaved) => {
        if (unsaved !== undefined || this.#stopped) return failed(unsaved ?? new TenantryError("CLOSED", "stopped"));
        this.#serving = true;
        this.#rounds.start(state.epoch);
        this.#event("started", `epoch ${state.epoch}: learning what instances hold, then deciding`);
        done();
      });
    });
  }

  /**
   * An agent said Hello (validated by the caller). Welcome goes out through `peer` before this returns, the first allocation
   * soon after. A returned error (UNAVAILABLE before start, TOO_MANY) must be told to the agent and ends the stream.
   */
  accept(hello: Hello, peer: AgentPeer): PeerSession | TenantryError {
    if (!this.#serving) return new TenantryError("UNAVAILABLE", "the controller does not serve now; connect again in a moment");
    return this.#rounds.accept(hello, peer);
  }

  /** Ends all sessions (leases run on) and forgets every alarm; `done` once the last save is over. */
  stop(done: (error?: TenantryError) => void): void {
    const served = this.#serving;
    this.#serving = false;
    this.#stopped = true;
    this.#retry?.cancel();
    this.#rounds.stop();
    if (served) {
      this.#event("stopped", "all sessions are closed; rates run on for their leases");
      this.#settings.save(done);
    } else {
      done();
    }
  }

  /** Another controller has taken over this one's state: agents follow it, and this one must not grant beside it. */
  #depose(error: TenantryError): void {
    if (!this.#serving) return;
    this.#serving = false;
    this.#stopped = true;
    this.#rounds.stop();
    this.#event("stopped", `this controller serves no longer: ${error.message}`, error.code);
  }

  /** The view as plain JSON, of bounded size. */
  view(): ViewSnapshot {
    const { epoch, sequence, builder, instances, counters } = this.#rounds;
    const { windowUs, viewTenants } = this.config;
    const described = this.#described();
    const chosen = chooseTenants(described, viewTenants);
    return {
      epoch,
      sequence,
      windowUs,
      learning: this.#rounds.learning !== undefined,
      mode: this.#settings.mode,
      policies: describePolicies(described),
      instances: describeInstances(instances(), this.#options.clock.nowUs(), viewTenants),
      tenants: describeTenants(described, chosen),
      tenantCount: builder.view.tenants.length,
      resources: builder.resources.map((figures) => describeResource(figures, described, chosen)),
      points: builder.points.map((figures) => describePoint(figures, described, chosen)),
      refusals: { ...counters.refusals },
    };
  }

  /** Who slows this tenant down, by which rule, because of which resource, and what would help. @throws BAD_TENANT */
  explain(tenant: string): Explanation {
    checkTenantId(tenant);
    return explain(tenant, this.#rounds.seats.find(tenant), this.#described());
  }

  /** Tenants with settings of their own or seen lately. */
  listTenants(): TenantSettings[] {
    const ids = new Set([...this.#settings.tenantsNamed(), ...this.#rounds.builder.view.tenants.map(({ id }) => id)]);
    return [...ids].sort().map((id) => this.#tenant(id));
  }

  /**
   * Changes what is given, of caps and guarantees only the points named; `null` takes a term back. A mode is in force at once,
   * all else with the next decision; persisted.
   *
   * @param done called once it is persisted; an error says that it is applied but not yet persisted (it is tried again)
   * @returns the settings now in force
   * @throws TenantryError BAD_ARGUMENT that lists every mistake; nothing is changed then
   */
  setTenant(id: string, settings: TenantOverride, done: (error?: TenantryError) => void = ignore): TenantSettings {
    this.#settings.setTenant(id, settings, done);
    this.#changed(`tenant ${id}`, settings);
    return this.#tenant(id);
  }

  listPolicies(): { policy: string; mode: Mode; params: Params }[] {
    return this.#settings.policies.map((policy) => this.#policy(policy));
  }

  /** As `setTenant`; parameters not given stay as they are. @throws UNKNOWN for a policy there is not */
  setPolicy(
    name: string,
    settings: { mode?: Mode; params?: Record<string, number> },
    done: (error?: TenantryError) => void = ignore,
  ): { policy: string; mode: Mode; params: Params } {
    this.#settings.setPolicy(name, settings, done);
    this.#changed(`policy ${name}`, settings);
    return this.#policy(this.#settings.policies.find((policy) => policy.name === name)!);
  }

  /** Points with settings of their own or seen lately. */
  listPoints(): PointSettings[] {
    const names = new Set([...this.#settings.pointsNamed(), ...this.#rounds.meters.list(POINT).map(({ name }) => name)]);
    return [...names].sort().map((point) => this.#point(point));
  }

  /** As `setTenant`, for `service/point`; it need not have been seen yet. */
  setPoint(name: string, settings: PointOverride, done: (error?: TenantryError) => void = ignore): PointSettings {
    this.#settings.setPoint(name, settings, done);
    this.#changed(`point ${name}`, settings);
    return this.#point(name);
  }

  /** As `setTenant`, for everything at once. */
  setMode(mode: Mode, done: (error?: TenantryError) => void = ignore): Mode {
    this.#settings.setMode(mode, done);
    this.#changed("everything", { mode });
    return this.#settings.mode;
  }

  #tenant(id: string): TenantSettings {
    const settings = this.#settings;
    const group = settings.group(id);
    const weight = settings.weight(id);
    return {
      tenant: id,
      weight,
      mode: settings.tenantMode(id),
      ...settings.terms.get(id),
      ...(group !== undefined && { group }),
    };
  }

  #point(point: string): PointSettings {
    const capacityPerSec = this.#settings.capacityPerSec(point);
    return { point, mode: this.#settings.pointMode(point), ...(capacityPerSec !== undefined && { capacityPerSec }) };
  }

  #policy(policy: Policy): { policy: string; mode: Mode; params: Params } {
    return { policy: policy.name, mode: this.#settings.policyMode(policy), params: this.#settings.params(policy) };
  }

  #described(): Described {
    const { builder, loop, meters, targets } = this.#rounds;
    return { builder, loop, settings: this.#settings, meters, targets };
  }

  #changed(what: string, settings: object): void {
    this.#event("setting", `${what} is set to ${JSON.stringify(settings)}`);
    this.#rounds.refreshAll();
  }
}

function ignore(): void {}
