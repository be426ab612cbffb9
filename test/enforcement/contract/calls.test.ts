/** What every scheduler answers, call by call, whatever its order. A new kind is tested by being in the list. */
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, SCHEDULER_KINDS, type SchedulerKind } from "../../../enforcement/index.js";

const badJob = expect.objectContaining({ name: "TenantryError", code: "BAD_JOB" });
const badArgument = expect.objectContaining({ name: "TenantryError", code: "BAD_ARGUMENT" });

const job = (tenant: string, cost = 1): Job => ({ tenant, cost });

test("a kind there is not is refused, with what there is", () => {
  const make = (kind: string) => () => createScheduler(kind as SchedulerKind, { slots: 1 });
  for (const kind of ["lottery", "", "FIFO", "toString"]) expect(make(kind)).toThrow(badArgument);
  expect(make("lottery")).toThrow('there is no scheduler "lottery"; choose one of "fifo", "round-robin", "drr", "wfq", "sfq"');
});

describe.each(SCHEDULER_KINDS)("%s", (kind) => {
  const make = (slots = 2) => createScheduler(kind, { slots });

  test("gives back what it was given, once, and then nothing", () => {
    const scheduler = make();
    expect(scheduler.dequeue(0, 0)).toBeUndefined();
    const jobs = [job("a"), job("b"), job("a")];
    for (const each of jobs) scheduler.enqueue(each, 0);
    expect(scheduler.queued).toBe(3);
    const out = [0, 1, 0].map((slot) => scheduler.dequeue(slot, 1) as Job);
    expect(new Set(out)).toEqual(new Set(jobs));
    expect([scheduler.queued, scheduler.dequeue(1, 2)]).toEqual([0, undefined]);
  });

  test("a job enqueued twice is BAD_JOB, and it is still there once", () => {
    const scheduler = make();
    const one = job("a");
    scheduler.enqueue(one, 0);
    expect(() => scheduler.enqueue(one, 0)).toThrow(badJob);
    expect([scheduler.queued, scheduler.dequeue(0, 0)]).toEqual([1, one]);
    expect(() => scheduler.enqueue(one, 0)).toThrow(badJob);
    expect([scheduler.queued, scheduler.dequeue(0, 0)]).toEqual([0, undefined]);
    scheduler.complete(one, 1, 1);
    scheduler.enqueue(one, 2); // a new life is fine
    expect(scheduler.dequeue(0, 2)).toBe(one);
  });

  test("completed twice, or without dequeue, is BAD_JOB", () => {
    const scheduler = make();
    const one = job("a");
    expect(() => scheduler.complete(one, 1, 0)).toThrow(badJob);
    scheduler.enqueue(one, 0);
    expect(() => scheduler.complete(one, 1, 0)).toThrow(badJob);
    expect(() => scheduler.charge(one, 1, 0)).toThrow(badJob);
    expect([scheduler.queued, scheduler.dequeue(0, 0)]).toEqual([1, one]);
    scheduler.complete(one, 1, 0);
    expect(() => scheduler.complete(one, 1, 0)).toThrow(badJob);
    expect(() => scheduler.charge(one, 1, 0)).toThrow(badJob);
  });

  test("charged backwards is BAD_JOB; nonsense is BAD_ARGUMENT; the job goes on", () => {
    const scheduler = make();
    const one = job("a");
    scheduler.enqueue(one, 0);
    scheduler.dequeue(0, 0);
    scheduler.charge(one, 5, 1);
    expect(() => scheduler.charge(one, 4, 2)).toThrow(badJob);
    expect(() => scheduler.complete(one, 4, 2)).toThrow(badJob);
    for (const cost of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => scheduler.charge(one, cost, 2)).toThrow(badArgument);
      expect(() => scheduler.complete(one, cost, 2)).toThrow(badArgument);
      expect(() => scheduler.enqueue({ tenant: "b", cost }, 2)).toThrow(badArgument);
    }
    scheduler.charge(one, 5, 2);
    scheduler.complete(one, 7, 3);
    expect(scheduler.queued).toBe(0);
  });

  test("a weight, a slot, an option out of range is BAD_ARGUMENT, and nothing is changed", () => {
    let weight = 0;
    const scheduler = createScheduler(kind, { slots: 2, weightOf: () => weight });
    for (weight of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => scheduler.enqueue(job("a"), 0)).toThrow(badArgument);
    expect(scheduler.queued).toBe(0);
    for (const slot of [-1, 2, 0.5, Number.NaN]) expect(() => scheduler.dequeue(slot, 0)).toThrow(badArgument);
    for (const slots of [0, -1, 1.5, Number.NaN]) expect(() => createScheduler(kind, { slots })).toThrow(badArgument);
    expect(() => createScheduler(kind, { slots: 1, estimator: "guess" as "known" })).toThrow(badArgument);
  });

  test("remove takes out what waits, and only that", () => {
    const scheduler = make();
    const [one, two, three] = [job("a"), job("a"), job("b")];
    for (const each of [one, two, three]) scheduler.enqueue(each, 0);
    expect([scheduler.remove(two), scheduler.remove(two), scheduler.queued]).toEqual([true, false, 2]);
    const first = scheduler.dequeue(0, 0) as Job;
    expect(scheduler.remove(first)).toBe(false);
    expect(new Set([first, scheduler.dequeue(1, 0)])).toEqual(new Set([one, three]));
    scheduler.enqueue(two, 1);
    expect(scheduler.dequeue(0, 1)).toBe(two);
  });

  test("jobs may be frozen: nothing is written on them", () => {
    const scheduler = make();
    const one = Object.freeze(job("a"));
    scheduler.enqueue(one, 0);
    expect(scheduler.dequeue(0, 0)).toBe(one);
    scheduler.complete(one, 3, 1);
  });
});
