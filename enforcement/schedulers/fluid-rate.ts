/**
 * How fast virtual time goes. The fluid server divides the busy slots among the active tenants in proportion to their weights,
 * but a slot works on one job at a time: a tenant is worth at most as many slots as it has jobs, and what it cannot use is the
 * others'. Whoever has all it can use is *capped*, and virtual time is the clock of those who are not:
 *
 *   level μ:   Σ min(φ·μ, n) = b            n: jobs of a tenant that wait or run (none, but S > v: 1);   b: busy slots
 *   capped:    n ≤ φ·μ
 *   dv/dt = r · Σ held(uncapped) / Σφ(uncapped)                held: slots a tenant has;   r: speed of a slot
 *   all are capped (nothing waits):  dv/dt = r · max n/φ       the least with which nobody runs ahead of v
 *
 * The fluid server of the papers gives everyone its share of all slots. With one job at a time beside a flood on 16 slots, half of
 * which are then nobody's, v goes at half the speed at which the flood is served. After 200 s the flood is 88 s ahead, and another that
 * begins at v is served alone until it has caught up; with this rate 0.06 s.
 *
 * Why by what the uncapped *hold*, when b − Σn(capped) is their due: jobs of the capped wait, too, until a slot is free, and others
 * have that slot meanwhile. Not counted, it adds up for ever: with 15 tenants that think for 20 ms between jobs of 100 ms, the flood
 * is 39 s ahead after 200 s by the papers' rate, 12 s by what is due, and 0.005 s by what is held.
 * What remains: small jobs of *uncapped* tenants, which wait behind long ones for longer than the fluid server would have taken.
 * 60 tenants that think for 50 ms between jobs of 5 ms, a flood of 100 ms jobs: 46 s instead of 122 s. To move v on by what such a tenant is
 * behind when it leaves or is capped, as EEVDF does, took a third off that, and made small jobs elsewhere wait ten times as long.
 *
 * Nothing saved: v outruns a capped tenant's S. That is no credit: a job that comes to a capped tenant starts no earlier than v (`lastCapped`).
 *
 * Finding μ: whoever is capped is worth a slot, so no more are than there are busy slots. They lie in a heap by n/φ, largest first, the
 * others in one with the smallest first. To uncap one with n/φ > μ raises μ, never beyond its n/φ; to cap one with n/φ ≤ μ raises μ, too.
 * So first the one, then the other, until there is no more to do, comes to the only solution. Keys of the uncapped may be too
 * low: who gets jobs is further from being capped, and is put right at the top. While everybody is backlogged neither
 * heap is touched; otherwise a move is O(log n).
 */
import { withRow } from "../columns.js";
import { IndexedHeap } from "./indexed-heap.js";

const STRIDE = 5;
const WEIGHT = 0; // φ
const JOBS = 1; // that wait or run
const HELD = 2; // of those, that run
const PLACE = 3; // n by which it lies among the uncapped; or one of:
const INACTIVE = 0;
const CAPPED = -1;
const FREED = 4; // v when it was last uncapped

export class FluidRate {
  /** v gains slots/weight per unit of work that each busy slot does: as `resolve` found it. */
  slots = 0;
  weight = 0;
  #rows = new Float64Array(0); // by tenant
  readonly #uncapped = new IndexedHeap(); // by n/φ, or less
  readonly #capped = new IndexedHeap(); // by −n/φ
  /** Uncapped tenants a job of which has gone since the last look. Most have a new one by then. */
  readonly #fallen = new Int32Array(64);
  #fallenCount = 0;
  /** Σφ of the uncapped, and what rounding took from it: it must be right when the heavy have gone, after any number of changes. */
  #weight = 0;
  #rounded = 0;
  /** Σn of the capped. */
  #worth = 0;
  /** Slots held by all, b, and by the capped. */
  #held = 0;
  #heldByCapped = 0;

  weightOf(tenant: number): number {
    return this.#rows[tenant * STRIDE + WEIGHT];
  }

  /** Slots a tenant holds. */
  heldBy(tenant: number): number {
    return this.#rows[tenant * STRIDE + HELD];
  }

