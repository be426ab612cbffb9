/**
 * What one instance may be using: every allocation sent to it since the one it last said it holds. Until it says so, any of
 * them may be in force there, or until their leases have run out for certain.
 *
 * Pairs are keyed by one number, ascending, so that all logs and the limits now decided are merged in one walk.
 */

/** One allocation as it was sent: columns by pair, keys ascending. A pair that is not listed was unlimited. */
export interface Grant {
  epoch: number;
  sequence: number;
  sentUs: number;
  keys: Float64Array;
  ratesPerSec: Float64Array;
  fallbacksPerSec: Float64Array;
  /** The cluster's rate each was cut from. */
  clusterPerSec: Float64Array;
}

/** More allocations than this are not sent to an instance that acknowledges none. */
const MOST_IN_FLIGHT = 8;
const MOST_SEATS = 2 ** 20;

/** The key of a (point, tenant): point's meter index and tenant's seat. */
export function pairKey(point: number, seat: number): number {
  return point * MOST_SEATS + seat;
}

export function pointOf(key: number): number {
  return Math.floor(key / MOST_SEATS);
}

export function seatOf(key: number): number {
  return key % MOST_SEATS;
}

export class GrantLog {
  /** Oldest first: the one acknowledged last, then those in flight. */
  readonly grants: Grant[] = [];

  /** May another allocation be sent? Not while it acknowledges none of many. */
  get open(): boolean {
    return this.grants.length <= MOST_IN_FLIGHT;
  }

  add(grant: Grant): void {
    this.grants.push(grant);
  }

  /** The instance says that this allocation is in force: those before it no longer are. */
  acknowledge(epoch: number, sequence: number): void {
    const index = this.grants.findIndex((grant) => grant.epoch === epoch && grant.sequence === sequence);
    if (index > 0) this.grants.splice(0, index);
  }

  /** Forgets what was sent before `sinceUs`: its lease has run out for certain. */
  expire(sinceUs: number): void {
    while (this.grants.length > 0 && this.grants[0].sentUs < sinceUs) this.grants.shift();
  }

  /** The stream began anew, and this is what is in force; undefined: nothing is. What else was sent never arrived. */
  restart(grant: Grant | undefined): void {
    this.grants.length = 0;
    if (grant !== undefined) this.grants.push(grant);
  }

  find(epoch: number, sequence: number): Grant | undefined {
    return this.grants.find((grant) => grant.epoch === epoch && grant.sequence === sequence);
  }
}

/** Walks several grants along ascending keys. */
export class GrantWalk {
  readonly #grants: readonly Grant[];
  readonly #at: Int32Array;
  /**
   * Of the key asked for last: the most that may be in use, fallback likewise, and the highest rate they were cut from. Grants
   * that do not limit it count for nothing: what was unlimited was part of no rate. −1: none limits it.
   */
  ratePerSec = -1;
  fallbackPerSec = -1;
  clusterPerSec = 0;

  constructor(grants: readonly Grant[]) {
    this.#grants = grants;
    this.#at = new Int32Array(grants.length);
  }

  /** Are there any grants? Without, the figures are zero. */
  get empty(): boolean {
    return this.#grants.length === 0;
  }

  /** Moves to a key, not less than the one before. */
  moveTo(key: number): void {
    this.ratePerSec = -1;
    this.fallbackPerSec = -1;
    this.clusterPerSec = 0;
    for (let g = 0; g < this.#grants.length; g++) {
      const { keys, ratesPerSec, fallbacksPerSec, clusterPerSec } = this.#grants[g];
      let at = this.#at[g];
      while (at < keys.length && keys[at] < key) at++;
      this.#at[g] = at;
      if (at < keys.length && keys[at] === key) {
        this.ratePerSec = Math.max(this.ratePerSec, ratesPerSec[at]);
        this.fallbackPerSec = Math.max(this.fallbackPerSec, fallbacksPerSec[at]);
        this.clusterPerSec = Math.max(this.clusterPerSec, clusterPerSec[at]);
      }
    }
  }
}
