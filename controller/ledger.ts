/**
 * What one boot of one instance has reported: idempotent, so that lost, repeated and late reports do no harm.
 *
 * A report carries sums since its base, the report the sender last knew to be applied. It is applied only if that is what was
 * applied last here; then nothing can be counted twice. One that was applied before is acknowledged again and changes nothing.
 * Of a boot unknown here (the controller is new, or forgot it) the first report is taken as it is: what was lost before stays
 * lost, which errs on the side of under-counting.
 *
 * Names come in once per stream and are bound to small indices; what is checked before anything is touched is that every
 * index used is bound.
 */
import { TenantryError } from "../proto/errors.js";
import { RESOURCE, type Report } from "../proto/messages.js";
import type { LogicalMeter, MeterBook } from "./meter-book.js";
import { MeterRows } from "./meter-rows.js";

/** What became of a report. "gap": it does not follow what was applied before; nothing was changed. */
export type Applied = "applied" | "duplicate" | "gap";

export interface LedgerMeter {
  readonly meter: LogicalMeter;
  readonly rows: MeterRows;
  /** Of this instance's resource; 0: not told. */
  readonly slots: number;
}

export class Ledger {
  readonly service: string;
  /** Sequence of the report applied last; 0: none. */
  applied = 0;
  /** Reports applied here. */
  reports = 0;
  /** Time covered by what was summed since `settled`, µs. */
  coveredUs = 0;
  /** Has `settle` put a first figure into the averages? */
  #settled = false;
  /** By meter index of the stream; null: bound, but beyond the bound on meters. */
  readonly meters: (LedgerMeter | null | undefined)[] = [];
  /** By tenant index of the stream. Seats are resolved when a tick needs them; −1: not yet. */
  readonly names: (string | undefined)[] = [];
  seats = new Int32Array(16).fill(-1);
  #bound = new Uint8Array(16);
  readonly #book: MeterBook;
  readonly #onDropped: (rows: number) => void;

  constructor(service: string, book: MeterBook, onDropped: (rows: number) => void) {
    this.service = service;
    this.#book = book;
    this.#onDropped = onDropped;
  }

  /**
   * Applies a report (its own bounds checked before) or says why not.
   *
   * @throws TenantryError BAD_MESSAGE when it uses an index that was never bound; nothing was changed then
   */
  apply(report: Report): Applied {
    if (this.applied > 0 && report.sequence <= this.applied) return "duplicate";
    if (this.applied > 0 && report.baseSequence !== this.applied) return "gap";
    this.#check(report);
    this.#bind(report);
    this.reports++;
    for (const rows of report.rows) {
      const entry = this.meters[rows.meter];
      if (entry) entry.rows.add(rows, this.reports, this.names.length, entry.meter.unit === "us");
      else this.#onDropped(rows.tenant.length);
    }
    for (const feed of report.feeds) {
      const entry = this.meters[feed.resource];
      if (entry && entry.meter.kind === RESOURCE) this.#book.feed(entry.meter, feed.point);
    }
    this.applied = report.sequence;
    this.coveredUs += report.windowUs;
    return "applied";
  }

  /** A new stream begins: what it does not bind again may not be used, what it binds again to the same name goes on. */
  beginStream(): void {
    this.#bound.fill(0);
  }

  /**
   * Moves what was summed into the averages.
   *
   * @param halfLifeUs after which what was measured counts half, µs
   * @returns whether anything had been reported since the last call
   */
  settle(halfLifeUs: number): boolean {
    if (this.coveredUs === 0) return false;
    // By `exp`, which every version of the engine rounds alike; `**` it does not.
    const keep = this.#settled ? Math.exp((-Math.LN2 * this.coveredUs) / halfLifeUs) : 0;
    for (const entry of this.meters) entry?.rows.settle(keep, this.coveredUs, this.reports);
    this.#settled = true;
    this.coveredUs = 0;
    return true;
  }

  /** Gives the meters back; the ledger is not used afterwards. */
  close(): void {
    for (const entry of this.meters) if (entry) this.#book.release(entry.meter);
    this.meters.length = 0;
  }

  /** Forgets the seats marked 1: their tenants are looked up again when they are next of use. */
  forgetSeats(gone: Uint8Array): void {
    for (let i = 0; i < this.names.length; i++) {
      if (this.seats[i] >= 0 && gone[this.seats[i]] === 1) this.seats[i] = -1;
    }
  }

  #check(report: Report): void {
    let most = this.#bound.length;
    for (const { index } of report.tenants) most = Math.max(most, index + 1);
    if (most > this.#bound.length) this.#grow(most);
    // Names of this report count as bound while it is checked; those that were not are unmarked again if it is refused.
    const fresh: number[] = [];
    for (const { index } of report.tenants) {
      if (this.#bound[index] === 1) continue;
      this.#bound[index] = 1;
      fresh.push(index);
    }
    const fault = this.#fault(report);
    if (fault === undefined) return;
    for (const index of fresh) this.#bound[index] = 0;
    throw new TenantryError(
      "BAD_MESSAGE",
      `report ${report.sequence}: ${fault}; names are bound once per stream, before they are used`,
    );
  }

  #fault(report: Report): string | undefined {
    const bound = this.#bound;
    const fresh = new Set(report.meters.map((meter) => meter.index));
    for (const { meter, tenant } of report.rows) {
      if (this.meters[meter] === undefined && !fresh.has(meter)) return `rows of meter ${meter}, which has no name`;
      let index = 0;
      let all = 1;
      for (let i = 0; i < tenant.length; i++) {
        index += tenant[i];
        all &= bound[index];
      }
      // Beyond the end `bound` is undefined, which & makes 0.
      if (all === 0) return `rows of meter ${meter} use a tenant index that has no name`;
    }
    for (const { resource } of report.feeds) {
      if (this.meters[resource] === undefined && !fresh.has(resource)) return `a feed of meter ${resource}, which has no name`;
    }
    return undefined;
  }

  #bind(report: Report): void {
    for (const { index, name } of report.tenants) {
      if (this.names[index] === name) continue;
      if (this.names[index] !== undefined) {
        this.seats[index] = -1;
        for (const entry of this.meters) entry?.rows.clear(index);
      }
      // Holes would make the list slow: fill them.
      while (this.names.length < index) this.names.push(undefined);
      this.names[index] = name;
    }
    for (const { index, name, kind, unit, slots } of report.meters) {
      const before = this.meters[index];
      if (before && before.meter.kind === kind && before.meter.name === `${this.service}/${name}`) continue;
      if (before) this.#book.release(before.meter);
      while (this.meters.length < index) this.meters.push(undefined);
      const meter = this.#book.acquire(kind, this.service, name, unit);
      this.meters[index] = meter === undefined ? null : { meter, rows: new MeterRows(kind), slots };
    }
  }

  #grow(capacity: number): void {
    const size = Math.max(capacity, 2 * this.#bound.length);
    const bound = new Uint8Array(size);
    bound.set(this.#bound);
    this.#bound = bound;
    const seats = new Int32Array(size).fill(-1);
    seats.set(this.seats);
    this.seats = seats;
  }
}
