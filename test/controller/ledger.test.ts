import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ledger } from "../../controller/ledger.js";
import { MeterBook } from "../../controller/meter-book.js";
import { AVERAGE, COST, COUNT, SERVICE, SUMS, WAIT } from "../../controller/meter-rows.js";
import { emptyRows, RESOURCE, type Report } from "../../proto/messages.js";

function newLedger(book = new MeterBook(100)): Ledger {
  return new Ledger("svc", book, () => {});
}

function reportOf(sequence: number, base: number, amounts: readonly number[], named = false): Report {
  const rows = emptyRows(0);
  let before = 0;
  amounts.forEach((amount, tenant) => {
    if (amount === 0) return;
    rows.tenant.push(rows.tenant.length === 0 ? tenant : tenant - before);
    before = tenant;
    rows.count.push(amount);
    rows.serviceUs.push(10 * amount);
    rows.waitUs.push(100 * amount);
    rows.waiting.push(amount % 5);
  });
  return {
    sequence,
    baseSequence: base,
    windowUs: 1_000_000,
    heldEpoch: 0,
    heldSequence: 0,
    tenants: named ? amounts.map((_, index) => ({ index, name: `t${index}` })) : [],
    meters: named ? [{ index: 0, name: "disk", kind: RESOURCE, unit: "us", slots: 0 }] : [],
    rows: [rows],
    feeds: [],
  };
}

const TENANTS = 4;

/** What an agent does, in words: sums since the acknowledged report; the newest report wins; Welcome settles what is unsure. */
class Sender {
  totals = new Array<number>(TENANTS).fill(0);
  /** Part of the totals that is settled, one way or the other. */
  settled = new Array<number>(TENANTS).fill(0);
  sequence = 0;
  acknowledged = 0;
  inFlight: { sequence: number; upTo: number[] } | undefined;
  fresh = true;
  /** Did it have to take something for lost that it could not know? */
  gaveUp = false;

  report(): Report {
    const upTo = [...this.totals];
    this.inFlight = { sequence: ++this.sequence, upTo };
    const report = reportOf(
      this.sequence,
      this.acknowledged,
      upTo.map((total, i) => total - this.settled[i]),
      this.fresh,
    );
    this.fresh = false;
    return report;
  }

  acknowledge(sequence: number): void {
    if (this.inFlight?.sequence !== sequence) return;
    this.settled = this.inFlight.upTo;
    this.acknowledged = sequence;
    this.inFlight = undefined;
  }

  welcome(applied: number): void {
    this.fresh = true;
    if (this.inFlight === undefined && applied === this.acknowledged) return;
    if (this.inFlight?.sequence === applied) this.acknowledge(applied);
    if (applied === this.acknowledged) return;
    this.gaveUp = true;
    if (this.inFlight !== undefined) this.settled = this.inFlight.upTo;
    this.inFlight = undefined;
    this.acknowledged = applied;
  }
}

function counted(ledger: Ledger): number[] {
  const sums = ledger.meters[0]?.rows.sums ?? new Float64Array(0);
  return Array.from({ length: TENANTS }, (_, i) => sums[i * SUMS + COUNT] ?? 0);
}

type Step =
  | { kind: "work"; tenant: number; amount: number }
  | { kind: "send" | "lose" | "loseAck" | "again" | "late" | "reconnect" };

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("work" as const), tenant: fc.nat(TENANTS - 1), amount: fc.nat(50) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          "send" as const,
          "lose" as const,
          "loseAck" as const,
          "again" as const,
          "late" as const,
          "reconnect" as const,
        ),
      }),
    },
  ),
  { maxLength: 60 },
);

describe("whatever the network does to reports", () => {
  test("nothing is counted twice, and once the dust settles everything is counted that was not given up", () => {
    fc.assert(
      fc.property(steps, (script: Step[]) => {
        const ledger = newLedger();
        const sender = new Sender();
        const wire: Report[] = [];
        const reconnect = () => {
          ledger.beginStream();
          wire.length = 0;
          sender.welcome(ledger.applied);
        };
        const deliver = (report: Report, acknowledged = true) => {
          const outcome = ledger.apply(report);
          if (outcome === "gap") {
            reconnect();
          } else if (acknowledged) sender.acknowledge(report.sequence);
        };
        reconnect();
        for (const step of script) {
          if (step.kind === "work") sender.totals[step.tenant] += step.amount;
          else if (step.kind === "reconnect") reconnect();
          else if (step.kind === "late" && wire.length > 0) deliver(wire[0]);
          else if (step.kind === "again" && wire.length > 0) deliver(wire.at(-1)!);
          else {
            const named = sender.fresh;
            const report = sender.report();
            // Names go with the first report of a stream; a lost one is said again.
            if (step.kind === "lose") sender.fresh = named;
            else {
              wire.push(report);
              deliver(report, step.kind !== "loseAck");
            }
          }
          const now = counted(ledger);
          for (let i = 0; i < TENANTS; i++) expect(now[i]).toBeLessThanOrEqual(sender.totals[i]);
        }
        for (let i = 0; i < 3; i++) deliver(sender.report());
        // An acknowledgement was lost, and a newer report went out in its place: only then something is given up.
        if (!sender.gaveUp) expect(counted(ledger)).toEqual(sender.totals);
      }),
      { numRuns: 500 },
    );
  });

  test("a restarted controller takes the first report of a boot it does not know as it is", () => {
    const ledger = newLedger();
    expect(ledger.apply(reportOf(41, 40, [1, 2, 0, 3], true))).toBe("applied");
    expect(counted(ledger)).toEqual([1, 2, 0, 3]);
    expect(ledger.apply(reportOf(42, 41, [1, 0, 0, 0]))).toBe("applied");
    expect(counted(ledger)).toEqual([2, 2, 0, 3]);
  });

  test("sums of many reports equal a naive sum, tenant by tenant", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(1_000), { minLength: TENANTS, maxLength: TENANTS }), { minLength: 1 }), (reports) => {
        const ledger = newLedger();
        reports.forEach((amounts, i) => {
          ledger.apply(reportOf(i + 1, i, amounts, i === 0));
        });
        const naive = Array.from({ length: TENANTS }, (_, i) => reports.reduce((sum, amounts) => sum + amounts[i], 0));
        const { sums } = ledger.meters[0]!.rows;
        for (let i = 0; i < TENANTS; i++) {
          if (i * SUMS >= sums.length) continue;
          expect(sums[i * SUMS + COUNT]).toBe(naive[i]);
          expect(sums[i * SUMS + COST]).toBe(10 * naive[i]);
          expect(sums[i * SUMS + SERVICE]).toBe(10 * naive[i]);
          expect(sums[i * SUMS + WAIT]).toBe(100 * naive[i]);
        }
      }),
    );
  });
});

