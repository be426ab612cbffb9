/**
 * Turns what instances reported into what policies see.
 *
 * Averages. Loads, throughputs, counts and waits are averaged exponentially over what each instance reports, with a half-life
 * of half a window: x ← x·2^(−c/h) + (1 − 2^(−c/h))·sum/c, c being the time a report covers. So a late or merged report
 * weighs as much as its time, and a rate that follows from use does not jump with the luck of one window; yet three quarters
 * of a change show at once and 98 % after three windows. Rates follow from averages, so each half-life delays the loop: with
 * one window it takes half as long again to come to rest, with two more than twice as long, at hardly less noise; no value
 * tried made it swing. Slowdown is averaged likewise, but as a factor: near saturation it moves by factors, and one wild window
 * must not weigh like many. An instance that is silent holds its last figures until it is dead.
 *
 * Memory. Policies have none, and some must know who left its share unused for long: `average` is each tenant's load averaged
 * with a half-life of a minute of windows. A controller that takes over begins it anew.
 *
 * Demand. What a tenant would use if nothing held it back: its use, times how much more it asks for than it gets at the throttles
 * that lead here:
 *
 *   demand(r,w) = load(r,w) · max(1, 1 + throttled(p,w)/throughput(p,w)  for p feeding r),   but what a cap in force lets through at the most
 *
 * What waits in a queue is no demand: in a queue that a flood has filled everybody waits long, and who takes that
 * for demand cuts the flood far below its share (measured: to a quarter of it), from where it has to grow back. Those it kept
 * waiting use more in the next window, and are seen to. For a tenant that got nothing through, the load its waiting requests
 * will bring is judged by what everybody's requests cost.
 */
import { type Group, type Inflow, inflowsOf, type Point, type Tenant, type Terms, type View } from "../policies/index.js";
import { POINT, RESOURCE } from "../proto/messages.js";
import { PointFigures, ResourceFigures } from "./figures.js";
import type { Ledger } from "./ledger.js";
import type { LimitTable } from "./limit-table.js";
import type { LogicalMeter, MeterBook } from "./meter-book.js";
import { OVERFLOW_SEAT, type TenantSeats } from "./tenant-seats.js";

/** One live instance. */
export interface Source {
  readonly instance: string;
  readonly ledger: Ledger;
}

export interface ViewBuilderOptions {
  windowUs: number;
  halfLifeUs: number;
  /** Half-life of what is remembered of each tenant's use, µs. */
  memoryUs: number;
  seats: TenantSeats;
  meters: MeterBook;
  /** Weight of the tenant at a seat. */
  weightOf(seat: number): number;
  /** What else is agreed with it. */
  termsOf(seat: number): Terms | undefined;
  /** The groups there are, and the one it belongs to, by its index. */
  groups: readonly Group[];
  groupOf(seat: number): number | undefined;
}

export class ViewBuilder {
  readonly #options: ViewBuilderOptions;
  readonly #figures = new Map<LogicalMeter, ResourceFigures | PointFigures>();
  /** Seat → index in the view, and back. */
  viewOf = new Int32Array(0);
  seatOf = new Int32Array(0);
  resources: ResourceFigures[] = [];
  points: PointFigures[] = [];
  /** By index of the meter: that of the resource in the view; −1: it is none. */
  resourceAt = new Int32Array(0);
  #tenants: Tenant[] = [];
  /** Who sat where when this was last looked at. */
  readonly #sitters: (string | undefined)[] = [];
  #seatsVersion = -1;
  #metersVersion = -1;
  #builtUs = -1;
  view: View;

  constructor(options: ViewBuilderOptions) {
    this.#options = options;
    this.view = { windowUs: options.windowUs, tenants: [], resources: [], points: [] };
  }

