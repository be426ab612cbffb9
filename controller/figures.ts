/**
 * Columns of one logical meter over all instances, by tenant index of the view: what policies see, and what only people do.
 * The memory is kept from tick to tick and grows by doubling.
 */
import { Point, Resource } from "../policies/index.js";
import { LatencyGather } from "./latency-gather.js";
import type { LedgerMeter } from "./ledger.js";
import { LongRun } from "./long-run.js";
import type { LogicalMeter } from "./meter-book.js";
import {
  AVERAGE,
  COST,
  COUNT,
  GAUGES,
  type MeterRows,
  OLDEST_US,
  REFUSED,
  SERVICE,
  SUMS,
  THROTTLED,
  THROTTLED_US,
  WAIT,
  WAITING,
} from "./meter-rows.js";

/** Slowdown beyond this tells nothing more; also that of a resource where work waits and none is served. */
const MOST_SLOWDOWN = 1e6;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Float64 columns of one length, zeroed anew for every tick. */
class Columns {
  #memory: Float64Array;
  #all: Float64Array[] = [];
  #rows = -1;
  #capacity = 0;
  readonly #width: number;

  constructor(width: number) {
    this.#width = width;
    this.#memory = new Float64Array(0);
  }

  begin(rows: number): readonly Float64Array[] {
    if (rows > this.#capacity) {
      this.#capacity = Math.max(rows, 2 * this.#capacity, 16);
      this.#memory = new Float64Array(this.#capacity * this.#width);
      this.#rows = -1;
    } else {
      this.#memory.fill(0);
    }
    if (rows !== this.#rows) {
      this.#all = Array.from({ length: this.#width }, (_, i) =>
        this.#memory.subarray(i * this.#capacity, i * this.#capacity + rows),
      );
      this.#rows = rows;
    }
    return this.#all;
  }
}

/** Where a row of one instance goes: its index there → seat → index in the view. */
export interface Mapping {
  seats: Int32Array;
  viewOf: Int32Array;
}

export class ResourceFigures {
  readonly meter: LogicalMeter;
  readonly #columns = new Columns(6);
  readonly #longRun = new LongRun();
  /** As policies see it; new every tick. */
  resource!: Resource;
  /** Mean time of wait and service, µs per second; operations completed per second; operations that wait. */
  timesUsPerSec!: Float64Array;
  countsPerSec!: Float64Array;
  waitings!: Float64Array;
  /** Time in service over all tenants and instances, µs per second. */
  busyUsPerSec = 0;
  #waitUs = 0;
  #serviceUs = 0;
  /** NaN: some instance has not told. */
  #slots = 0;
  #logSlowdown = 0;

  constructor(meter: LogicalMeter) {
    this.meter = meter;
  }

  begin(index: number, tenants: number): void {
    const [loads, demands, latencies, times, counts, averages] = this.#columns.begin(tenants);
    const resource = new Resource(index, this.meter.name, this.meter.unit, 0) as Writable<Resource>;
    resource.loads = loads;
    resource.demands = demands;
    resource.latenciesUs = latencies;
    resource.averages = averages;
    this.resource = resource;
    this.timesUsPerSec = times;
    this.countsPerSec = counts;
    // Latencies are written last, from times and counts; until then their column counts who waits.
    this.waitings = latencies;
    this.busyUsPerSec = 0;
    this.#waitUs = 0;
    this.#serviceUs = 0;
    this.#slots = 0;
  }

