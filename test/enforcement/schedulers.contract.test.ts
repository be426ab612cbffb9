/** What every scheduler keeps, whatever its order. A new kind is tested by being in the list. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, SCHEDULER_KINDS, type SchedulerKind } from "../../enforcement/index.js";

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

  type Step = { what: "enqueue" | "dequeue" | "complete" | "charge" | "remove"; tenant: number; pick: number; cost: number };
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom("enqueue", "enqueue", "dequeue", "dequeue", "complete", "charge", "remove"),
    tenant: fc.nat(4),
    pick: fc.nat(1_000),
    cost: fc.double({ min: 0.001, max: 100, noNaN: true }),
  });

  test("whatever happens: no job is lost or doubled, tenants' own jobs keep their order, slots are never left idle while jobs wait", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 200 }),
        fc.constantFrom("known", "moving-average", "pessimistic", undefined),
        (steps, estimator) => {
          const scheduler = createScheduler<Job & { id: number }>(kind, {
            slots: 3,
            estimator,
            weightOf: (tenant) => 1 + Number(tenant),
          });
          const waiting: (Job & { id: number })[] = [];
          const running: { job: Job & { id: number }; cost: number }[] = [];
          let id = 0;
          for (const { what, tenant, pick, cost } of steps) {
            if (what === "enqueue") {
              const each = { tenant: String(tenant), api: `api${pick % 3}`, cost, id: id++ };
              waiting.push(each);
              scheduler.enqueue(each, id);
            } else if (what === "dequeue" && running.length < 3) {
              const out = scheduler.dequeue(running.length, id);
              expect(out === undefined).toBe(waiting.length === 0);
              if (out === undefined) continue;
              const first = waiting.find((each) => each.tenant === out.tenant);
              expect(out).toBe(first);
              waiting.splice(waiting.indexOf(out), 1);
              running.push({ job: out, cost: 0 });
            } else if (running.length > 0 && (what === "complete" || what === "charge")) {
              const at = pick % running.length;
              running[at].cost += cost;
              scheduler[what](running[at].job, running[at].cost, id);
              if (what === "complete") running.splice(at, 1);
            } else if (what === "remove" && waiting.length > 0) {
              const [out] = waiting.splice(pick % waiting.length, 1);
              expect(scheduler.remove(out)).toBe(true);
            }
            expect(scheduler.queued).toBe(waiting.length);
          }
          while (waiting.length > 0) {
            const out = scheduler.dequeue(0, id) as Job & { id: number };
            expect(waiting).toContain(out);
            waiting.splice(waiting.indexOf(out), 1);
          }
          expect(scheduler.dequeue(0, id)).toBeUndefined();
        },
      ),
    );
  });
});
