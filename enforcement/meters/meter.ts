/**
 * Who used how much of one thing: sums per tenant since the last acknowledged report, and what is in progress now.
 *
 * Work in progress is measured by Little's integral rather than per operation. With n(t) operations in service, the time
 * they spend there in all is ∫ n(t) dt; so on every change of n, and when a report is drawn,
 *
 *   serviceUs += running · (now − last)      waitUs += waiting · (now − last)      throttleUs += throttled · (now − last)
 *
 * which counts an operation longer than the window in every window it spans, to the microsecond, with three additions and no
 * list of operations. Three integrals, never mixed: throttle delay is our own doing and must not look like congestion.
 *
 * One row of sixteen cells (two cache lines) per tenant; a tenant with something to tell is in the list `touched`, so that
 * drawing a report costs what there is to report.
 */
import { LATENCY_BUCKETS, latencyBucket } from "../../proto/histogram.js";
import type { MeterKind } from "../../proto/messages.js";
import { withIndex, withRow } from "../columns.js";
import type { TenantIndex } from "../tenant-table.js";

export const STRIDE = 16;
export const COUNT = 0;
export const COST = 1;
export const COST_SQUARED = 2;
export const WAIT_US = 3;
export const SERVICE_US = 4;
export const THROTTLE_US = 5;
export const REFUSED = 6;
/** Cells from here on tell what is now, and are never committed. */
export const WAITING = 7;
export const RUNNING = 8;
export const THROTTLED = 9;
const LAST_US = 10;
const TOUCHED = 11;

export class Meter {
  readonly name: string;
  readonly index: number;
  readonly kind: MeterKind;
  readonly unit: string;
  /** Operations that can be in service at once; 0: no bound. */
  readonly slots: number;
  /** Is cost anything other than time in service? If not, it is not summed, and reports leave the column out. */
  hasOwnCosts = false;
  /** Rows by tenant. */
  cells = new Float64Array(0);
  /** Tenants with something to tell, in no order; `touchedCount` of them. */
  touched = new Int32Array(0);
  touchedCount = 0;
  /** Latency counts by tenant, for those who have any. */
  readonly latencies: (Uint32Array | undefined)[] = [];
  /** Clock time since which the oldest of a tenant's requests has waited; Infinity: none waits. Points set it. */
  oldestSinceUs: (tenant: TenantIndex) => number = () => Number.POSITIVE_INFINITY;

  constructor(about: { name: string; index: number; kind: MeterKind; unit: string; slots?: number }) {
    this.name = about.name;
    this.index = about.index;
    this.kind = about.kind;
    this.unit = about.unit;
    this.slots = about.slots ?? 0;
  }

  /** From now on costs are told apart from time in service. */
  tellCosts(): void {
    if (this.hasOwnCosts) return;
    this.hasOwnCosts = true;
    // Until now the cost was the time in service, and what of that is still to be told is told as such.
    for (let at = 0; at < this.cells.length; at += STRIDE) this.cells[at + COST] = this.cells[at + SERVICE_US];
  }

  /** Brings a tenant's integrals up to `nowUs`. @returns where its row begins */
  advance(tenant: TenantIndex, nowUs: number): number {
    const at = tenant * STRIDE;
    if (at >= this.cells.length) this.cells = withRow(this.cells, STRIDE, tenant);
    const cells = this.cells;
    const elapsedUs = nowUs - cells[at + LAST_US];
    if (elapsedUs > 0) {
      cells[at + LAST_US] = nowUs;
      const running = cells[at + RUNNING];
      if (running > 0) cells[at + SERVICE_US] += running * elapsedUs;
      const waiting = cells[at + WAITING];
      if (waiting > 0) cells[at + WAIT_US] += waiting * elapsedUs;
      const throttled = cells[at + THROTTLED];
      if (throttled > 0) cells[at + THROTTLE_US] += throttled * elapsedUs;
    }
    if (cells[at + TOUCHED] === 0) this.#touch(tenant);
    return at;
  }