  /**
   * Builds the view of this moment.
   *
   * @param sources live instances
   * @param inForce rates in force, for `point.rate(tenant)`
   * @param tick    number of this tick; tenants of use are touched with it
   */
  build(sources: readonly Source[], inForce: LimitTable, tick: number, nowUs: number): View {
    const { windowUs, halfLifeUs } = this.#options;
    let news = false;
    for (const source of sources) {
      if (source.ledger.settle(halfLifeUs)) news = true;
      this.#seat(source.ledger, tick);
    }
    this.#layOut();
    const tenants = this.#tenants;
    for (const [index, figures] of this.resources.entries()) figures.begin(index, tenants.length);
    for (const [index, figures] of this.points.entries()) figures.begin(index, tenants.length, this.resources.length);
    for (const { instance, ledger } of sources) {
      const mapping = { seats: ledger.seats, viewOf: this.viewOf };
      for (const entry of ledger.meters) {
        if (!entry) continue;
        const figures = this.#figures.get(entry.meter);
        if (figures instanceof ResourceFigures) figures.add(entry, ledger.reports, mapping, instance);
        else figures?.add(entry.rows, ledger.reports, mapping);
      }
    }
    const sinceUs = this.#builtUs < 0 ? Number.POSITIVE_INFINITY : nowUs - this.#builtUs;
    // Nothing new was heard: the slowdown stays as it is.
    // By `exp`, not `**`: engines round the latter differently from version to version, and the same seed must give the same run.
    const keep = news ? Math.exp((-Math.LN2 * sinceUs) / halfLifeUs) : 1;
    if (news) this.#builtUs = nowUs;
    const remembered = news ? Math.exp((-Math.LN2 * sinceUs) / this.#options.memoryUs) : 1;
    for (const figures of this.resources) {
      figures.end(keep);
      figures.remember(this.seatOf, remembered);
    }
    for (const figures of this.points) {
      figures.end(windowUs);
      this.#fillRates(figures, inForce);
    }
    this.#fillFeeds();
    this.#fillDemands();
    for (const figures of this.resources) figures.writeLatencies();
    this.view = {
      windowUs,
      tenants,
      resources: this.resources.map((figures) => figures.resource),
      points: this.points.map((figures) => figures.point),
      ...(this.#options.groups.length > 0 && { groups: this.#options.groups }),
    };
    return this.view;
  }

  /** Index in the view of the tenant at a seat; −1: not in it. */
  indexOf(seat: number): number {
    return seat < this.viewOf.length ? this.viewOf[seat] : -1;
  }

  /** Gives a seat to every tenant with a row that is not empty, and notes that it was of use. */
  #seat(ledger: Ledger, tick: number): void {
    const { seats } = this.#options;
    const used = new Uint8Array(ledger.names.length);
    for (const entry of ledger.meters) {
      if (!entry) continue;
      const { seen, length } = entry.rows;
      for (let i = 0; i < length; i++) if (seen[i] !== 0) used[i] = 1;
    }
    for (let i = 0; i < used.length; i++) {
      if (used[i] === 0) continue;
      if (ledger.seats[i] < 0) ledger.seats[i] = seats.seat(ledger.names[i]!);
      seats.touch(ledger.seats[i], tick);
    }
  }

  /** Who and what is in the view, when that has changed. */
  #layOut(): void {
    const { seats, meters, weightOf, termsOf, groupOf } = this.#options;
    if (this.#seatsVersion !== seats.version) {
      this.#seatsVersion = seats.version;
      this.viewOf = new Int32Array(seats.capacity).fill(-1);
      this.seatOf = new Int32Array(seats.size);
      this.#tenants = [];
      for (let seat = 0; seat < seats.capacity; seat++) {
        const id = seats.name(seat);
        if (id !== this.#sitters[seat]) {
          this.#sitters[seat] = id;
          for (const figures of this.#figures.values()) if (figures instanceof ResourceFigures) figures.forget(seat);
        }
        if (id === undefined || (seat === OVERFLOW_SEAT && !seats.used(seat))) continue;
        const index = this.#tenants.length;
        this.viewOf[seat] = index;
        this.seatOf[index] = seat;
        this.#tenants.push(this.#tenantAt(index, id, seat));
      }
    } else {
      for (let index = 0; index < this.#tenants.length; index++) {
        const { id, weight, terms, group } = this.#tenants[index];
        const seat = this.seatOf[index];
        if (weight !== weightOf(seat) || terms !== termsOf(seat) || group !== groupOf(seat)) {
          this.#tenants[index] = this.#tenantAt(index, id, seat);
        }
      }
    }
    if (this.#metersVersion === meters.version) return;
    this.#metersVersion = meters.version;
    const resources = meters.list(RESOURCE);
    const points = meters.list(POINT);
    const wanted = new Set([...resources, ...points]);
    for (const meter of this.#figures.keys()) if (!wanted.has(meter)) this.#figures.delete(meter);
    const figuresOf = (meter: LogicalMeter) => {
      let figures = this.#figures.get(meter);
      if (figures === undefined) {
        figures = meter.kind === RESOURCE ? new ResourceFigures(meter) : new PointFigures(meter);
        this.#figures.set(meter, figures);
      }
      return figures;
    };
    this.resourceAt = new Int32Array(meters.capacity).fill(-1);
    for (const [index, meter] of resources.entries()) this.resourceAt[meter.index] = index;
    this.resources = resources.map((meter) => figuresOf(meter) as ResourceFigures);
    this.points = points.map((meter) => figuresOf(meter) as PointFigures);
  }

  #fillRates({ meter, point }: PointFigures, inForce: LimitTable): void {
    const columns = inForce.at(meter.index);
    if (columns === undefined || columns.count === 0) {
      point.rates.fill(Number.NaN);
      return;
    }
    const { policies, resources } = columns;
    const { seatOf, resourceAt } = this;
    const { rates, reasons } = point;
    for (let v = 0; v < rates.length; v++) {
      const seat = seatOf[v];
      rates[v] = seat < columns.rates.length ? columns.rates[seat] : Number.NaN;
      if (Number.isNaN(rates[v])) continue;
      if (policies[seat] < 0) reasons[v] = this.#resourceNamed(inForce.get(meter.index, seat)!.note);
      else if (resources[seat] >= 0) reasons[v] = resourceAt[resources[seat]];
    }
  }

  /** Of a reason as an agent told it, "policy|resource": the resource's index in the view; −1: none that is known now. */
  #resourceNamed(note: string): number {
    const meter = this.#options.meters.find(RESOURCE, note.slice(note.indexOf("|") + 1));
    return meter === undefined ? -1 : this.resourceAt[meter.index];
  }

  #fillFeeds(): void {
    const byName = new Map(this.points.map(({ point }) => [point.name, point]));
    for (const { meter, resource } of this.resources) {
      for (const feeder of meter.feeders) {
        const point = byName.get(feeder);
        if (point !== undefined) point.fed[resource.index] = 1;
      }
    }
  }

