/**
 * What is set about tenants, policies and points: the configuration, and over it what was changed at run time, setting by
 * setting. A change is checked whole, in force at once, and then saved; while the store is away it stays in force, and saving
 * is tried again. One save is under way at a time; changes that come meanwhile are saved together after it.
 */
import type { Group, Params, Policy, Terms } from "../policies/index.js";
import { paramsOf } from "../policies/index.js";
import { TenantryError } from "../proto/errors.js";
import { shown } from "../proto/names.js";
import { type ControllerConfig, pointFaults, policyFaults, tenantFaults } from "./config.js";
import { groupList, membershipFaults, promiseFaults } from "./groups.js";
import { isMode, type Mode } from "./modes.js";
import type { PointOverride, PolicyOverride, State, StateStore, TenantOverride } from "./state.js";
import { changedTerms, termsOf } from "./terms.js";

type Done = (error?: TenantryError) => void;

export class Settings {
  readonly config: Readonly<ControllerConfig>;
  readonly policies: readonly Policy[];
  readonly #policyDefault: (policy: Policy) => Mode;
  readonly #store: StateStore;
  readonly #onStore: (error: TenantryError | undefined) => void;
  state: State;
  /** Tenants whose weight is not 1, whether seen or not. */
  readonly weights = new Map<string, number>();
  /** Tenants whose mode is not "enforce". */
  readonly tenantModes = new Map<string, Mode>();
  /** What else is agreed with tenants. */
  readonly terms = new Map<string, Terms>();
  /** Groups as policies see them, and tenants that belong to one, by its index. */
  readonly groups: readonly Group[];
  readonly groupIndices = new Map<string, number>();
  #saving = false;
  #dirty = false;
  #waiting: Done[] = [];

  constructor(options: {
    config: Readonly<ControllerConfig>;
    policies: readonly Policy[];
    /** Mode of a policy nobody said anything about. */
    policyDefault(policy: Policy): Mode;
    store: StateStore;
    state: State;
    /** Told of every save: an error, or undefined. */
    onStore(error: TenantryError | undefined): void;
  }) {
    this.config = options.config;
    this.groups = groupList(options.config.groups);
    this.policies = options.policies;
    this.#policyDefault = options.policyDefault;
    this.#store = options.store;
    this.#onStore = options.onStore;
    this.state = options.state;
    this.adopt(options.state);
  }

  /** Takes over a loaded state. What it says of policies that are no longer there, or no longer understood, is kept but not used. */
  adopt(state: State): void {
    this.state = state;
    this.weights.clear();
    this.tenantModes.clear();
    this.terms.clear();
    this.groupIndices.clear();
    for (const id of this.tenantsNamed()) this.#index(id);
  }

  get mode(): Mode {
    return this.state.mode ?? this.config.mode;
  }

  weight(tenant: string): number {
    return own(this.state.tenants, tenant)?.weight ?? own(this.config.tenants, tenant)?.weight ?? 1;
  }

  tenantMode(tenant: string): Mode {
    return own(this.state.tenants, tenant)?.mode ?? own(this.config.tenants, tenant)?.mode ?? "enforce";
  }

  /** Id of the group it belongs to; undefined: none. */
  group(tenant: string): string | undefined {
    const set = own(this.state.tenants, tenant)?.group;
    return (set === undefined ? own(this.config.tenants, tenant)?.group : set) ?? undefined;
  }

  capacityPerSec(point: string): number | undefined {
    const set = own(this.state.points, point)?.capacityPerSec;
    return (set === undefined ? own(this.config.points, point)?.capacityPerSec : set) ?? undefined;
  }

  pointMode(point: string): Mode {
    return own(this.state.points, point)?.mode ?? own(this.config.points, point)?.mode ?? "enforce";
  }

  policyMode(policy: Policy): Mode {
    return (
      own(this.state.policies, policy.name)?.mode ?? own(this.config.policies, policy.name)?.mode ?? this.#policyDefault(policy)
    );
  }

  params(policy: Policy): Params {
    const params: Record<string, number> = { ...policy.params };
    const configured = own(this.config.policies, policy.name)?.params ?? {};
    const set = own(this.state.policies, policy.name)?.params ?? {};
    for (const overrides of [configured, set]) {
      for (const [key, value] of Object.entries(overrides)) if (Object.hasOwn(params, key)) params[key] = value;
    }
    return params;
  }

  /** Tenants something was said about. */
  tenantsNamed(): string[] {
    return [...new Set([...Object.keys(this.config.tenants), ...Object.keys(this.state.tenants)])];
  }

  pointsNamed(): string[] {
    return [...new Set([...Object.keys(this.config.points), ...Object.keys(this.state.points)])];
  }