  add({ rows, slots }: Pick<LedgerMeter, "rows" | "slots">, report: number, { seats, viewOf }: Mapping, instance: string): void {
    this.#slots += slots === 0 ? Number.NaN : slots;
    const { sums, gauges, seen } = rows;
    const { loads } = this.resource;
    const { timesUsPerSec, countsPerSec, waitings } = this;
    let busy = 0;
    for (let i = 0; i < rows.length; i++) {
      if (seen[i] === 0) continue;
      const v = viewOf[seats[i]];
      const at = i * SUMS + AVERAGE;
      const waitUs = sums[at + WAIT];
      loads[v] += sums[at + COST];
      timesUsPerSec[v] += waitUs + sums[at + SERVICE];
      countsPerSec[v] += sums[at + COUNT];
      // Σ wait per second is the mean number that waited [Little]; the gauge is a glance at the end of the window.
      waitings[v] += Math.max(seen[i] === report ? gauges[i * GAUGES + WAITING] : 0, waitUs / 1e6);
      busy += sums[at + SERVICE];
    }
    this.busyUsPerSec += busy;
    this.#waitUs += rows.waitUsPerSec;
    this.#serviceUs += rows.serviceUsPerSec;
    const slowdown = rawSlowdown(rows.waitUsPerSec, rows.serviceUsPerSec);
    if (slowdown > this.resource.hottest.slowdown || this.resource.hottest.instance === "") {
      this.resource.hottest = { instance, slowdown };
    }
  }

