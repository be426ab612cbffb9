/**
 * Tells the controller what was used here, so that nothing is counted twice and what cannot be known is under-counted.
 *
 * Stop and wait: at most one report is unacknowledged. A report says what happened since its base, the report the other side
 * last acknowledged, so while one is on its way the next waits, grows, and then covers everything in one message: when we are
 * behind, the newest wins and nothing queues up. An acknowledgement commits exactly what that report said (meter-rows.ts).
 *
 * After a lost connection we cannot know whether the report on its way arrived. Welcome says what was applied last:
 *
 *   applied = on its way       it arrived, only its acknowledgement was lost: commit it
 *   applied = acknowledged     it did not: forget it, its sums go with the next report
 *   anything else              the other side knows nothing of us, or we nothing of it: count it as told, go on from `applied`
 *
 * In the last case a report may be lost, and is never doubled.
 */
import { type MeterName, type Name, RESOURCE, type Report, type Welcome } from "../../proto/messages.js";
import type { Feeds } from "../meters/feeds.js";
import type { Meter } from "../meters/meter.js";
import { commitRows, drawRows } from "../meters/meter-rows.js";
import type { TenantTable } from "../tenant-table.js";

/** A meter, and for resources what was learned of the points that lead there. */
export interface Reported {
  readonly meter: Meter;
  readonly feeds: Feeds | undefined;
}

export interface ReporterOptions {
  meters: readonly Reported[];
  tenants: TenantTable;
  nowUs(): number;
}

interface InFlight {
  readonly report: Report;
  readonly drawnUs: number;
  /** By meter: how many of its feeds this report completes. */
  readonly feedsTold: readonly number[];
  /** Windows that passed without an acknowledgement. */
  windows: number;
}

const LONGEST_WINDOW_US = 600_000_000;

export class Reporter {
  /** The last report drawn, and the last one known to be applied. */
  sequence = 0;
  acknowledged = 0;
  /** Reports drawn, and acknowledged, in all. */
  sent = 0;
  confirmed = 0;
  readonly #options: ReporterOptions;
  #inFlight: InFlight | undefined;
  #baseUs: number;
  #maxTenants = 0;
  #maxMeters = 0;
  // What the other side of this stream has acknowledged to know.
  #boundTenants: (string | undefined)[] = [];
  #boundMeters = 0;
  #feedsTold: number[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#baseUs = options.nowUs();
  }

  /** Is a report on its way? */
  get waits(): boolean {
    return this.#inFlight !== undefined;
  }

  /** A stream begins. */
  onWelcome(welcome: Welcome): void {
    const { appliedSequence } = welcome;
    if (this.#inFlight !== undefined && appliedSequence !== this.acknowledged) this.#commit(this.#inFlight);
    this.#inFlight = undefined;
    this.acknowledged = appliedSequence;
    this.sequence = Math.max(this.sequence, appliedSequence);
    this.#maxTenants = welcome.maxTenants;
    this.#maxMeters = welcome.maxMeters;
    this.#boundTenants = [];
    this.#boundMeters = 0;
    this.#feedsTold = [];
  }

  /** Any but that of the report on its way is late or repeated, and says nothing new. @returns did it? */
  onAcknowledgement(sequence: number): boolean {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || sequence !== inFlight.report.sequence) return false;
    this.#inFlight = undefined;
    this.acknowledged = sequence;
    this.confirmed += 1;
    this.#commit(inFlight);
    for (const { index, name } of inFlight.report.tenants) this.#boundTenants[index] = name;
    this.#boundMeters += inFlight.report.meters.length;
    this.#feedsTold = [...inFlight.feedsTold];
    return true;
  }

  /** A window has passed with a report still on its way. @returns for how many windows in a row */
  missed(): number {
    if (this.#inFlight === undefined) return 0;
    this.#inFlight.windows += 1;
    return this.#inFlight.windows;
  }

  /** The next report, now on its way. Not while another is. `held`: the allocation in force. */
  draw(held: { epoch: number; sequence: number }): Report {
    const nowUs = this.#options.nowUs();
    const meters = this.#options.meters.slice(0, this.#maxMeters);
    const report: Report = {
      sequence: this.sequence + 1,
      baseSequence: this.acknowledged,
      windowUs: Math.min(LONGEST_WINDOW_US, Math.max(1, nowUs - this.#baseUs)),
      heldEpoch: held.epoch,
      heldSequence: held.sequence,
      tenants: [],
      meters: [],
      rows: [],
      feeds: [],
    };
    const feedsTold: number[] = [];
    for (const { meter, feeds } of meters) {
      if (meter.index >= this.#boundMeters) report.meters.push(nameOfMeter(meter));
      const rows = drawRows(meter, nowUs, this.#maxTenants);
      if (rows !== undefined) {
        report.rows.push(rows);
        this.#bindTenants(rows.tenant, report.tenants);
      }
      const points = feeds?.points ?? [];
      for (let i = this.#feedsTold[meter.index] ?? 0; i < points.length; i++) {
        report.feeds.push({ point: points[i], resource: meter.index });
      }
      feedsTold.push(points.length);
    }
    this.sequence += 1;
    this.sent += 1;
    this.#inFlight = { report, drawnUs: nowUs, feedsTold, windows: 0 };
    return report;
  }

  #commit({ report, drawnUs }: InFlight): void {
    for (const rows of report.rows) commitRows(this.#options.meters[rows.meter].meter, rows);
    this.#baseUs = drawnUs;
  }

  /** Names the tenants of these rows that the other side does not know, or knows by an earlier name, once per report. */
  #bindTenants(steps: readonly number[], names: Name[]): void {
    const fresh = this.#fresh;
    if (names.length === 0) fresh.clear();
    let index = 0;
    for (const step of steps) {
      index += step;
      const name = this.#options.tenants.nameOf(index);
      if (this.#boundTenants[index] === name || fresh.has(index)) continue;
      fresh.add(index);
      names.push({ index, name });
    }
  }
  readonly #fresh = new Set<number>();
}

function nameOfMeter({ index, name, kind, unit, slots }: Meter): MeterName {
  return { index, name, kind: kind === RESOURCE ? RESOURCE : kind, unit, slots };
}
