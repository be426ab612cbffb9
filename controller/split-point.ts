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
import { EVEN_PART, echo, FALLBACK_EVEN_PART, growWithin, JOINER, shareOut } from "./split.js";

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
interface Part {
  readonly member: Member;
  readonly pairOf: Int32Array | undefined;
  readonly demands: Float64Array;
  /** What it may be using, and falling back to; JOINER: not limited until now. */
  readonly rates: Float64Array;
  readonly fallbacks: Float64Array;
  readonly shares: Float64Array;
  /** What it is granted, no more rows than fit; undefined: it is sent nothing now. */
  readonly grant: PointGrant | undefined;
}

export class PointSplitter {
  /** By seat: position of its pair, −1 for none. */
  #pairAt = new Int32Array(0);
  /** By position, of one member at a time: its place among the pairs on tenants it has named, −1 for none. */
  #placeOf = new Int32Array(0);
  #columns: Float64Array[] = [];
  #columnsUsed = 0;

  /** Splits, and adds to what receivers are granted. `seatCapacity`: seats are below this. */
  split(limits: PointLimits, members: readonly Member[], windowUs: number, seatCapacity: number): void {
    const { meter, seats } = limits;
    const pairs = seats.length;
    this.#columnsUsed = 0;
    this.#mark(seats, seatCapacity);
    const others = { rates: this.#column(pairs).fill(0), fallbacks: this.#column(pairs).fill(0), ceilings: this.#column(pairs) };
    others.ceilings.set(limits.rates);
    const parts: Part[] = [];
    for (const member of members) {
      const { instance } = member;
      const rows = instance.ledger.meters.find((each) => each?.meter === meter)?.rows;
      // One that has not reported yet may have any point of its service.
      const shares = instance.live && instance.peer !== undefined && (rows !== undefined || instance.ledger.reports === 0);
      if (!shares) {
        this.#linger(instance, limits, others);
        continue;
      }
      const pairOf = member.namedOnly ? this.#pairsOf(instance, pairs) : undefined;
      const size = pairOf?.length ?? pairs;
      const part = {
        member,
        pairOf,
        demands: this.#column(size).fill(0),
        rates: this.#column(size).fill(JOINER),
        fallbacks: this.#column(size).fill(JOINER),
        shares: this.#column(size),
        grant: grantFor(member, limits, pairOf),
      };
      this.#outstand(part, limits, others);
      if (rows !== undefined) this.#askFor(part, rows, windowUs);
      if (instance.held !== undefined) {
        // Its own figures are not known yet: what it held tells where the demand was.
        for (let k = 0; k < size; k++) if (part.demands[k] === 0) part.demands[k] = Math.max(part.rates[k], 0);
      }
      parts.push(part);
    }
    for (let k = 0; k < pairs; k++) this.#pairAt[seats[k]] = -1;
    this.#splitPairs(limits, parts, others);
    for (const { member, grant } of parts) {
      if (grant === undefined) continue;
      member.rowsLeft -= grant.seats.length;
      member.omitted += pairs - grant.seats.length;
      if (grant.seats.length > 0) member.granted!.push(grant);
    }
  }

  #splitPairs({ seats, rates, policies }: PointLimits, parts: readonly Part[], others: Others): void {
    const used = this.#columnsUsed;
    const zeros = (size: number) => this.#column(size).fill(0);
    const held = new Uint8Array(seats.length);
    for (let k = 0; k < held.length; k++) if (policies[seats[k]] < 0) held[k] = 1;
    const split = (evenPart: number, lingering: Float64Array, which: "rates" | "fallbacks") => {
      this.#columnsUsed = used;
      const sharers = parts.map((part) => {
        const { length } = part.demands;
        const granted = which === "rates" ? part.grant?.ratesPerSec : part.grant?.fallbacksPerSec;
        return {
          ...part,
          outstanding: part[which],
          granted,
          grants: granted?.length === length ? granted : this.#column(length),
        };
      });
      shareOut(rates, sharers, evenPart, zeros);
      growWithin({ rates, ceilings: others.ceilings, lingering }, sharers, zeros);
      if (held.includes(1)) echo(held, lingering, sharers, zeros);
      // Rows that do not fit are not told.
      for (const { granted, grants } of sharers) if (granted !== grants) granted?.set(grants.subarray(0, granted.length));
    };
    split(EVEN_PART, others.rates, "rates");
    split(FALLBACK_EVEN_PART, others.fallbacks, "fallbacks");
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
  #outstand({ member, pairOf, rates, fallbacks }: Part, { meter }: PointLimits, others: Others): void {
    for (const grant of member.instance.grants.at(meter.index)) {
      for (let i = 0; i < grant.seats.length; i++) {
        const k = this.#pairAt[grant.seats[i]];
        if (k < 0) continue;
        if (grant.clusterPerSec[i] > others.ceilings[k]) others.ceilings[k] = grant.clusterPerSec[i];
        const place = pairOf === undefined ? k : this.#placeOf[k];
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
  #askFor({ member, pairOf, demands }: Part, rows: MeterRows, windowUs: number): void {
    const { ledger } = member.instance;
    const { sums, seen, length } = rows;
    for (let i = 0; i < length; i++) {
      if (seen[i] === 0 || ledger.seats[i] < 0) continue;
      const k = this.#pairAt[ledger.seats[i]];
      if (k < 0) continue;
      const at = i * SUMS + AVERAGE;
      const cost = sums[at + COST];
      const costPerRequest = cost > 0 && sums[at + COUNT] > 0 ? cost / sums[at + COUNT] : 1;
      demands[pairOf === undefined ? k : this.#placeOf[k]] +=
        cost + (heldBack(rows, i, ledger.reports) * costPerRequest * 1e6) / windowUs;
    }
  }

  /** The pairs on tenants this instance has named, ascending; `#placeOf` is about it from now on. */
  #pairsOf({ ledger }: Instance, pairs: number): Int32Array {
    if (this.#placeOf.length < pairs) this.#placeOf = new Int32Array(2 * pairs);
    const placeOf = this.#placeOf.fill(-1, 0, pairs);
    let size = 0;
    for (let i = 0; i < ledger.names.length; i++) {
      const k = ledger.seats[i] < 0 ? -1 : this.#pairAt[ledger.seats[i]];
      if (k < 0 || placeOf[k] === 0) continue;
      placeOf[k] = 0;
      size++;
    }
    const own = new Int32Array(size);
    for (let k = 0, place = 0; place < size; k++) {
      if (placeOf[k] < 0) continue;
      own[place] = k;
      placeOf[k] = place++;
    }
    return own;
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
}

/** By pair: what those may be using that take no part, and the highest rate anything was cut from. */
interface Others {
  readonly rates: Float64Array;
  readonly fallbacks: Float64Array;
  readonly ceilings: Float64Array;
}

/** Room for what a member is granted at a point. Those told of all pairs share the columns that are alike for all. */
function grantFor(
  { granted, rowsLeft }: Member,
  { meter, seats, rates }: PointLimits,
  pairOf: Int32Array | undefined,
): PointGrant | undefined {
  if (granted === undefined) return undefined;
  const rows = Math.min(pairOf?.length ?? seats.length, rowsLeft);
  const room = { point: meter.index, ratesPerSec: new Float64Array(rows), fallbacksPerSec: new Float64Array(rows) };
  if (pairOf === undefined && rows === seats.length) return { ...room, seats, clusterPerSec: rates };
  const own = { ...room, seats: new Int32Array(rows), clusterPerSec: new Float64Array(rows) };
  for (let i = 0; i < rows; i++) {
    const k = pairOf === undefined ? i : pairOf[i];
    own.seats[i] = seats[k];
    own.clusterPerSec[i] = rates[k];
  }
  return own;
}
