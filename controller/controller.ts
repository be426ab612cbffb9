/** The controller: agents join and report; every window policies decide and leases go out. */
import type { Params, Policy } from "../policies/index.js";
import type { ErrorCode, TenantryError } from "../proto/errors.js";
import type { Hello } from "../proto/messages.js";
import type { AgentPeer, Chance, Clock, PeerSession } from "../proto/ports.js";
import type { ControllerConfig } from "./config.js";
import type { Mode } from "./modes.js";
import type { Counters, Explanation, ViewSnapshot } from "./snapshot.js";
import type { StateStore } from "./state.js";

export interface ControllerOptions {
  clock: Clock;
  chance: Chance;
  /** Where the epoch and run-time settings are kept. */
  store: StateStore;
  /** What differs from `DEFAULT_CONFIG`. */
  config?: Partial<ControllerConfig>;
  /** The policies there are; absent: those of the package, of which only bottleneck fairness is enforced unless configured. */
  policies?: readonly Policy[];
  /** Told of what an operator would want in a log. Must not throw. */
  onEvent?(event: ControllerEvent): void;
}

/** Something an operator would want in a log, in plain words. */
export interface ControllerEvent {
  kind:
    | "started"
    | "learned"
    | "stopped"
    | "joined"
    | "left"
    | "died"
    | "refused" // a session was refused, or ended for a bad message
    | "guard" // a decision was refused
    | "setting" // changed at run time
    | "store"; // the store failed, or works again
  message: string;
  code?: ErrorCode;
}

/**
 * @example
 * const controller = new Controller({ clock, chance, store: memoryStore() });
 * controller.start((error) => { if (!error) listen() });
 */
export class Controller {
  constructor(_options: ControllerOptions) {
    throw new Error("not yet");
  }

  /** The complete configuration, without what was set at run time. */
  get config(): Readonly<ControllerConfig> {
    throw new Error("not yet");
  }

  /** The term: 0 before `start` is done. */
  get epoch(): number {
    throw new Error("not yet");
  }

  /** Does it serve? True from when `start` is done until `stop`. */
  get serving(): boolean {
    throw new Error("not yet");
  }

  get counters(): Readonly<Counters> {
    throw new Error("not yet");
  }

  /**
   * Loads the state, raises the epoch, saves it, and only then serves; `done` is called once, with an error when the store
   * stayed unusable after several tries.
   */
  start(_done: (error?: TenantryError) => void): void {}

  /**
   * An agent said Hello (validated by the caller). Welcome and the first allocation go out through `peer` before this returns
   * or soon after. A returned error (UNAVAILABLE before start, TOO_MANY) must be told to the agent and ends the stream.
   */
  accept(_hello: Hello, _peer: AgentPeer): PeerSession | TenantryError {
    throw new Error("not yet");
  }

  /** Ends all sessions (leases run on) and forgets every alarm; `done` once the last save is over. */
  stop(done: (error?: TenantryError) => void): void {
    done();
  }

  /** The view as plain JSON, of bounded size. */
  view(): ViewSnapshot {
    throw new Error("not yet");
  }

  /** Who slows this tenant down, by which rule, because of which resource, and what would help. @throws BAD_TENANT */
  explain(_tenant: string): Explanation {
    throw new Error("not yet");
  }

  /** Tenants with settings of their own or seen lately. */
  listTenants(): { tenant: string; weight: number; mode: Mode }[] {
    throw new Error("not yet");
  }

  /**
   * Changes what is given; applied at once, in force with the next allocation, persisted.
   *
   * @param done called once it is persisted; an error says that it is applied but not yet persisted (it is tried again)
   * @returns the settings now in force
   * @throws TenantryError BAD_ARGUMENT that lists every mistake; nothing is changed then
   */
  setTenant(
    _id: string,
    _settings: { weight?: number; mode?: Mode },
    _done?: (error?: TenantryError) => void,
  ): { tenant: string; weight: number; mode: Mode } {
    throw new Error("not yet");
  }

  listPolicies(): { policy: string; mode: Mode; params: Params }[] {
    throw new Error("not yet");
  }

  /** As `setTenant`; parameters not given stay as they are. @throws UNKNOWN for a policy there is not */
  setPolicy(
    _name: string,
    _settings: { mode?: Mode; params?: Record<string, number> },
    _done?: (error?: TenantryError) => void,
  ): { policy: string; mode: Mode; params: Params } {
    throw new Error("not yet");
  }

  listPoints(): { point: string; mode: Mode }[] {
    throw new Error("not yet");
  }

  /** As `setTenant`, for `service/point`; it need not have been seen yet. */
  setPoint(_name: string, _settings: { mode?: Mode }, _done?: (error?: TenantryError) => void): { point: string; mode: Mode } {
    throw new Error("not yet");
  }

  /** As `setTenant`, for everything at once. */
  setMode(_mode: Mode, _done?: (error?: TenantryError) => void): Mode {
    throw new Error("not yet");
  }
}
