/** 2DFQ as the paper prints it: at every pick all waiting tenants are looked at. What strata are measured against. */
import type { SchedulerContext } from "../../enforcement/schedulers/scheduler.js";
import { VirtualTimeScheduler } from "../../enforcement/schedulers/virtual-time.js";

export class NaiveScan extends VirtualTimeScheduler {
  readonly #slots: number;
  readonly #starts: Float64Array;
  readonly #spans: Float64Array;
  /** Who waits, packed, and where. */
  readonly #waiting: Int32Array;
  readonly #places: Int32Array;
  #count = 0;

  constructor(context: SchedulerContext, tenants: number) {
    super(context);
    this.#slots = context.slots;
    this.#starts = new Float64Array(tenants);
    this.#spans = new Float64Array(tenants);
    this.#waiting = new Int32Array(tenants);
    this.#places = new Int32Array(tenants).fill(-1);
  }

  protected place(tenant: number, start: number, span: number): void {
    this.#starts[tenant] = start;
    this.#spans[tenant] = span;
    if (this.#places[tenant] >= 0) return;
    this.#places[tenant] = this.#count;
    this.#waiting[this.#count++] = tenant;
  }

  protected displace(tenant: number): void {
    const place = this.#places[tenant];
    if (place < 0) return;
    const last = this.#waiting[--this.#count];
    this.#waiting[place] = last;
    this.#places[last] = place;
    this.#places[tenant] = -1;
  }

  protected choose(slot: number): number {
    const stagger = slot / this.#slots;
    const v = this.virtualTime;
    let eligible = -1;
    let least = Number.POSITIVE_INFINITY;
    let any = -1;
    let leastOfAll = Number.POSITIVE_INFINITY;
    for (let place = 0; place < this.#count; place++) {
      const tenant = this.#waiting[place];
      const start = this.#starts[tenant];
      const span = this.#spans[tenant];
      const finish = start + span;
      if (finish < leastOfAll) {
        leastOfAll = finish;
        any = tenant;
      }
      if (finish < least && start - stagger * span <= v) {
        least = finish;
        eligible = tenant;
      }
    }
    return eligible >= 0 ? eligible : any;
  }
}
