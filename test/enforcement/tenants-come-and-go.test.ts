/** A million tenants come, go and come back: what schedulers keep of them is bounded, counted in rows. */
import { expect, test } from "vitest";
import { createScheduler, type Job, SCHEDULER_KINDS } from "../../enforcement/index.js";
import { Known } from "../../enforcement/schedulers/estimators.js";
import { createTicketScheduler } from "../../enforcement/schedulers/index.js";
import { JobTenants } from "../../enforcement/schedulers/job-tenants.js";
import { Ticket } from "../../enforcement/schedulers/ticket.js";

const MILLION = 1_000_000;
const KEPT = 10_000;

test("a million names one after the other take ten thousand rows, and who came back in time has kept its own", () => {
  let forgotten = 0;
  const tenants = new JobTenants(() => forgotten++);
  const regular = tenants.join("regular");
  tenants.leave(regular);
  let highest = 0;
  for (let i = 0; i < MILLION; i++) {
    const tenant = tenants.join(`t${i}`);
    highest = Math.max(highest, tenant.index);
    tenants.leave(tenant);
    if (i % 5_000 === 0) {
      expect(tenants.join("regular")).toBe(regular);
      tenants.leave(regular);
    }
  }
  expect([tenants.size, highest]).toEqual([KEPT, KEPT - 1]);
  expect(forgotten).toBe(MILLION + 1 - KEPT);
  expect(tenants.join("regular").index).toBe(regular.index);
});

test.each(SCHEDULER_KINDS)("%s: 20,000 tenants, eight at a time, twice over", (kind) => {
  const scheduler = createScheduler(kind, { slots: 4, costUnitsPerSecPerSlot: 1e6 });
  const waiting: Job[] = [];
  let nowUs = 0;
  let most = 0;
  for (let i = 0; i < 40_000; i++) {
    const job = { tenant: `t${i % 20_000}`, api: `api${i % 100}` };
    scheduler.enqueue(job, nowUs);
    waiting.push(job);
    if (waiting.length < 8) continue;
    if (i % 3 === 0) scheduler.remove(waiting.pop() as Job);
    const running = [0, 1, 2, 3].map((slot) => scheduler.dequeue(slot, nowUs) as Job);
    nowUs += 10;
    for (const each of running) {
      scheduler.complete(each, 10, nowUs);
      waiting.splice(waiting.indexOf(each), 1);
    }
    most = Math.max(most, scheduler.tenants);
  }
  expect(most).toBeLessThanOrEqual(KEPT + 8);
});

test("those who have jobs are never forgotten, however many they are", () => {
  const scheduler = createScheduler("2dfq", { slots: 1, estimator: "known" });
  const jobs = Array.from({ length: 3 * KEPT }, (_, i) => ({ tenant: `t${i}`, cost: 1 }));
  for (const job of jobs) scheduler.enqueue(job, 0);
  expect(scheduler.tenants).toBe(3 * KEPT);
  for (let i = 0; i < jobs.length; i++) scheduler.complete(scheduler.dequeue(0, i) as Job, 1, i);
  // They are all idle now; the next that come take their rows.
  for (let i = 0; i < 3 * KEPT; i++) {
    scheduler.enqueue({ tenant: `u${i}`, cost: 1 }, jobs.length);
    scheduler.complete(scheduler.dequeue(0, jobs.length) as Job, 1, jobs.length);
  }
  expect(scheduler.tenants).toBe(3 * KEPT);
});

test.each(SCHEDULER_KINDS)("%s: an index that becomes another's does not bring its debt along", (kind) => {
  const order = (forget: boolean) => {
    const scheduler = createTicketScheduler(kind, {
      slots: 2,
      weightOf: () => 1,
      nameOf: String,
      estimator: new Known(),
      costUnitsPerSecPerSlot: 1e6,
    });
    const job = (tenant: number, cost = 10) => new Ticket(tenant, "x", cost);
    scheduler.enqueue(job(0), 0);
    scheduler.dequeue(0, 0);
    scheduler.enqueue(job(1, 1_000), 0);
    scheduler.complete(scheduler.dequeue(1, 0) as Ticket, 1_000, 5);
    if (forget) scheduler.forget(1);
    for (const tenant of [0, 0, 0, 1, 1]) scheduler.enqueue(job(tenant), 5);
    return [1, 2, 3, 4, 5].map(() => (scheduler.dequeue(1, 5) as Ticket).tenant);
  };
  expect(order(true).indexOf(1)).toBeLessThanOrEqual(["fifo", "drr"].includes(kind) ? 3 : 1);
  // Round robin knows no debt, and deficit round robin none of who is not in the round.
  if (!["fifo", "round-robin", "drr"].includes(kind)) expect(order(false).slice(0, 3)).toEqual([0, 0, 0]);
});
