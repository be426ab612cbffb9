/**
 * One instance's figures for one meter: a row per tenant of that instance, held in columns by the tenant's index there.
 *
 * Sums are interleaved, eight numbers (one cache line) a row: four that grow with every report until the tick, then their
 * four exponential averages per second. What the four are differs by kind:
 *
 *   resource:  load (cost units, or µs of service)   wait µs        service µs   count
 *   point:     cost of the completed                 throttled µs   refused      count
 *
 * Gauges (how many wait now) are not sums: those of the last report count, and none for rows it did not mention.
 * Rows are added in one pass without a branch: a column that is absent is a shared one of zeros. One pass per column was a third
 * slower, for every pass goes through all the lines again.
 */
import { type MeterKind, RESOURCE, type Rows } from "../proto/messages.js";

/** Numbers per row of `sums`: 0..3 since the last tick, 4..7 their averages per second. */
export const SUMS = 8;
export const COST = 0;
export const WAIT = 1;
export const SERVICE = 2;
export const COUNT = 3;
export const THROTTLED_US = WAIT;
export const REFUSED = SERVICE;
export const AVERAGE = 4;

/** Numbers per row of `gauges`. */
export const GAUGES = 4;
export const WAITING = 0;
export const RUNNING = 1;
export const THROTTLED = 2;
export const OLDEST_US = 3;

/** A row that was not mentioned in this many reports has faded (2^-12 of its average) and is emptied. */
const FADED_AFTER = 12;
/** Latency entries kept between two ticks, per instance and point: beyond it a quantile is judged by fewer requests. */
const MOST_LATENCIES = 3 * 65_536;

/** Stands in for columns that are absent; as long as the longest report so far. */
const ZEROS: number[] = [];

function orZeros(column: number[]): readonly number[] {
  return column.length === 0 ? ZEROS : column;
}

export class MeterRows {
  readonly kind: MeterKind;
  /** Rows are below this. */
  length = 0;
  sums = new Float64Array(0);
  gauges = new Uint32Array(0);
  /** Number of the last report that mentioned the row; 0: empty row. */
  seen = new Uint32Array(0);
  /** Since the last tick, points only: tenant, bucket, count; and so on. */
  latencies: number[] = [];
  /** Over all rows, of the span that was settled last: µs of waiting and of service, per second. */
  waitUsPerSec = 0;
  serviceUsPerSec = 0;

  constructor(kind: MeterKind) {
    this.kind = kind;
  }

  /**
   * Adds the rows of one report.
   *
   * @param rows     validated, with tenant indices below `capacity`
   * @param report   number of the report, from 1, one more than the last
   * @param capacity tenants this instance has named
   * @param timed    does this resource count time? Then its load is the time in service, work under way included
   */
  add(rows: Rows, report: number, capacity: number, timed: boolean): void {
    const count = rows.tenant.length;
    if (this.seen.length < capacity) this.#grow(capacity);
    while (ZEROS.length < count) ZEROS.push(0);
    const { sums, gauges, seen } = this;
    const resource = this.kind === RESOURCE;
    const { tenant } = rows;
    const serviceUs = orZeros(rows.serviceUs);
    const first = resource && timed ? serviceUs : rows.cost.length === 0 ? serviceUs : rows.cost;
    const second = orZeros(resource ? rows.waitUs : rows.throttleUs);
    const third = resource ? serviceUs : orZeros(rows.refused);
    const counts = orZeros(rows.count);
    const waiting = orZeros(rows.waiting);
    const running = orZeros(rows.running);
    const throttled = orZeros(rows.throttled);
    const oldestUs = orZeros(rows.oldestUs);
    let index = 0;
    for (let i = 0; i < count; i++) {
      index += tenant[i];
      const sum = index * SUMS;
      sums[sum] += first[i];
      sums[sum + 1] += second[i];
      sums[sum + 2] += third[i];
      sums[sum + 3] += counts[i];
      const gauge = index * GAUGES;
      gauges[gauge] = waiting[i];
      gauges[gauge + 1] = running[i];
      gauges[gauge + 2] = throttled[i];
      gauges[gauge + 3] = oldestUs[i];
      seen[index] = report;
    }
    if (count > 0 && index >= this.length) this.length = index + 1;
    if (!resource && rows.latencyRow.length > 0) this.#remember(rows);
  }

  /**
   * Ends a span of time: what was summed since the last call goes into the averages.
   *
   * @param keep      weight of the old averages, 0..1
   * @param coveredUs the time the sums are for, µs, > 0
   * @param report    number of the last report
   */
  settle(keep: number, coveredUs: number, report: number): void {
    const { sums, seen } = this;
    const gain = ((1 - keep) * 1e6) / coveredUs;
    let waitUs = 0;
    let serviceUs = 0;
    for (let i = 0; i < this.length; i++) {
      if (seen[i] === 0) continue;
      const at = i * SUMS;
      if (report - seen[i] > FADED_AFTER) {
        this.clear(i);
        continue;
      }
      waitUs += sums[at + WAIT];
      serviceUs += sums[at + SERVICE];
      sums[at + 4] = sums[at + 4] * keep + sums[at] * gain;
      sums[at + 5] = sums[at + 5] * keep + sums[at + 1] * gain;
      sums[at + 6] = sums[at + 6] * keep + sums[at + 2] * gain;
      sums[at + 7] = sums[at + 7] * keep + sums[at + 3] * gain;
      sums[at] = 0;
      sums[at + 1] = 0;
      sums[at + 2] = 0;
      sums[at + 3] = 0;
    }
    this.waitUsPerSec = (waitUs * 1e6) / coveredUs;
    this.serviceUsPerSec = (serviceUs * 1e6) / coveredUs;
  }

  /** Empties a row, as when its index is given to another tenant. */
  clear(index: number): void {
    if (index >= this.seen.length) return;
    this.sums.fill(0, index * SUMS, index * SUMS + SUMS);
    this.gauges.fill(0, index * GAUGES, index * GAUGES + GAUGES);
    this.seen[index] = 0;
  }

  #remember(rows: Rows): void {
    const { tenant, latencyRow, latencyBucket, latencyCount } = rows;
    let row = 0;
    let index = tenant[0];
    for (let i = 0; i < latencyRow.length && this.latencies.length < MOST_LATENCIES; i++) {
      while (row < latencyRow[i]) index += tenant[++row];
      this.latencies.push(index, latencyBucket[i], latencyCount[i]);
    }
  }

  #grow(capacity: number): void {
    const size = Math.max(capacity, 2 * this.seen.length, 4);
    const sums = new Float64Array(size * SUMS);
    const gauges = new Uint32Array(size * GAUGES);
    const seen = new Uint32Array(size);
    sums.set(this.sums);
    gauges.set(this.gauges);
    seen.set(this.seen);
    this.sums = sums;
    this.gauges = gauges;
    this.seen = seen;
  }
}