  /** Adds to a sum, or to a gauge (`WAITING`, `RUNNING`, `THROTTLED`). */
  add(tenant: TenantIndex, field: number, amount: number, nowUs: number): void {
    // In two steps: `advance` may grow the memory, and the left side of an assignment is looked up before its right.
    const at = this.advance(tenant, nowUs);
    this.cells[at + field] += amount;
  }

  /** One fewer in one gauge and one more in another; of an operation that is shared, a part of one. */
  move(tenant: TenantIndex, from: number, to: number, nowUs: number, part = 1): void {
    const at = this.advance(tenant, nowUs);
    this.cells[at + from] -= part;
    this.cells[at + to] += part;
  }

  /** An operation, or a tenant's part of one, completed; the whole of it at this cost. @returns where its tenant's row begins */
  completed(tenant: TenantIndex, cost: number, nowUs: number, part = 1): number {
    const at = this.advance(tenant, nowUs);
    const cells = this.cells;
    cells[at + RUNNING] -= part;
    cells[at + COUNT] += part;
    if (this.hasOwnCosts) cells[at + COST] += part * cost;
    cells[at + COST_SQUARED] += part * cost * cost;
    return at;
  }

  /** Counts one latency, µs. */
  observeLatency(tenant: TenantIndex, us: number): void {
    let counts = this.latencies[tenant];
    if (counts === undefined) {
      while (this.latencies.length <= tenant) this.latencies.push(undefined);
      counts = new Uint32Array(LATENCY_BUCKETS);
      this.latencies[tenant] = counts;
    }
    counts[latencyBucket(us)] += 1;
  }

  gauge(tenant: TenantIndex, gauge: number): number {
    const at = tenant * STRIDE;
    return at < this.cells.length ? this.cells[at + gauge] : 0;
  }

  /** Is nothing of this tenant in progress, and (if anybody is told at all) nothing left to tell? */
  isIdle(tenant: TenantIndex, reported: boolean): boolean {
    if (reported) return this.gauge(tenant, TOUCHED) === 0;
    return this.gauge(tenant, WAITING) + this.gauge(tenant, RUNNING) + this.gauge(tenant, THROTTLED) === 0;
  }

  /** Takes place `i` off the list of those with something to tell. */
  untouch(i: number): void {
    this.cells[this.touched[i] * STRIDE + TOUCHED] = 0;
    this.touchedCount -= 1;
    this.touched[i] = this.touched[this.touchedCount];
  }

  /** Clears what is left of an idle tenant. */
  forget(tenant: TenantIndex): void {
    const at = tenant * STRIDE;
    if (at < this.cells.length) this.cells.fill(0, at, at + TOUCHED);
    this.latencies[tenant]?.fill(0);
  }

  /** Counts all of one tenant's sums as another's. */
  fold(from: TenantIndex, into: TenantIndex, nowUs: number): void {
    const source = this.advance(from, nowUs);
    const target = this.advance(into, nowUs);
    for (let field = 0; field < WAITING; field++) {
      this.cells[target + field] += this.cells[source + field];
      this.cells[source + field] = 0;
    }
    const counts = this.latencies[from];
    if (counts === undefined) return;
    if (this.latencies[into] === undefined) {
      while (this.latencies.length <= into) this.latencies.push(undefined);
      this.latencies[into] = new Uint32Array(LATENCY_BUCKETS);
    }
    const sums = this.latencies[into] as Uint32Array;
    for (let b = 0; b < LATENCY_BUCKETS; b++) sums[b] += counts[b];
    counts.fill(0);
  }

  #touch(tenant: TenantIndex): void {
    this.cells[tenant * STRIDE + TOUCHED] = 1;
    this.touched = withIndex(this.touched, this.touchedCount);
    this.touched[this.touchedCount] = tenant;
    this.touchedCount += 1;
  }
}
