/**
 * What a controller must not forget: its epoch, which fences off the controller before it; what was set at run time; and who
 * may hold rates. Rates are not state: a new controller learns them from those who hold them, and so has to know whom to wait for.
 */
import type { Terms } from "../policies/index.js";
import type { TenantryError } from "../proto/errors.js";
import type { Mode } from "./modes.js";

/** What a controller keeps over a restart: everything that was set while running, and its epoch. */
export interface State {
  /** Version of this layout, now 1. */
  version: 1;
  /** The term of the controller that wrote this; 0: none has run. */
  epoch: number;
  /** Set at run time; each wins over the configuration, setting by setting. Keyed by tenant id, policy name, `service/point`. */
  tenants: Record<string, TenantOverride>;
  policies: Record<string, PolicyOverride>;
  points: Record<string, PointOverride>;
  /** The mode of everything, when it was set at run time. */
  mode?: Mode;
  /** Instances that were alive when this was written, as `service/instance`. */
  instances?: string[];
}

/** Terms as they are set: `null` takes back what is configured. */
export type TermsOverride = {
  [Key in keyof Terms]: Required<Terms>[Key] extends number ? number | null : Readonly<Record<string, number | null>>;
};

/** What was set for a tenant while running. */
export interface TenantOverride extends TermsOverride {
  /** Relative claim, > 0 and finite; 1 when never set. */
  weight?: number;
  mode?: Mode;
  /** The group it belongs to, one of those configured; null: none. */
  group?: string | null;
}

/** What was set for a policy while running. */
export interface PolicyOverride {
  mode?: Mode;
  /** Only what differs from the policy's defaults. */
  params?: Record<string, number>;
}

/** What was set for a control point while running. */
export interface PointOverride {
  mode?: Mode;
  /** What it can carry, cost units per second over all instances: guarantees there may not come to more. Null, absent: not known. */
  capacityPerSec?: number | null;
}

/**
 * Port: where state is kept. Callbacks may come at once or later, exactly once each. The controller never has more than one
 * `save` under way.
 */
export interface StateStore {
  /**
   * No error and no state: nothing was ever saved. An error and a state: the newest version could not be read (the error says
   * why) and this is the one before. An error alone: the store cannot be used now.
   */
  load(done: (error: TenantryError | undefined, state: State | undefined) => void): void;
  /**
   * Must be atomic: after a crash at any moment, `load` finds the old state or the new. Refused with STORE_IN_USE when another
   * controller has saved a state of this epoch or a later one.
   */
  save(state: State, done: (error?: TenantryError) => void): void;
  /** No more calls will come; what keeps others away is given back. */
  close?(): void;
}

/** State of a controller that never ran. */
export function emptyState(): State {
  return { version: 1, epoch: 0, tenants: {}, policies: {}, points: {} };
}

/** A store that forgets when the process ends: for simulations, tests, and controllers embedded where that is enough. */
export function memoryStore(initial?: State): StateStore & { readonly state: State | undefined } {
  let kept = initial === undefined ? undefined : JSON.stringify(initial);
  return {
    get state() {
      return kept === undefined ? undefined : (JSON.parse(kept) as State);
    },
    load(done) {
      done(undefined, kept === undefined ? undefined : (JSON.parse(kept) as State));
    },
    save(state, done) {
      kept = JSON.stringify(state);
      done();
    },
  };
}