  /**
   * All instances are in: slowdown and latencies.
   *
   * @param keep weight of the slowdown before, 0..1; 1: nothing new was heard
   */
  end(keep: number): void {
    const { resource, meter } = this;
    const raw = rawSlowdown(this.#waitUs, this.#serviceUs);
    this.#logSlowdown = keep * this.#logSlowdown + (1 - keep) * Math.log(raw);
    if (keep < 1) meter.floor.learn(this.#serviceUs, raw);
    resource.floor = meter.floor.value;
    let countPerSec = 0;
    for (let v = 0; v < this.countsPerSec.length; v++) countPerSec += this.countsPerSec[v];
    resource.calmServiceUs = countPerSec > 0 ? (this.#serviceUs / countPerSec) * resource.floor : 0;
    resource.slowdown = meter.floor.relative(Math.exp(this.#logSlowdown));
    if (keep < 1) meter.capacity.learn(resource.totalLoad(), resource.slowdown);
    resource.capacity = meter.capacity.value;
    resource.slots = Number.isNaN(this.#slots) ? 0 : this.#slots;
    resource.hottest = { instance: resource.hottest.instance, slowdown: meter.floor.relative(resource.hottest.slowdown) };
  }

  /** All loads are in: what each uses in the long run. `keep` is the weight of what was before, 0..1. */
  remember(seatOf: Int32Array, keep: number): void {
    this.#longRun.update(this.resource.loads, seatOf, keep, this.resource.averages);
  }

  /** Another tenant sits here now, or none. */
  forget(seat: number): void {
    this.#longRun.forget(seat);
  }

  /** After demands are known, for which `waitings` was needed. */
  writeLatencies(): void {
    const { latenciesUs } = this.resource;
    for (let v = 0; v < latenciesUs.length; v++) {
      const count = this.countsPerSec[v];
      latenciesUs[v] = count > 0 ? this.timesUsPerSec[v] / count : this.timesUsPerSec[v] > 0 ? this.timesUsPerSec[v] : 0;
    }
  }
}

function rawSlowdown(waitUs: number, serviceUs: number): number {
  if (!(waitUs > 0)) return 1;
  return serviceUs > 0 ? Math.min((waitUs + serviceUs) / serviceUs, MOST_SLOWDOWN) : MOST_SLOWDOWN;
}

export class PointFigures {
  readonly meter: LogicalMeter;
  readonly #columns = new Columns(11);
  readonly #latencies = new LatencyGather();
  #reasons = new Int32Array(0);
  /** As policies see it; new every tick. */
  point!: Point;
  countsPerSec!: Float64Array;
  /** Requests held back by the throttle; requests that wait for a slot. */
  throttled!: Float64Array;
  queued!: Float64Array;
  refusedPerSec!: Float64Array;
  oldestUs!: Float64Array;
  p50sUs!: Float64Array;
  /** Cost units per second that would come through besides, if what waits now were let through within the window. */
  pendingPerSec!: Float64Array;
  /** Tenants with something pending: the first `pendingCount` entries. */
  pendingTenants = new Int32Array(0);
  pendingCount = 0;

  constructor(meter: LogicalMeter) {
    this.meter = meter;
  }

  begin(index: number, tenants: number, resources: number): void {
    const [throughputs, rates, waitings, p99s, counts, throttled, queued, refused, oldest, p50s, pending] =
      this.#columns.begin(tenants);
    const point = new Point(index, this.meter.name, this.meter.unit, 0, resources) as Writable<Point>;
    point.throughputs = throughputs;
    point.rates = rates;
    if (this.#reasons.length < tenants) this.#reasons = new Int32Array(2 * tenants);
    point.reasons = this.#reasons.subarray(0, tenants).fill(-1);
    point.waitings = waitings;
    point.p99sUs = p99s;
    point.oldestsUs = oldest;
    this.point = point;
    this.countsPerSec = counts;
    this.throttled = throttled;
    this.queued = queued;
    this.refusedPerSec = refused;
    this.oldestUs = oldest;
    this.p50sUs = p50s;
    this.pendingPerSec = pending;
  }

  add(rows: MeterRows, report: number, { seats, viewOf }: Mapping): void {
    const { sums, gauges, seen, latencies } = rows;
    const { throughputs } = this.point;
    const { countsPerSec, throttled, queued, refusedPerSec, oldestUs } = this;
    for (let i = 0; i < rows.length; i++) {
      if (seen[i] === 0) continue;
      const v = viewOf[seats[i]];
      const at = i * SUMS + AVERAGE;
      throughputs[v] += sums[at + COST];
      countsPerSec[v] += sums[at + COUNT];
      refusedPerSec[v] += sums[at + REFUSED];
      throttled[v] += heldBack(rows, i, report);
      if (seen[i] !== report) continue;
      const gauge = i * GAUGES;
      queued[v] += gauges[gauge + WAITING];
      if (gauges[gauge + OLDEST_US] > oldestUs[v]) oldestUs[v] = gauges[gauge + OLDEST_US];
    }
    for (let i = 0; i < latencies.length; i += 3) {
      // The row may have been emptied since: its tenant is another now.
      if (seen[latencies[i]] === 0) continue;
      this.#latencies.add(viewOf[seats[latencies[i]]], latencies[i + 1], latencies[i + 2]);
    }
    latencies.length = 0;
  }

  /** All instances are in: totals, waiting in cost units, quantiles. */
  end(windowUs: number): void {
    const { point, countsPerSec, throttled, queued, pendingPerSec } = this;
    const { throughputs, waitings } = point;
    let total = 0;
    let count = 0;
    for (let v = 0; v < throughputs.length; v++) {
      total += throughputs[v];
      count += countsPerSec[v];
    }
    point.totalThroughput = total;
    const mean = total > 0 && count > 0 ? total / count : 1;
    if (this.pendingTenants.length < throughputs.length) this.pendingTenants = new Int32Array(2 * throughputs.length);
    this.pendingCount = 0;
    for (let v = 0; v < throughputs.length; v++) {
      if (throttled[v] + queued[v] === 0) continue;
      this.pendingTenants[this.pendingCount++] = v;
      const cost = countsPerSec[v] > 0 && throughputs[v] > 0 ? throughputs[v] / countsPerSec[v] : mean;
      waitings[v] = throttled[v] * cost;
      pendingPerSec[v] = ((throttled[v] + queued[v]) * cost * 1e6) / windowUs;
    }
    this.#latencies.finish(this.p50sUs, point.p99sUs);
  }
}

/** Requests of a row that the throttle holds back: now, or on average over the last windows, whichever is more. */
export function heldBack(rows: MeterRows, row: number, report: number): number {
  const mean = rows.sums[row * SUMS + AVERAGE + THROTTLED_US] / 1e6;
  return Math.max(rows.seen[row] === report ? rows.gauges[row * GAUGES + THROTTLED] : 0, mean);
}
