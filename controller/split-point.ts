/**
 * Splits what is limited at one point over the instances of its service: who asks for how much, who may still be using what,
 * and so what each may be granted now. Everything is in columns by pair, kept from point to point and tick to tick: with a
 * hundred thousand tenants their making alone took longer than their use.
 */
import { heldBack } from "./figures.js";
import type { PointGrant } from "./grant-log.js";
import type { Instance } from "./membership.js";
import type { LogicalMeter } from "./meter-book.js";
import { AVERAGE, COST, COUNT, type MeterRows, SUMS } from "./meter-rows.js";
import { EVEN_PART, echo, FALLBACK_EVEN_PART, growWithin, shareOut } from "./split.js";

/** Limits at one point: seats ascending, and the rate of each over all instances. */
export interface PointLimits {
  readonly meter: LogicalMeter;
  readonly seats: Int32Array;
  readonly rates: Float64Array;
  /** By seat; −1: no policy's, only held from before. */
  readonly policies: Int16Array;
}

/** An instance while its service's points are split. */
export interface Member {
  readonly instance: Instance;
  /** What it is granted, point by point; undefined: it is sent nothing now. */
  readonly granted: PointGrant[] | undefined;
  /** Not all limits fit into one message to it: only those of tenants it has named do. */
  readonly namedOnly: boolean;
  /** Rows that may still be granted to it. */
  rowsLeft: number;
  /** Rows it is not told. */
  omitted: number;
}

/** A member that takes part in the point at hand, with columns by pair: of all pairs, or of those on tenants it has named. */
interface Sharer {
  readonly member: Member;
  readonly demands: Float64Array;
  /** What it may be using, and falling back to; −1: not limited until now. */
  readonly rates: Float64Array;
  readonly fallbacks: Float64Array;
  /** What it is granted, no more rows than fit; undefined: it is sent nothing now. */
  readonly grant: PointGrant | undefined;
}

export class PointSplitter {
  /** By seat: position of its pair, −1 for none. */
  #pairAt = new Int32Array(0);
  /** By position, of one member at a time: its place among the pairs on tenants it has named, −1 for none. */
  #placeOf = new Int32Array(0);
  // Sharers of part of the pairs, by pair: from #starts[k] to #starts[k + 1] of #part stand their numbers and their places.
  #starts = new Int32Array(0);
  #partSharer = new Int32Array(0);
  #partPlace = new Int32Array(0);
  #columns: Float64Array[] = [];
  #columnsUsed = 0;
  // Of one pair, by sharer.
  #who: Sharer[] = [];
  #places = new Int32Array(0);
  #demands = new Float64Array(0);
  #shares = new Float64Array(0);
  #grants = new Float64Array(0);
  #fallbackGrants = new Float64Array(0);
  #outstanding = new Float64Array(0);
  #outstandingFallbacks = new Float64Array(0);