  setTenant(id: string, change: TenantOverride, done: Done): void {
    const faults = tenantFaults(id, change);
    if (typeof change !== "object" || change === null) refuse(faults);
    const before = own(this.state.tenants, id) ?? {};
    const { weight, mode, group } = change;
    const after = { ...before, ...defined({ weight, mode, group }), ...changedTerms(before, change) };
    // What is wrong together, such as a guarantee above a cap that was there before, is wrong as well.
    const together = { ...change, ...termsOf(changedTerms(own(this.config.tenants, id) ?? {}, after)) };
    refuse([...new Set([...faults, ...tenantFaults(id, together)])]);
    refuse(membershipFaults(`tenants.${shown(id)}`, change.group, this.config.groups));
    if (change.guarantees !== undefined || change.group !== undefined) refuse(this.#promiseFaults({ tenant: [id, after] }));
    const known = Object.hasOwn(this.state.tenants, id);
    if (!known && Object.keys(this.state.tenants).length >= this.config.maxTenants) {
      throw new TenantryError("TOO_MANY", `settings of ${this.config.maxTenants} tenants are kept already; raise maxTenants`);
    }
    put(this.state.tenants, id, after);
    this.#index(id);
    this.save(done);
  }

  setPolicy(name: string, change: PolicyOverride, done: Done): void {
    const policy = this.policies.find((each) => each.name === name);
    if (policy === undefined) {
      const names = this.policies.map((each) => each.name).join(", ") || "none";
      throw new TenantryError("UNKNOWN", `there is no policy ${shown(name)}; there are ${names}`);
    }
    refuse(policyFaults(name, change, this.policies));
    const before = own(this.state.policies, name);
    const params = change.params === undefined ? before?.params : { ...before?.params, ...change.params };
    paramsOf(policy, change.params ?? {});
    put(this.state.policies, name, { ...before, ...defined({ mode: change.mode, params }) });
    this.save(done);
  }

  setPoint(name: string, change: PointOverride, done: Done): void {
    refuse(pointFaults(name, change));
    if (change.capacityPerSec !== undefined) refuse(this.#promiseFaults({ point: [name, change] }));
    if (!Object.hasOwn(this.state.points, name) && Object.keys(this.state.points).length >= this.config.maxMeters) {
      throw new TenantryError("TOO_MANY", `settings of ${this.config.maxMeters} points are kept already; raise maxMeters`);
    }
    put(this.state.points, name, { ...own(this.state.points, name), ...defined(change) });
    this.save(done);
  }

  setMode(mode: Mode, done: Done): void {
    if (!isMode(mode)) refuse([`mode: ${shown(mode)}; expected "off", "observe" or "enforce"`]);
    this.state.mode = mode;
    this.save(done);
  }

  /** Keeps who may hold rates, for the controller after this one. */
  setInstances(names: string[]): void {
    this.state.instances = names;
    this.save(() => {});
  }

  /** Is something not saved yet, and no save under way? Then `save` should be tried again. */
  get unsaved(): boolean {
    return this.#dirty && !this.#saving;
  }

  /** Saves the state, at once or after the save under way. */
  save(done: Done): void {
    this.#dirty = true;
    this.#waiting.push(done);
    if (!this.#saving) this.#save();
  }

  /** Promises that could not all be kept, were this changed. */
  #promiseFaults({ tenant, point }: { tenant?: [string, TenantOverride]; point?: [string, PointOverride] }): string[] {
    const { groups } = this.config;
    const points = { ...this.config.points };
    for (const [name, settings] of Object.entries(this.state.points)) put(points, name, { ...own(points, name), ...settings });
    if (point !== undefined) put(points, point[0], { ...own(points, point[0]), ...defined(point[1]) });
    const ids = new Set([...this.tenantsNamed(), ...(tenant === undefined ? [] : [tenant[0]])]);
    const tenants = [...ids].map((id) => {
      const set = id === tenant?.[0] ? tenant[1] : (own(this.state.tenants, id) ?? {});
      const configured = own(this.config.tenants, id) ?? {};
      const group = set.group === undefined ? configured.group : set.group;
      return [id, { ...changedTerms(configured, set), group }] as const;
    });
    return promiseFaults({ groups, tenants, points });
  }

  #index(id: string): void {
    const weight = this.weight(id);
    if (weight === 1) this.weights.delete(id);
    else this.weights.set(id, weight);
    const mode = this.tenantMode(id);
    if (mode === "enforce") this.tenantModes.delete(id);
    else this.tenantModes.set(id, mode);
    const terms = termsOf(changedTerms(own(this.config.tenants, id) ?? {}, own(this.state.tenants, id) ?? {}));
    if (terms === undefined) this.terms.delete(id);
    else this.terms.set(id, terms);
    // A group that was set at run time may no longer be configured.
    const group = this.groups.find((each) => each.id === this.group(id))?.index;
    if (group === undefined) this.groupIndices.delete(id);
    else this.groupIndices.set(id, group);
  }

  #save(): void {
    this.#saving = true;
    this.#dirty = false;
    const told = this.#waiting;
    this.#waiting = [];
    this.#store.save(structuredCopy(this.state), (error) => {
      this.#saving = false;
      if (error !== undefined) this.#dirty = true;
      this.#onStore(error);
      for (const done of told) done(error);
      if (this.#waiting.length > 0 && !this.#saving) this.#save();
    });
  }
}

/** A record is a plain object whose keys are names from outside: only its own keys count, and "__proto__" is one like any. */
function own<T>(record: Record<string, T>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function put<T>(record: Record<string, T>, key: string, value: T): void {
  Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true });
}

function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function structuredCopy(state: State): State {
  return JSON.parse(JSON.stringify(state)) as State;
}

function refuse(faults: string[]): void {
  if (faults.length > 0) throw new TenantryError("BAD_ARGUMENT", `nothing was changed: ${faults.join("; ")}`);
}