  /** What comes to all resources, and what is asked of them; the same points are looked at once for all they lead to. */
  #fillDemands(): void {
    const asks = new Map<string, Asks>();
    for (const figures of this.resources) {
      const { index } = figures.resource;
      const feeders = this.points.filter(({ point }) => point.fed[index] === 1);
      const key = feeders.map(({ point }) => point.index).join();
      if (!asks.has(key)) asks.set(key, this.#asksAt(feeders));
      this.#fillDemandsAt(figures, asks.get(key)!);
      figures.resource.inflows = asks.get(key)!.inflows;
    }
  }

  #fillDemandsAt({ resource, waitings: queued, countsPerSec }: ResourceFigures, { more, unseen }: Asks): void {
    const windowSec = this.#options.windowUs / 1e6;
    const { loads, demands } = resource;
    let operations = 0;
    for (let v = 0; v < loads.length; v++) operations += countsPerSec[v];
    const total = resource.totalLoad();
    const loadPerOperation = operations > 0 ? total / operations : 0;
    for (let v = 0; v < loads.length; v++) {
      demands[v] = loads[v] > 0 ? loads[v] * (1 + more[v]) : (queued[v] * loadPerOperation) / windowSec;
    }
    for (const { point, tenant, ratePerSec } of unseen) {
      const loadPerCost = point.totalThroughput > 0 ? total / point.totalThroughput : 0;
      demands[tenant] = Math.max(demands[tenant], loads[tenant] + ratePerSec * loadPerCost);
    }
  }

  /** How much more than what gets through at these points is asked for there. */
  #asksAt(feeders: readonly PointFigures[]): Asks {
    const windowSec = this.#options.windowUs / 1e6;
    const more = new Float64Array(this.#tenants.length);
    const unseen: Asks["unseen"] = [];
    for (const { point, pendingPerSec, pendingTenants, pendingCount } of feeders) {
      const { throughputs, waitings, rates, reasons } = point;
      for (let i = 0; i < pendingCount; i++) {
        const v = pendingTenants[i];
        // However much waits behind a cap, no more than the cap can come: room that is kept for the rest would be nobody's.
        const free = reasons[v] < 0 && rates[v] >= 0 ? Math.max(rates[v] - throughputs[v], 0) : Number.POSITIVE_INFINITY;
        // Its own requests are the better witness: if they get through and put no load here, those that wait will put none.
        if (throughputs[v] > 0) more[v] = Math.max(more[v], Math.min(waitings[v] / windowSec, free) / throughputs[v]);
        else unseen.push({ point, tenant: v, ratePerSec: Math.min(pendingPerSec[v], free) });
      }
    }
    return { more, unseen, inflows: inflowsOf(feeders.map(({ point }) => point)) };
  }

  #tenantAt(index: number, id: string, seat: number): Tenant {
    const { weightOf, termsOf, groupOf } = this.#options;
    const [terms, group] = [termsOf(seat), groupOf(seat)];
    return { index, id, weight: weightOf(seat), ...(terms && { terms }), ...(group !== undefined && { group }) };
  }
}

/** What gets through at all points that feed a resource, and what is asked for beyond that. */
interface Asks {
  readonly inflows: ReadonlyMap<string, Inflow>;
  /** By tenant, where some of its requests get through: how many times as much, at the point where that is most. */
  readonly more: Float64Array;
  /** Where none does: cost units per second that would. */
  readonly unseen: { readonly point: Point; readonly tenant: number; readonly ratePerSec: number }[];
}
