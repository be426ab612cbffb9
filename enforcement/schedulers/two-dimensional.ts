/**
 * Two-dimensional fair queuing [Mace et al., SIGCOMM 2016]: fair over time *and* over slots. As in WF2Q the job the fluid
 * server would finish first is next, but each slot has its own idea of who may begin: slot i lets a job begin up to i/n of
 * its own length early. Small jobs become eligible first on high slots, long jobs gather on low ones, and a burst of long
 * jobs no longer takes every slot at once.
 *
 *   slot i of n:   choose argmin F(f) among S(f) − (i/n)·L/φ ≤ v;   where there is none, argmin F(f) of all
 *   bound:         W_GPS(f) − W_2DFQ(f) ≤ n·L_max at every instant
 *
 * (The printed pseudo-code has `<`, with which nothing is eligible at the start and the paper's own example does not come out.)
 *
 * Eligibility differs by slot, so WF2Q's heaps do not serve. We round L/φ up to an eighth of an octave *for choosing only*:
 * charging stays exact. Tenants with equal rounded span q form a stratum, within which order by S is order by F and
 * eligibility on any slot; so a stratum's best is the root of its heap by S, and choosing is a walk over the roots of the
 * strata that are not empty: about eighty for costs over ten octaves, whatever the number of tenants, plus O(log n).
 */
import { IndexedHeap, Places } from "./indexed-heap.js";
import type { SchedulerContext } from "./scheduler.js";
import { STRATA, spanOfStratum, stratumOf } from "./strata.js";
import { VirtualTimeScheduler } from "./virtual-time.js";

export class TwoDimensionalFair extends VirtualTimeScheduler {
  readonly #places = new Places();
  readonly #strata: (IndexedHeap | undefined)[] = new Array(STRATA).fill(undefined);
  /** The strata that are not empty, packed, each with the tenant and tag at its root. */
  readonly #occupied = new Int32Array(STRATA);
  readonly #roots = new Int32Array(STRATA);
  readonly #starts = new Float64Array(STRATA);
  readonly #spans = new Float64Array(STRATA);
  readonly #finishes = new Float64Array(STRATA);
  readonly #placeOf = new Int32Array(STRATA).fill(-1); // by stratum: its place among the occupied
  #occupiedCount = 0;
  #stratumOf = new Int16Array(16).fill(-1); // by tenant
  #slots: number;

  constructor(context: SchedulerContext) {
    super(context);
    this.#slots = context.slots;
  }

  override resize(slots: number): void {
    this.#slots = slots;
  }

  protected place(tenant: number, start: number, span: number): void {
    if (tenant >= this.#stratumOf.length) this.#grow(tenant);
    const stratum = stratumOf(span);
    const before = this.#stratumOf[tenant];
    if (before >= 0 && before !== stratum) this.#take(tenant, before);
    this.#stratumOf[tenant] = stratum;
    let heap = this.#strata[stratum];
    if (heap === undefined) heap = this.#strata[stratum] = new IndexedHeap(this.#places);
    heap.set(tenant, start);
    this.#refresh(stratum, heap);
  }

  protected displace(tenant: number): void {
    if (tenant >= this.#stratumOf.length || this.#stratumOf[tenant] < 0) return;
    this.#take(tenant, this.#stratumOf[tenant]);
    this.#stratumOf[tenant] = -1;
  }

  protected choose(slot: number): number {
    const stagger = slot / this.#slots;
    const now = this.virtualTime;
    const finishes = this.#finishes;
    const starts = this.#starts;
    const spans = this.#spans;
    const count = this.#occupiedCount;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      // Most are no better than the best so far, and need no closer look.
      if (finishes[k] > least || starts[k] - stagger * spans[k] > now) continue;
      if (finishes[k] === least && this.#roots[k] > best) continue;
      best = this.#roots[k];
      least = finishes[k];
    }
    return best >= 0 ? best : this.#leastOfAll();
  }

  /** Nobody may begin yet: who would be done first begins all the same. */
  #leastOfAll(): number {
    let best = 0;
    for (let k = 1; k < this.#occupiedCount; k++) {
      const difference = this.#finishes[k] - this.#finishes[best];
      if (difference < 0 || (difference === 0 && this.#roots[k] < this.#roots[best])) best = k;
    }
    return this.#roots[best];
  }

  #take(tenant: number, stratum: number): void {
    const heap = this.#strata[stratum]!;
    heap.remove(tenant);
    this.#refresh(stratum, heap);
  }

  /** The root of a stratum's heap may have changed. */
  #refresh(stratum: number, heap: IndexedHeap): void {
    let k = this.#placeOf[stratum];
    if (heap.size === 0) {
      if (k < 0) return;
      const last = --this.#occupiedCount;
      this.#placeOf[stratum] = -1;
      if (k === last) return;
      this.#occupied[k] = this.#occupied[last];
      this.#roots[k] = this.#roots[last];
      this.#starts[k] = this.#starts[last];
      this.#spans[k] = this.#spans[last];
      this.#finishes[k] = this.#finishes[last];
      this.#placeOf[this.#occupied[k]] = k;
      return;
    }
    if (k < 0) {
      k = this.#occupiedCount++;
      this.#placeOf[stratum] = k;
      this.#occupied[k] = stratum;
      this.#spans[k] = spanOfStratum(stratum);
    }
    this.#roots[k] = heap.first();
    this.#starts[k] = heap.firstKey();
    this.#finishes[k] = this.#starts[k] + this.#spans[k];
  }

  #grow(tenant: number): void {
    const grown = new Int16Array(Math.max(tenant + 1, 2 * this.#stratumOf.length)).fill(-1);
    grown.set(this.#stratumOf);
    this.#stratumOf = grown;
  }
}