  /** Makes room for a tenant, and knows nothing of it. */
  reset(tenant: number): void {
    const at = tenant * STRIDE;
    if (at >= this.#rows.length) this.#rows = withRow(this.#rows, STRIDE, tenant);
    this.#rows.fill(0, at, at + STRIDE);
  }

  /** v when a tenant was last capped, `now` if it is: what it left until then is not its to save. */
  lastCapped(tenant: number, now: number): number {
    const at = tenant * STRIDE;
    return this.#rows[at + PLACE] === CAPPED ? now : this.#rows[at + FREED];
  }

  /** A tenant counts with this weight from now on. */
  weigh(tenant: number, weight: number): void {
    const rows = this.#rows;
    const at = tenant * STRIDE;
    if (weight === rows[at + WEIGHT]) return;
    if (rows[at + PLACE] > 0) this.#add(weight - rows[at + WEIGHT]);
    rows[at + WEIGHT] = weight;
    if (rows[at + PLACE] > 0) this.#put(tenant);
    else if (rows[at + PLACE] === CAPPED) this.#capped.set(tenant, -this.#worthOf(at) / weight);
  }

  /** A job of a tenant comes; it is active, if it was not. */
  arrive(tenant: number): void {
    const at = tenant * STRIDE;
    const rows = this.#rows;
    rows[at + JOBS] += 1;
    if (rows[at + PLACE] === CAPPED) this.#revalue(tenant, rows[at + JOBS] > 1 ? 1 : 0);
    else if (rows[at + PLACE] === INACTIVE) this.#admit(tenant);
  }

  /** A job of it takes a slot. */
  begin(tenant: number): void {
    const at = tenant * STRIDE;
    this.#rows[at + HELD] += 1;
    this.#held += 1;
    if (this.#rows[at + PLACE] === CAPPED) this.#heldByCapped += 1;
  }

  /** One that ran is done. Its tenant stays active, as if it had a job, until it is released. */
  end(tenant: number): void {
    const at = tenant * STRIDE;
    this.#rows[at + HELD] -= 1;
    this.#held -= 1;
    if (this.#rows[at + PLACE] === CAPPED) this.#heldByCapped -= 1;
    this.leave(tenant);
  }

  /** One that waited has gone, and again its tenant stays. */
  leave(tenant: number): void {
    const at = tenant * STRIDE;
    const rows = this.#rows;
    rows[at + JOBS] -= 1;
    if (rows[at + PLACE] === CAPPED) this.#revalue(tenant, rows[at + JOBS] > 0 ? -1 : 0);
    else if (this.#worthOf(at) < rows[at + PLACE]) {
      if (this.#fallenCount === this.#fallen.length) this.#lower();
      this.#fallen[this.#fallenCount++] = tenant;
    }
  }

  /** The fluid server has nothing left to do for a tenant that has no job. */
  release(tenant: number): void {
    const at = tenant * STRIDE;
    if (this.#rows[at + PLACE] === CAPPED) this.#uncap(tenant);
    this.#uncapped.remove(tenant);
    this.#add(-this.#rows[at + WEIGHT]);
    this.#rows[at + PLACE] = INACTIVE;
  }

  /** Nobody is active any more; whoever comes is `reset` first. */
  clear(): void {
    this.#capped.clear();
    this.#uncapped.clear();
    this.#fallenCount = 0;
    this.#weight = 0;
    this.#rounded = 0;
    this.#worth = 0;
    this.#heldByCapped = 0;
  }

  /** Says how fast v, which is `now`, goes on. At least one slot is busy. */
  resolve(now: number): void {
    const capped = this.#capped;
    const uncapped = this.#uncapped;
    if (this.#fallenCount > 0) this.#lower();
    let level = this.#level();
    while (capped.size > 0 && -capped.firstKey() > level) {
      const tenant = capped.first();
      this.#rows[tenant * STRIDE + FREED] = now;
      this.#uncap(tenant);
      level = this.#level();
    }
    while (uncapped.firstKey() <= level) {
      const tenant = uncapped.first();
      const at = tenant * STRIDE;
      if (this.#worthOf(at) > this.#rows[at + PLACE]) this.#put(tenant);
      else this.#cap(tenant);
      level = this.#level();
    }
    if (uncapped.size > 0) {
      this.slots = this.#held - this.#heldByCapped;
      this.weight = this.#weight + this.#rounded;
    } else if (capped.size > 0) {
      const at = capped.first() * STRIDE;
      this.slots = this.#worthOf(at);
      this.weight = this.#rows[at + WEIGHT];
    }
  }

  /** Whoever has fewer jobs than its place is for, and no new one yet. */
  #lower(): void {
    for (let i = 0; i < this.#fallenCount; i++) {
      const tenant = this.#fallen[i];
      const at = tenant * STRIDE;
      if (this.#worthOf(at) < this.#rows[at + PLACE]) this.#put(tenant);
    }
    this.#fallenCount = 0;
  }

  /** μ, were these the capped and the others not. */
  #level(): number {
    const left = this.#held - this.#worth;
    if (this.#uncapped.size > 0) return left / (this.#weight + this.#rounded);
    return left < 0 ? 0 : Number.MAX_VALUE;
  }

  /** n */
  #worthOf(at: number): number {
    return Math.max(1, this.#rows[at + JOBS]);
  }

  #admit(tenant: number): void {
    this.#add(this.#rows[tenant * STRIDE + WEIGHT]);
    this.#put(tenant);
  }

  /** Puts a tenant in its place among the uncapped. */
  #put(tenant: number): void {
    const at = tenant * STRIDE;
    const worth = this.#worthOf(at);
    this.#rows[at + PLACE] = worth;
    this.#uncapped.set(tenant, worth / this.#rows[at + WEIGHT]);
  }

  #cap(tenant: number): void {
    const at = tenant * STRIDE;
    const worth = this.#worthOf(at);
    this.#uncapped.remove(tenant);
    this.#add(-this.#rows[at + WEIGHT]);
    this.#rows[at + PLACE] = CAPPED;
    this.#capped.set(tenant, -worth / this.#rows[at + WEIGHT]);
    this.#worth += worth;
    this.#heldByCapped += this.#rows[at + HELD];
  }

  #uncap(tenant: number): void {
    const at = tenant * STRIDE;
    this.#capped.remove(tenant);
    this.#worth -= this.#worthOf(at);
    this.#heldByCapped -= this.#rows[at + HELD];
    this.#admit(tenant);
  }

  /** A capped tenant is worth so much more than it was. */
  #revalue(tenant: number, more: number): void {
    if (more === 0) return;
    const at = tenant * STRIDE;
    this.#worth += more;
    this.#capped.set(tenant, -this.#worthOf(at) / this.#rows[at + WEIGHT]);
  }

  /** Adds to Σφ, and keeps what rounding takes [Knuth, TwoSum]. */
  #add(weight: number): void {
    const sum = this.#weight + weight;
    const added = sum - this.#weight;
    this.#rounded += this.#weight - (sum - added) + (weight - added);
    this.#weight = sum;
  }
}
