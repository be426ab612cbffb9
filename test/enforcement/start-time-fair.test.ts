import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, type SchedulerOptions } from "../../enforcement/index.js";

/** Runs backlogged tenants on slots of speed 1 until `untilUs`; what each tenant got. `costs`: one job's cost, by tenant. */
function share(
  options: Partial<SchedulerOptions>,
  costs: Record<string, number>,
  untilUs: number,
  joins: Record<string, number> = {},
) {
  const slots = options.slots ?? 1;
  const scheduler = createScheduler("sfq", { slots, ...options });
  const got: Record<string, number> = Object.fromEntries(Object.keys(costs).map((tenant) => [tenant, 0]));
  const running: { job: Job; endUs: number }[] = [];
  const backlog = (tenant: string, nowUs: number) => scheduler.enqueue({ tenant, api: "x", cost: costs[tenant] }, nowUs);
  const joined = new Set<string>();
  let nowUs = 0;
  while (nowUs < untilUs) {
    for (const tenant of Object.keys(costs)) {
      if (joined.has(tenant) || (joins[tenant] ?? 0) > nowUs) continue;
      joined.add(tenant);
      for (let i = 0; i < 2 * slots; i++) backlog(tenant, nowUs);
    }
    while (running.length < slots) {
      const job = scheduler.dequeue(running.length, nowUs) as Job;
      running.push({ job, endUs: nowUs + costs[job.tenant] });
      backlog(job.tenant, nowUs);
    }
    running.sort((a, b) => a.endUs - b.endUs);
    const { job, endUs } = running.shift() as { job: Job; endUs: number };
    nowUs = endUs;
    scheduler.complete(job, costs[job.tenant], nowUs);
    got[job.tenant] += costs[job.tenant];
  }
  return got;
}

describe("start-time fair queuing", () => {
  test("equal shares of cost, not of jobs", () => {
    const { small, large } = share({}, { small: 10, large: 1_000 }, 200_000);
    expect(Math.abs(small - large)).toBeLessThanOrEqual(1_010);
  });

  test("shares in proportion to weight", () => {
    const { gold, iron } = share({ weightOf: (tenant) => (tenant === "gold" ? 3 : 1) }, { gold: 7, iron: 11 }, 100_000);
    expect(gold / iron).toBeGreaterThan(2.98);
    expect(gold / iron).toBeLessThan(3.02);
  });

  test("unknown costs: learned, and settled when known", () => {
    const { small, large } = share({ estimator: "moving-average", slots: 4 }, { small: 10, large: 1_000 }, 400_000);
    expect(Math.abs(small - large) / (small + large)).toBeLessThan(0.03);
  });

  test("a late joiner has no claim on the past: it does not start at virtual time 0", () => {
    const got = share({}, { early: 10, late: 10 }, 110_000, { late: 100_000 });
    // Equal from when it came, instead of everything until it had caught up.
    expect(got.late).toBeGreaterThan(4_900);
    expect(got.late).toBeLessThan(5_100);
  });

  test("who was away and comes back has no claim either", () => {
    const scheduler = createScheduler("sfq", { slots: 1 });
    const run = (tenant: string) => scheduler.enqueue({ tenant, cost: 1 }, 0);
    run("a");
    const away = scheduler.dequeue(0, 0) as Job;
    for (let i = 0; i < 1_000; i++) run("b");
    for (let i = 0; i < 900; i++) scheduler.complete(scheduler.dequeue(0, 0) as Job, 1, 0);
    scheduler.complete(away, 1, 0);
    for (let i = 0; i < 100; i++) run("a");
    const next = Array.from({ length: 20 }, () => (scheduler.dequeue(0, 0) as Job).tenant);
    // Half of them, give or take the one that a tie decides.
    expect(Math.abs(next.filter((tenant) => tenant === "a").length - 10)).toBeLessThanOrEqual(1);
  });

  test("what was used while all else was idle is nobody's debt", () => {
    const scheduler = createScheduler("sfq", { slots: 1 });
    scheduler.enqueue({ tenant: "a", cost: 1e9 }, 0);
    scheduler.complete(scheduler.dequeue(0, 0) as Job, 1e9, 1e9);
    for (let i = 0; i < 10; i++) for (const tenant of ["a", "b"]) scheduler.enqueue({ tenant, cost: 1 }, 1e9);
    const next = Array.from({ length: 10 }, () => (scheduler.dequeue(0, 1e9) as Job).tenant);
    expect(next.filter((tenant) => tenant === "a")).toHaveLength(5);
  });

  test("an estimate that was far too high is given back", () => {
    const scheduler = createScheduler("sfq", { slots: 2 });
    scheduler.enqueue({ tenant: "a", cost: 1_000 }, 0);
    const over = scheduler.dequeue(0, 0) as Job;
    for (let i = 0; i < 20; i++) for (const tenant of ["a", "b"]) scheduler.enqueue({ tenant, cost: 1 }, 0);
    expect((scheduler.dequeue(1, 0) as Job).tenant).toBe("b");
    scheduler.complete(over, 1, 1);
    const next = Array.from({ length: 10 }, () => (scheduler.dequeue(0, 1) as Job).tenant);
    expect(next.filter((tenant) => tenant === "a").length).toBeGreaterThanOrEqual(5);
  });

  test("a long job is charged while it runs, not only when it is done", () => {
    const scheduler = createScheduler("sfq", { slots: 2, estimator: "moving-average" });
    for (let i = 0; i < 20; i++) for (const tenant of ["a", "b"]) scheduler.enqueue({ tenant }, 0);
    const long = scheduler.dequeue(0, 0) as Job;
    scheduler.charge(long, 10, 10);
    const other = long.tenant === "a" ? "b" : "a";
    for (let i = 0; i < 8; i++) {
      const job = scheduler.dequeue(1, 11) as Job;
      expect(job.tenant).toBe(other);
      scheduler.complete(job, 1, 11);
    }
  });

  test("property: two backlogged tenants never differ by more than their largest jobs [Goyal 1996, theorem 1]", () => {
    const cost = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(
        fc.array(cost, { minLength: 1, maxLength: 8 }),
        fc.array(cost, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (mine, yours, weight) => {
          const scheduler = createScheduler("sfq", { slots: 1, weightOf: (tenant) => (tenant === "me" ? weight : 1) });
          const costs: Record<string, number[]> = { me: mine, you: yours };
          const next: Record<string, number> = { me: 0, you: 0 };
          const got: Record<string, number> = { me: 0, you: 0 };
          const backlog = (tenant: string) =>
            scheduler.enqueue({ tenant, cost: costs[tenant][next[tenant]++ % costs[tenant].length] }, 0);
          for (const tenant of ["me", "you", "me", "you"]) backlog(tenant);
          for (let i = 0; i < 300; i++) {
            const job = scheduler.dequeue(0, 0) as Required<Job>;
            got[job.tenant] += job.cost;
            backlog(job.tenant);
            scheduler.complete(job, job.cost, 0);
            const apart = Math.abs(got.me / weight - got.you);
            expect(apart).toBeLessThanOrEqual(Math.max(...mine) / weight + Math.max(...yours) + 1e-9);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
