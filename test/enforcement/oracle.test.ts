/**
 * A million random operations against the dumb twins: the picks are the same. Costs, weights and times are such that tags
 * are exact in binary, so that twins agree to the last bit. What fails is shrunk and printed as a list of numbers that `play`
 * takes; OPERATIONS=10000000 in the environment asks for more.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SCHEDULER_KINDS, type SchedulerKind } from "../../enforcement/index.js";
import { Known } from "../../enforcement/schedulers/estimators.js";
import { createTicketScheduler } from "../../enforcement/schedulers/index.js";
import { Ticket } from "../../enforcement/schedulers/ticket.js";
import { type NaiveJob, NaiveScheduler } from "./naive.js";

const OPERATIONS = Number(process.env.OPERATIONS ?? 1_000_000);
const LONGEST = 2_000;
const TENANTS = 8;
const MOST_SLOTS = 6;

interface Played {
  ticket: Ticket;
  twin: NaiveJob;
  slot: number;
  cost: number;
}

/** Plays operations, each a 32-bit number, on a scheduler and its twin. @returns picks compared, and times when all was idle */
function play(kind: SchedulerKind, codes: ArrayLike<number>): { picks: number; idle: number } {
  const weights = new Float64Array(TENANTS).fill(1);
  let slots = 3;
  const scheduler = createTicketScheduler(kind, {
    slots,
    weightOf: (tenant) => weights[tenant],
    nameOf: String,
    estimator: new Known(),
    costUnitsPerSecPerSlot: 1e6,
  });
  const naive = new NaiveScheduler(kind, slots, (tenant) => weights[tenant]);
  const waiting: Played[] = [];
  const running: Played[] = [];
  const bySlot = new Set<number>();
  let nowUs = 0;
  let picks = 0;
  let idle = 0;
  const begin = (played: Played, slot: number) => {
    waiting.splice(waiting.indexOf(played), 1);
    running.push(played);
    played.slot = slot;
    bySlot.add(slot);
  };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    const tenant = (code >>> 4) % TENANTS;
    const pick = (code >>> 7) & 0xff;
    const cost = 2 ** ((code >>> 15) % 13);
    if ((code & 0x80000) !== 0) nowUs += ((code >>> 20) & 7) * 64;
    // Arrivals for a while, then none for as long, so that queues grow long and busy periods end.
    const arrivals = (i >> 8) % 2 === 0;
    const drawn = (code >>> 24) % 32;
    const what = drawn < 10 && !arrivals ? 22 : drawn;
    const free = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => !bySlot.has(slot));
    const slot = free[pick % Math.max(1, free.length)];
    if (what < 10) {
      const played = { ticket: new Ticket(tenant, undefined, cost), twin: { tenant, cost }, slot: -1, cost: 0 };
      waiting.push(played);
      if (waiting.length === 1 && slot !== undefined && (pick & 1) === 1) {
        expect(scheduler.startNow(played.ticket, slot, nowUs)).toBe(true);
        naive.enqueue(played.twin, nowUs);
        naive.dequeue(slot, nowUs);
        begin(played, slot);
      } else {
        scheduler.enqueue(played.ticket, nowUs);
        naive.enqueue(played.twin, nowUs);
      }
    } else if (what < 19) {
      if (slot === undefined) continue;
      const ticket = scheduler.dequeue(slot, nowUs);
      const twin = naive.dequeue(slot, nowUs);
      const ours = waiting.find((each) => each.ticket === ticket);
      if (ours?.twin !== twin)
        throw new Error(`operation ${i}: ours is of tenant ${ticket?.tenant}, the twin's of ${twin?.tenant}`);
      if (ours !== undefined) begin(ours, slot);
      picks += 1;
    } else if (what < 28 && running.length > 0) {
      const at = pick % running.length;
      const played = running[at];
      // Less than declared, as much, or more; in steps that double.
      played.cost = Math.max(played.cost, cost);
      if (what < 22) {
        scheduler.charge(played.ticket, played.cost, nowUs);
        naive.charge(played.twin, played.cost, nowUs);
      } else {
        scheduler.complete(played.ticket, played.cost, nowUs);
        naive.complete(played.twin, played.cost, nowUs);
        running.splice(at, 1);
        bySlot.delete(played.slot);
      }
    } else if (what === 28 && waiting.length > 0) {
      const [{ ticket, twin }] = waiting.splice(pick % waiting.length, 1);
      const atUs = (pick & 1) === 1 ? nowUs : undefined;
      expect(scheduler.remove(ticket, atUs)).toBe(true);
      naive.remove(twin, atUs);
    } else if (what === 29) {
      weights[tenant] = 2 ** ((pick % 8) - 6);
    } else if (what === 30) {
      slots = 1 + (pick % MOST_SLOTS);
      scheduler.resize(slots);
      naive.resize(slots);
    } else if (what === 31 && [...waiting, ...running].every(({ twin }) => twin.tenant !== tenant)) {
      scheduler.forget(tenant);
      naive.forget(tenant);
    }
    if (waiting.length + running.length === 0) idle += 1;
    if (scheduler.queued !== waiting.length) throw new Error(`operation ${i}: ${scheduler.queued} queued, not ${waiting.length}`);
  }
  return { picks, idle };
}

test.each(SCHEDULER_KINDS)("%s picks as its twin does, whatever happens", { timeout: 600_000 }, (kind) => {
  let operations = 0;
  let compared = 0;
  let idled = 0;
  const codes = fc.uint32Array({ maxLength: LONGEST, size: "max" });
  fc.assert(
    fc.property(codes, (each) => {
      operations += each.length;
      const { picks, idle } = play(kind, each);
      compared += picks;
      idled += idle;
    }),
    { numRuns: Math.ceil((2.5 * OPERATIONS) / SCHEDULER_KINDS.length / LONGEST) },
  );
  expect(compared).toBeGreaterThan(operations / 10);
  expect(idled).toBeGreaterThan(operations / 2_000);
});
