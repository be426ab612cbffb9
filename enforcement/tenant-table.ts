/**
 * Who is known here. A tenant's name is looked up once per request and is an index from then on; every column of every meter,
 * bucket and queue is addressed by it.
 *
 * The table is bounded. When it is full, whoever is new shares the tenant "overflow", visible as such, until room is made:
 * by second chance, a tenant that was not named since the sweep before last, and is idle in every meter and queue and wholly
 * reported, gives its index to another. Sweeps are at least a minute apart, so a handle kept longer than two without being
 * used or named must be asked for again.
 */
import { checkTenantId, OVERFLOW_TENANT, UNKNOWN_TENANT } from "../proto/names.js";

/** A tenant as the hot paths know it: a small integer, an index into every column. */
export type TenantIndex = number;

/** Whoever found no room in the table. */
export const OVERFLOW: TenantIndex = 0;
/** Whoever named no tenant. */
export const UNKNOWN: TenantIndex = 1;

const SWEEP_EVERY_US = 60_000_000;

export interface TenantTableOptions {
  /** Most tenants known at once, the two built in included; ≥ 2. */
  maxTenants: number;
  nowUs(): number;
  /** Is nothing of this tenant left anywhere: no sums unreported, no request waiting or running? */
  isIdle(tenant: TenantIndex): boolean;
  /** Its index will be another's: clear what its columns hold. */
  onForgotten(tenant: TenantIndex): void;
  /** A tenant is new in the table. */
  onNew(tenant: TenantIndex, id: string): void;
  /** The table became full. */
  onFull(): void;
}

export class TenantTable {
  /** Relative claim to shared slots by tenant; 1 unless an allocation says otherwise. */
  readonly weights: Float64Array;
  readonly #options: TenantTableOptions;
  readonly #indices = new Map<string, TenantIndex>();
  readonly #names: (string | undefined)[] = [];
  readonly #free: TenantIndex[] = [];
  readonly #named: Uint8Array; // since the last sweep
  #limit: number;
  #lastSweepUs: number;
  #wasFull = false;

  constructor(options: TenantTableOptions) {
    this.#options = options;
    this.#limit = options.maxTenants;
    this.#lastSweepUs = options.nowUs();
    this.weights = new Float64Array(options.maxTenants).fill(1);
    this.#named = new Uint8Array(options.maxTenants);
    this.#add(OVERFLOW_TENANT);
    this.#add(UNKNOWN_TENANT);
  }

  /** Tenants known now. */
  get size(): number {
    return this.#indices.size;
  }

  /** One past the highest index in use so far. */
  get length(): number {
    return this.#names.length;
  }

  /** Never more than this many from now on (the other side's bound); never more than `maxTenants`, never fewer than two. */
  setLimit(limit: number): void {
    this.#limit = Math.max(2, Math.min(limit, this.#options.maxTenants));
  }

  /** The index of a tenant; known from now on if there is room, else `OVERFLOW`. @throws TenantryError BAD_TENANT */
  indexOf(id: string): TenantIndex {
    const index = this.#indices.get(id);
    if (index !== undefined) {
      this.#named[index] = 1;
      return index;
    }
    checkTenantId(id);
    return this.#admit(id);
  }

  /** The index of a tenant if it is known. */
  find(id: string): TenantIndex | undefined {
    return this.#indices.get(id);
  }

  /** What a tenant is called; "overflow" for an index that is nobody's. */
  nameOf(index: TenantIndex): string {
    return this.#names[index] ?? OVERFLOW_TENANT;
  }

  /** Is this an index this table gave out? */
  has(index: TenantIndex): boolean {
    return this.#names[index] !== undefined;
  }

  #admit(id: string): TenantIndex {
    if (2 * this.size >= this.#limit) this.#sweep();
    if (this.size >= this.#limit) {
      if (!this.#wasFull) this.#options.onFull();
      this.#wasFull = true;
      return OVERFLOW;
    }
    this.#wasFull = false;
    const index = this.#add(id);
    this.#options.onNew(index, id);
    return index;
  }

  #add(id: string): TenantIndex {
    const index = this.#free.pop() ?? this.#names.length;
    this.#names[index] = id;
    this.#named[index] = 1;
    this.#indices.set(id, index);
    return index;
  }

  #sweep(): void {
    const nowUs = this.#options.nowUs();
    if (nowUs - this.#lastSweepUs < SWEEP_EVERY_US) return;
    this.#lastSweepUs = nowUs;
    for (let index = UNKNOWN + 1; index < this.#names.length; index++) {
      const id = this.#names[index];
      if (id === undefined) continue;
      if (this.#named[index] === 0 && this.#options.isIdle(index)) {
        this.#names[index] = undefined;
        this.#indices.delete(id);
        this.#free.push(index);
        this.weights[index] = 1;
        this.#options.onForgotten(index);
      }
      this.#named[index] = 0;
    }
  }
}
