/**
 * What credit at re-activation comes to when virtual time is exact: virtual-time.ts says why there is none by default.
 */
import { expect, test } from "vitest";
import { Known } from "../../enforcement/schedulers/estimators.js";
import { Ticket } from "../../enforcement/schedulers/ticket.js";
import { TwoDimensionalFair } from "../../enforcement/schedulers/two-dimensional.js";

const MS = 1_000;
const MINUTE = 60_000 * MS;
const JOB_US = 10 * MS;
const BACKLOGGED = [0, 1, 2, 3];
const THINKER = 4;

class Watched extends TwoDimensionalFair {
  /** How far those that always wait are behind v, in jobs. */
  get behind(): number {
    const sum = BACKLOGGED.reduce((sum, tenant) => sum + this.virtualTime - this.startTag(tenant), 0);
    return sum / BACKLOGGED.length / JOB_US;
  }
}

/** One slot, four tenants that always wait, a fifth that thinks between its jobs. @returns how long it waits on average, at last */
function play(creditJobs: number, thinkUs: number): { waitMs: number; behind: number } {
  const scheduler = new Watched({
    creditJobs,
    slots: 1,
    weightOf: () => 1,
    nameOf: String,
    estimator: new Known(),
    costUnitsPerSecPerSlot: 1e6,
  });
  const waits: number[] = [];
  const enqueue = (tenant: number, nowUs: number) => scheduler.enqueue(new Ticket(tenant, undefined, JOB_US), nowUs);
  for (const tenant of [...BACKLOGGED, ...BACKLOGGED]) enqueue(tenant, 0);
  let arrivesUs = 0;
  let sinceUs = 0;
  for (let nowUs = 0; nowUs < 20 * MINUTE; nowUs += JOB_US) {
    const job = scheduler.dequeue(0, nowUs)!;
    if (job.tenant === THINKER) waits.push(nowUs - sinceUs);
    const endUs = nowUs + JOB_US;
    if (arrivesUs < endUs) {
      enqueue(THINKER, arrivesUs);
      sinceUs = arrivesUs;
      arrivesUs = Number.POSITIVE_INFINITY;
    }
    scheduler.complete(job, JOB_US, endUs);
    if (job.tenant === THINKER) arrivesUs = endUs + thinkUs;
    else enqueue(job.tenant, endUs);
  }
  const last = waits.slice(-waits.length >> 2);
  return { waitMs: last.reduce((sum, wait) => sum + wait, 0) / last.length / MS, behind: scheduler.behind };
}

test.each([15, 60])(
  "thinking for %i ms: without credit it waits for its share; with, v outruns the others by just as much, and it waits a full round",
  (thinkMs) => {
    const none = play(0, thinkMs * MS);
    expect(none.waitMs).toBeLessThanOrEqual(25);
    expect(Math.abs(none.behind)).toBeLessThan(1);
    for (const credit of [1, 4, 16, 64]) {
      const some = play(credit, thinkMs * MS);
      expect(some.waitMs).toBeGreaterThan(39);
      expect(Math.abs(some.behind - credit)).toBeLessThan(1);
    }
  },
);