describe("a report that breaks the contract changes nothing", () => {
  test.each([
    ["a tenant index without a name", (report: Report) => report.rows[0].tenant.splice(0, 1, 99)],
    ["a meter without a name", (report: Report) => (report.rows[0].meter = 7)],
    ["a feed of a meter without a name", (report: Report) => report.feeds.push({ point: "a/b", resource: 9 })],
  ])("%s", (_what, spoil) => {
    const ledger = newLedger();
    ledger.apply(reportOf(1, 0, [5, 5, 5, 5], true));
    const before = counted(ledger);
    const report = reportOf(2, 1, [1, 1, 1, 1]);
    spoil(report);
    expect(() => ledger.apply(report)).toThrow(expect.objectContaining({ code: "BAD_MESSAGE" }));
    expect(counted(ledger)).toEqual(before);
    expect(ledger.applied).toBe(1);
  });

  test("names of a refused report are not bound", () => {
    const ledger = newLedger();
    const bad = reportOf(1, 0, [1, 1, 1, 1], true);
    bad.rows.push(emptyRows(50));
    expect(() => ledger.apply(bad)).toThrow();
    expect(() => ledger.apply(reportOf(1, 0, [1, 1, 1, 1]))).toThrow(/no name/);
  });

  test("a new stream must bind again before it uses", () => {
    const ledger = newLedger();
    ledger.apply(reportOf(1, 0, [1, 1, 1, 1], true));
    ledger.beginStream();
    expect(() => ledger.apply(reportOf(2, 1, [1, 1, 1, 1]))).toThrow(/no name/);
    expect(ledger.apply(reportOf(2, 1, [1, 1, 1, 1], true))).toBe("applied");
    expect(counted(ledger)).toEqual([2, 2, 2, 2]);
  });
});

describe("averages", () => {
  test("a report that covers two windows weighs as two", () => {
    const single = newLedger();
    single.apply(reportOf(1, 0, [100, 0, 0, 0], true));
    single.settle(1e6);
    const double = newLedger();
    double.apply(reportOf(1, 0, [100, 0, 0, 0], true));
    double.settle(1e6);
    single.apply(reportOf(2, 1, [200, 0, 0, 0]));
    single.settle(1e6);
    single.apply(reportOf(3, 2, [200, 0, 0, 0]));
    single.settle(1e6);
    const merged = reportOf(2, 1, [400, 0, 0, 0]);
    merged.windowUs = 2_000_000;
    double.apply(merged);
    double.settle(1e6);
    const averageOf = (ledger: Ledger) => ledger.meters[0]!.rows.sums[AVERAGE + COUNT];
    expect(averageOf(double)).toBeCloseTo(averageOf(single), 9);
    expect(averageOf(single)).toBeCloseTo(175, 9);
  });

  test("a row that is mentioned no more fades and is emptied", () => {
    const ledger = newLedger();
    ledger.apply(reportOf(1, 0, [100, 100, 0, 0], true));
    ledger.settle(1e6);
    for (let i = 2; i < 20; i++) {
      ledger.apply(reportOf(i, i - 1, [100, 0, 0, 0]));
      ledger.settle(1e6);
    }
    const { sums, seen } = ledger.meters[0]!.rows;
    expect(sums[SUMS + AVERAGE + COUNT]).toBe(0);
    expect(seen[1]).toBe(0);
    expect(sums[AVERAGE + COUNT]).toBeCloseTo(100, 6);
  });

  test("an index given to another tenant takes nothing along", () => {
    const ledger = newLedger();
    ledger.apply(reportOf(1, 0, [100, 7, 0, 0], true));
    const next = reportOf(2, 1, [3, 0, 0, 0]);
    next.tenants = [{ index: 0, name: "another" }];
    ledger.apply(next);
    expect(counted(ledger)).toEqual([3, 7, 0, 0]);
  });
});
