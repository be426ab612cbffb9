/**
 * What every scheduler keeps, of whatever kind, whatever happens: slots are never idle while jobs wait, a tenant's own jobs keep
 * their order, none is lost or doubled, whoever cancels leaves no trace, and slots may come and go. A new kind is tested by
 * being in the list.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, SCHEDULER_KINDS } from "../../../enforcement/index.js";
import { Pool, type PoolOptions } from "./pool.js";

const ESTIMATORS = ["known", "moving-average", "pessimistic", undefined] as const;

/** Any of what may happen; small numbers are simple, so that a case that fails shrinks to the simplest. */
const step = fc.record({
  what: fc.constantFrom("arrive", "arrive", "arrive", "pass", "pass", "charge", "abort", "cancel", "resize"),
  tenant: fc.nat(4),
  cost: fc.integer({ min: 1, max: 200 }),
  pick: fc.nat(20),
});
const steps = fc.array(step, { maxLength: 150 });
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function play(kind: (typeof SCHEDULER_KINDS)[number], steps: Step[], options: PoolOptions): Pool {
  const pool = new Pool(kind, options);
  for (const { what, tenant, cost, pick } of steps) {
    // What a job declares is right, half, or nothing.
    const declared = [cost, Math.max(1, cost >> 1), undefined][pick % 3];
    if (what === "arrive") pool.arrive(`t${tenant}`, cost, declared, pick % 4 === 0 ? undefined : `api${pick % 4}`);
    else if (what === "pass") pool.advance(cost);
    else if (what === "charge") pool.charge(pick);
    else if (what === "abort") pool.abort(pick);
    else if (what === "cancel") pool.cancel(pick);
    else pool.resize(1 + (pick % 5));
  }
  return pool;
}

describe.each(SCHEDULER_KINDS)("%s", (kind) => {
  test("whatever happens, it keeps what all must keep; and when nothing more comes, all is served", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(...ESTIMATORS), (steps, estimator) => {
        const pool = play(kind, steps, { slots: 3, estimator, weights: [1, 2, 0.5, 1, 4] });
        pool.advance(150 * 200);
        pool.expect(pool.waiting + pool.busy === 0, () => `${pool.waiting} wait and ${pool.busy} run for ever`);
      }),
      { numRuns: 150 },
    );
  });

  test("a job that comes and goes again before anybody is chosen leaves no trace", () => {
    const visit = fc.record({ at: fc.nat(30), tenant: fc.nat(4), cost: fc.integer({ min: 1, max: 200 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), fc.array(visit, { maxLength: 5 }), (steps, visits) => {
        const order = (visited: boolean) => {
          const scheduler = createScheduler<Job>(kind, { slots: 2, estimator: "known", costUnitsPerSecPerSlot: 1e6 });
          // Ties go to who was seen first, which a visit must not change.
          for (let tenant = 0; tenant < 5; tenant++) {
            const known = { tenant: `t${tenant}` };
            scheduler.enqueue(known, 0);
            scheduler.remove(known);
          }
          const out: (number | undefined)[] = [];
          const jobs: Job[] = [];
          let held: Job | undefined;
          steps.forEach(({ tenant, cost, pick }, i) => {
            // A power of two each, so that weights and tags are exact and who comes and goes is not seen in the last digit.
            jobs.push({ tenant: `t${tenant}`, cost: 2 ** (pick % 8) });
            scheduler.enqueue(jobs[i], i);
            for (const visit of visits) {
              if (!visited || visit.at !== i) continue;
              const guest = { tenant: `t${visit.tenant}`, cost: visit.cost };
              scheduler.enqueue(guest, i);
              expect(scheduler.remove(guest)).toBe(true);
            }
            if (cost % 2 === 0) return;
            const next = scheduler.dequeue(i % 2, i);
            out.push(next && jobs.indexOf(next));
            if (held !== undefined) scheduler.complete(held, held.cost!, i);
            held = next ?? held;
            if (next === undefined) held = undefined;
          });
          return out;
        };
        expect(order(true)).toEqual(order(false));
      }),
      { numRuns: 100 },
    );
  });

  test("costs as far apart as may be: nobody is left waiting for ever", () => {
    const scheduler = createScheduler<Job>(kind, {
      slots: 2,
      estimator: "known",
      weightOf: (tenant) => (tenant === "t0" ? 1e-9 : 1e9),
    });
    let nowUs = 0;
    for (let i = 0; i < 200; i++) {
      const jobs = [0, 1].map((t) => ({ tenant: `t${t}`, cost: i % 2 === t ? 1e15 : Number.MIN_VALUE }));
      for (const job of jobs) scheduler.enqueue(job, nowUs);
      const out = jobs.map((_, slot) => scheduler.dequeue(slot, nowUs));
      expect(new Set(out)).toEqual(new Set(jobs));
      nowUs += 1;
      for (const job of jobs) scheduler.complete(job, job.cost === 1e15 ? 0 : 1e15, nowUs);
    }
  });

  test("slots that come and go cost nobody its place: tags are what they were", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }), (counts) => {
        const order = (resized: boolean) => {
          const scheduler = createScheduler<Job & { name: number }>(kind, {
            slots: 2,
            estimator: "known",
            costUnitsPerSecPerSlot: 1e6,
          });
          const jobs = Array.from({ length: 24 }, (_, name) => ({ tenant: `t${name % 3}`, cost: 2 ** (name % 5), name }));
          for (const job of jobs) scheduler.enqueue(job, 0);
          return jobs.map((_, i) => {
            if (resized) {
              for (const slots of counts) scheduler.resize(slots);
              scheduler.resize(2);
            }
            const next = scheduler.dequeue(i % 2, i)!;
            scheduler.complete(next, next.cost!, i);
            return next.name;
          });
        };
        expect(order(true)).toEqual(order(false));
      }),
      { numRuns: 20 },
    );
  });
});

describe("a case that fails", () => {
  /** Serves a tenant's newest job first, once there are three: a mistake that the suite must find, and show. */
  const faulty: typeof createScheduler = (kind, options) => {
    const scheduler = createScheduler(kind, options);
    const waiting: Job[] = [];
    return {
      ...scheduler,
      get queued() {
        return waiting.length;
      },
      get tenants() {
        return scheduler.tenants;
      },
      enqueue: (job) => void waiting.push(job),
      dequeue: () => (waiting.length >= 3 ? waiting.pop() : waiting.shift()) as never,
      charge() {},
      complete() {},
      remove: (job) => waiting.splice(waiting.indexOf(job), 1).length > 0,
      resize() {},
    };
  };

  test("is shrunk and printed as a program that shows it again", () => {
    let shown = "";
    try {
      fc.assert(
        fc.property(steps, (steps) => void play("fifo", steps, { slots: 1, make: faulty })),
        { seed: 1 },
      );
    } catch (error) {
      shown = String((error as Error).cause ?? error);
    }
    const [why, program] = shown.split('import { createScheduler } from "tenantry/core";\n');
    expect(why).toMatch(/job\d+ of the same tenant came before/);
    expect(program.trim().split("\n").length).toBeLessThan(16);
    // The program as printed, run: its last line names who came out, against the order of its tenant.
    const lines = program.split("\n").filter((line) => line !== "" && !line.includes("Hint"));
    const last = lines.findLastIndex((line) => line.startsWith("scheduler.dequeue"));
    const [call, claimed] = lines[last].split("; // ");
    const body = [...lines.slice(0, last), `return ${call} === ${claimed};`].join("\n");
    expect(new Function("createScheduler", body)(faulty)).toBe(true);
  });
});
