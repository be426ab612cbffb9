/**
 * What one instance may be using: every allocation sent to it since the one it last said it holds. Until it says so, any of
 * them may be in force there, or until their leases have run out for certain.
 *
 * A grant is kept point by point, as limits are split point by point.
 */

/** What an allocation granted at one point: columns by pair, in order of seat. A pair that is not listed was unlimited. */
export interface PointGrant {
  /** Meter index of the point. */
  readonly point: number;
  readonly seats: Int32Array;
  readonly ratesPerSec: Float64Array;
  readonly fallbacksPerSec: Float64Array;
  /** The cluster's rate each was cut from. */
  readonly clusterPerSec: Float64Array;
}

/** One allocation as it was sent. */
export interface Grant {
  readonly epoch: number;
  readonly sequence: number;
  readonly sentUs: number;
  readonly points: readonly PointGrant[];
}

/** More allocations than this are not sent to an instance that acknowledges none. */
const MOST_IN_FLIGHT = 8;

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

  /** What was granted at this point, by each allocation that may be in force. */
  at(point: number): PointGrant[] {
    return this.grants.flatMap(({ points }) => points.find((granted) => granted.point === point) ?? []);
  }
}