  /** Splits, and adds to what receivers are granted. `seatCapacity`: seats are below this. */
  split(limits: PointLimits, members: readonly Member[], windowUs: number, seatCapacity: number): void {
    const { meter, seats } = limits;
    const pairs = seats.length;
    this.#columnsUsed = 0;
    this.#mark(seats, seatCapacity);
    const others = { rates: this.#column(pairs).fill(0), fallbacks: this.#column(pairs).fill(0), ceilings: this.#column(pairs) };
    others.ceilings.set(limits.rates);
    const whole: Sharer[] = [];
    const part: Sharer[] = [];
    const placed: Int32Array[] = [];
    for (const member of members) {
      const { instance } = member;
      const rows = instance.ledger.meters.find((each) => each?.meter === meter)?.rows;
      // One that has not reported yet may have any point of its service.
      const shares = instance.live && instance.peer !== undefined && (rows !== undefined || instance.ledger.reports === 0);
      if (!shares) {
        this.#linger(instance, limits, others);
        continue;
      }
      const positions = member.namedOnly ? this.#positionsOf(instance, pairs) : undefined;
      const size = positions?.length ?? pairs;
      const sharer = {
        member,
        demands: this.#column(size).fill(0),
        rates: this.#column(size).fill(-1),
        fallbacks: this.#column(size).fill(-1),
        grant: grantFor(member, limits, positions),
      };
      this.#outstand(sharer, limits, positions !== undefined, others);
      if (rows !== undefined) this.#askFor(sharer.demands, instance, rows, windowUs, positions !== undefined);
      if (instance.held !== undefined) {
        // Its own figures are not known yet: what it held tells where the demand was.
        for (let k = 0; k < size; k++) if (sharer.demands[k] === 0) sharer.demands[k] = Math.max(sharer.rates[k], 0);
      }
      if (positions === undefined) whole.push(sharer);
      else {
        part.push(sharer);
        placed.push(positions);
      }
    }
    for (let k = 0; k < pairs; k++) this.#pairAt[seats[k]] = -1;
    this.#order(placed, pairs);
    this.#splitPairs(limits, whole, part, others);
    for (const { member, grant } of [...whole, ...part]) {
      if (grant === undefined) continue;
      member.rowsLeft -= grant.seats.length;
      member.omitted += pairs - grant.seats.length;
      if (grant.seats.length > 0) member.granted!.push(grant);
    }
  }

  #splitPairs(limits: PointLimits, whole: readonly Sharer[], part: readonly Sharer[], others: Others): void {
    this.#reserve(whole.length + part.length);
    const who = this.#who;
    const places = this.#places;
    const demands = this.#demands;
    const shares = this.#shares;
    const outstanding = this.#outstanding;
    const outstandingFallbacks = this.#outstandingFallbacks;
    const within = { rate: 0, ceiling: 0, lingering: 0 };
    for (let k = 0; k < limits.seats.length; k++) {
      let n = whole.length;
      for (let j = 0; j < n; j++) {
        who[j] = whole[j];
        places[j] = k;
      }
      for (let e = this.#starts[k]; e < this.#starts[k + 1]; e++) {
        who[n] = part[this.#partSharer[e]];
        places[n++] = this.#partPlace[e];
      }
      for (let j = 0; j < n; j++) {
        demands[j] = who[j].demands[places[j]];
        outstanding[j] = who[j].rates[places[j]];
        outstandingFallbacks[j] = who[j].fallbacks[places[j]];
      }
      const rate = limits.rates[k];
      if (limits.policies[limits.seats[k]] < 0) {
        echo(others.rates[k], outstanding, this.#grants, n);
        echo(others.fallbacks[k], outstandingFallbacks, this.#fallbackGrants, n);
        give(who, places, this.#grants, this.#fallbackGrants, n);
        continue;
      }
      within.rate = rate;
      within.ceiling = others.ceilings[k];
      within.lingering = others.rates[k];
      shareOut(rate, demands, EVEN_PART, shares, n);
      growWithin(within, shares, outstanding, this.#grants, n);
      within.lingering = others.fallbacks[k];
      shareOut(rate, demands, FALLBACK_EVEN_PART, shares, n);
      growWithin(within, shares, outstandingFallbacks, this.#fallbackGrants, n);
      give(who, places, this.#grants, this.#fallbackGrants, n);
    }
  }

  /** What one that takes no part may still be using. */
  #linger({ grants }: Instance, { meter, seats }: PointLimits, others: Others): void {
    if (grants.grants.length === 0) return;
    const rates = this.#column(seats.length).fill(0);
    const fallbacks = this.#column(seats.length).fill(0);
    for (const grant of grants.at(meter.index)) {
      for (let i = 0; i < grant.seats.length; i++) {
        const k = this.#pairAt[grant.seats[i]];
        if (k < 0) continue;
        rates[k] = Math.max(rates[k], grant.ratesPerSec[i]);
        fallbacks[k] = Math.max(fallbacks[k], grant.fallbacksPerSec[i]);
        others.ceilings[k] = Math.max(others.ceilings[k], grant.clusterPerSec[i]);
      }
    }
    for (let k = 0; k < seats.length; k++) {
      others.rates[k] += rates[k];
      others.fallbacks[k] += fallbacks[k];
    }
    this.#columnsUsed -= 2;
  }

  /** What one that takes part may still be using; where it takes none, it counts with the others. */
  #outstand({ member, rates, fallbacks }: Sharer, { meter }: PointLimits, inPart: boolean, others: Others): void {
    for (const grant of member.instance.grants.at(meter.index)) {
      for (let i = 0; i < grant.seats.length; i++) {
        const k = this.#pairAt[grant.seats[i]];
        if (k < 0) continue;
        if (grant.clusterPerSec[i] > others.ceilings[k]) others.ceilings[k] = grant.clusterPerSec[i];
        const place = inPart ? this.#placeOf[k] : k;
        if (place < 0) {
          others.rates[k] += grant.ratesPerSec[i];
          others.fallbacks[k] += grant.fallbacksPerSec[i];
        } else {
          if (grant.ratesPerSec[i] > rates[place]) rates[place] = grant.ratesPerSec[i];
          if (grant.fallbacksPerSec[i] > fallbacks[place]) fallbacks[place] = grant.fallbacksPerSec[i];
        }
      }
    }
  }

  /** Adds what each pair asks for at one instance, cost units per second. */
  #askFor(demands: Float64Array, { ledger }: Instance, rows: MeterRows, windowUs: number, inPart: boolean): void {
    const { sums, seen, length } = rows;
    for (let i = 0; i < length; i++) {
      if (seen[i] === 0 || ledger.seats[i] < 0) continue;
      const k = this.#pairAt[ledger.seats[i]];
      if (k < 0) continue;
      const at = i * SUMS + AVERAGE;
      const cost = sums[at + COST];
      const costPerRequest = cost > 0 && sums[at + COUNT] > 0 ? cost / sums[at + COUNT] : 1;
      demands[inPart ? this.#placeOf[k] : k] += cost + (heldBack(rows, i, ledger.reports) * costPerRequest * 1e6) / windowUs;
    }
  }

  /** Positions of the pairs on tenants this instance has named, ascending; `#placeOf` is about it from now on. */
  #positionsOf({ ledger }: Instance, pairs: number): Int32Array {
    if (this.#placeOf.length < pairs) this.#placeOf = new Int32Array(2 * pairs);
    const placeOf = this.#placeOf.fill(-1, 0, pairs);
    let size = 0;
    for (let i = 0; i < ledger.names.length; i++) {
      const k = ledger.seats[i] < 0 ? -1 : this.#pairAt[ledger.seats[i]];
      if (k < 0 || placeOf[k] === 0) continue;
      placeOf[k] = 0;
      size++;
    }
    const positions = new Int32Array(size);
    for (let k = 0, place = 0; place < size; k++) {
      if (placeOf[k] < 0) continue;
      positions[place] = k;
      placeOf[k] = place++;
    }
    return positions;
  }

  /** Sorts the pairs of those that share in part by pair, in one counting pass. */
  #order(placed: readonly Int32Array[], pairs: number): void {
    const total = placed.reduce((sum, positions) => sum + positions.length, 0);
    if (this.#starts.length < pairs + 1) this.#starts = new Int32Array(2 * pairs + 1);
    if (this.#partSharer.length < total) {
      this.#partSharer = new Int32Array(2 * total);
      this.#partPlace = new Int32Array(2 * total);
    }
    const starts = this.#starts.fill(0, 0, pairs + 1);
    if (total === 0) return;
    for (const positions of placed) for (let i = 0; i < positions.length; i++) starts[positions[i]]++;
    for (let k = 1; k <= pairs; k++) starts[k] += starts[k - 1];
    // Filled from the end, each start ends where its pair begins.
    for (let s = placed.length - 1; s >= 0; s--) {
      for (let i = 0; i < placed[s].length; i++) {
        const e = --starts[placed[s][i]];
        this.#partSharer[e] = s;
        this.#partPlace[e] = i;
      }
    }
  }

  #mark(seats: Int32Array, capacity: number): void {
    if (this.#pairAt.length < capacity) this.#pairAt = new Int32Array(2 * capacity).fill(-1);
    for (let k = 0; k < seats.length; k++) this.#pairAt[seats[k]] = k;
  }

  /** A column of this many numbers; what stands in it is of no use. */
  #column(size: number): Float64Array {
    const at = this.#columnsUsed++;
    if ((this.#columns[at]?.length ?? 0) < size) this.#columns[at] = new Float64Array(Math.max(64, 2 * size));
    return this.#columns[at].subarray(0, size);
  }

  #reserve(sharers: number): void {
    if (this.#demands.length >= sharers) return;
    const size = 2 * sharers;
    this.#places = new Int32Array(size);
    this.#demands = new Float64Array(size);
    this.#shares = new Float64Array(size);
    this.#grants = new Float64Array(size);
    this.#fallbackGrants = new Float64Array(size);
    this.#outstanding = new Float64Array(size);
    this.#outstandingFallbacks = new Float64Array(size);
  }
}

/** By pair: what those may be using that take no part, and the highest rate anything was cut from. */
interface Others {
  readonly rates: Float64Array;
  readonly fallbacks: Float64Array;
  readonly ceilings: Float64Array;
}

/** Writes down what `n` sharers are granted of one pair. */
function give(who: readonly Sharer[], places: Int32Array, rates: Float64Array, fallbacks: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    const { grant } = who[j];
    if (grant === undefined || places[j] >= grant.seats.length) continue;
    grant.ratesPerSec[places[j]] = rates[j];
    grant.fallbacksPerSec[places[j]] = fallbacks[j];
  }
}

/** Room for what a member is granted at a point. Those told of all pairs share the columns that are alike for all. */
function grantFor(
  { granted, rowsLeft }: Member,
  { meter, seats, rates }: PointLimits,
  positions: Int32Array | undefined,
): PointGrant | undefined {
  if (granted === undefined) return undefined;
  const rows = Math.min(positions?.length ?? seats.length, rowsLeft);
  const room = { point: meter.index, ratesPerSec: new Float64Array(rows), fallbacksPerSec: new Float64Array(rows) };
  if (positions === undefined && rows === seats.length) return { ...room, seats, clusterPerSec: rates };
  const own = { ...room, seats: new Int32Array(rows), clusterPerSec: new Float64Array(rows) };
  for (let i = 0; i < rows; i++) {
    const k = positions === undefined ? i : positions[i];
    own.seats[i] = seats[k];
    own.clusterPerSec[i] = rates[k];
  }
  return own;
}
