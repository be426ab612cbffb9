/** The schedulers that keep virtual time: the papers' own schedules, strata, time's direction. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, type Scheduler, type SchedulerKind } from "../../enforcement/index.js";
import { spanOfStratum, stratumOf } from "../../enforcement/schedulers/strata.js";
import { vectors } from "../data.js";

const KINDS = ["wfq", "wf2q", "msf2q", "2dfq"] as const;
type VirtualKind = (typeof KINDS)[number];

/** Plays a scheduler with everybody backlogged: the names of what each slot runs, in order. */
function play(kind: SchedulerKind, tenants: Record<string, number>, slots: number, seconds: number): string[][] {
  const scheduler: Scheduler = createScheduler(kind, { slots, costUnitsPerSecPerSlot: 1, estimator: "known" });
  const order: string[][] = Array.from({ length: slots }, () => []);
  const counts: Record<string, number> = {};
  for (let i = 0; i < 40; i++) for (const [tenant, cost] of Object.entries(tenants)) scheduler.enqueue({ tenant, cost }, 0);
  const running: ({ job: Job; untilUs: number } | undefined)[] = new Array(slots).fill(undefined);
  for (let second = 0; second < seconds; second++) {
    const nowUs = second * 1e6;
    for (let slot = 0; slot < slots; slot++) {
      const busy = running[slot];
      if (busy === undefined || busy.untilUs > nowUs) continue;
      scheduler.complete(busy.job, busy.job.cost as number, nowUs);
      running[slot] = undefined;
    }
    for (let slot = 0; slot < slots; slot++) {
      if (running[slot] !== undefined) continue;
      const job = scheduler.dequeue(slot, nowUs) as Job;
      counts[job.tenant] = (counts[job.tenant] ?? 0) + 1;
      order[slot].push(`${job.tenant}${counts[job.tenant]}`);
      running[slot] = { job, untilUs: nowUs + (job.cost as number) * 1e6 };
    }
  }
  return order;
}

describe("figures 5 and 6 of the paper", () => {
  const paper = vectors<{
    tenants: Record<string, number>;
    threads: number;
    schedules: Record<string, { W0: string[]; W1: string[] }>;
  }>("2dfq_paper.json");

  test.skipIf(paper === undefined).each(["wfq", "wf2q", "2dfq"] as const)("%s: 2dfq_paper.json", (kind) => {
    const { tenants, threads, schedules } = paper!;
    const { W0, W1 } = schedules[kind];
    const [first, second] = play(kind, tenants, threads, 17);
    expect(first.slice(0, W0.length)).toEqual(W0);
    expect(second.slice(0, W1.length)).toEqual(W1);
  });

  test("drawn out", () => {
    const tenants = { A: 1, B: 1, C: 4, D: 4 };
    const drawn = (kind: SchedulerKind) =>
      play(kind, tenants, 2, 16).map((slot) =>
        slot
          .map((name) => name[0] + (name[0] > "B" ? "---" : ""))
          .join("")
          .slice(0, 16),
      );
    expect(drawn("wfq")).toEqual(["AAAAC---AAAAC---", "BBBBD---BBBBD---"]);
    expect(drawn("wf2q")).toEqual(["AC---AAAAC---AAA", "BD---BBBBD---BBB"]);
    expect(drawn("2dfq")).toEqual(["AC---D---C---D--", "BABABABABABABABA"]);
  });
});

test("a stratum's span is at least the span, and at most an eighth of an octave's step above it", () => {
  fc.assert(
    fc.property(fc.double({ min: 2 ** -19, max: 2 ** 42, noNaN: true }), (span) => {
      const rounded = spanOfStratum(stratumOf(span));
      expect(rounded).toBeGreaterThanOrEqual(span);
      expect(rounded).toBeLessThanOrEqual(span * 1.125);
      expect(stratumOf(rounded)).toBe(stratumOf(span));
    }),
    { numRuns: 2_000 },
  );
  for (const odd of [0, 2 ** -1074, 2 ** -25, 2 ** 60, Number.MAX_VALUE]) {
    expect(Number.isFinite(spanOfStratum(stratumOf(odd)))).toBe(true);
  }
});

test.each(KINDS)("%s: time that runs backwards is refused, and nothing has changed", (kind: VirtualKind) => {
  const scheduler = createScheduler(kind, { slots: 1 });
  const [one, two] = [{ tenant: "a" }, { tenant: "b" }];
  scheduler.enqueue(one, 10);
  expect(() => scheduler.enqueue(two, 9)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  expect(scheduler.queued).toBe(1);
  expect(() => scheduler.dequeue(0, 9)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  expect(scheduler.dequeue(0, 10)).toBe(one);
  expect(() => scheduler.complete(one, 1, 9)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  scheduler.complete(one, 1, 11);
  scheduler.enqueue(two, 11);
  expect(scheduler.dequeue(0, 11)).toBe(two);
});

test("an unpredictable tenant is kept away from the predictable by the pessimistic estimate, not by the mean", () => {
  const rounds = (estimator: "moving-average" | "pessimistic") => {
    const scheduler = createScheduler("2dfq", { slots: 1, costUnitsPerSecPerSlot: 1e6, estimator });
    let nowUs = 0;
    let calm = 0;
    let state = 7;
    const add = (tenant: string) => scheduler.enqueue({ tenant, api: "x" }, nowUs);
    for (const tenant of ["calm", "wild"]) for (let i = 0; i < 3; i++) add(tenant);
    let longest = 0;
    let since = 0;
    for (let i = 0; i < 4_000; i++) {
      const job = scheduler.dequeue(0, nowUs)!;
      state = (state * 48_271) % 2_147_483_647;
      const cost = job.tenant === "calm" ? 10 : state % 20 === 0 ? 4_000 : 10;
      nowUs += cost;
      scheduler.complete(job, cost, nowUs);
      add(job.tenant);
      if (job.tenant === "calm") {
        calm += cost;
        if (i > 500) longest = Math.max(longest, nowUs - since);
        since = nowUs;
      }
    }
    return { calm, longest };
  };
  expect(rounds("pessimistic").longest).toBeLessThanOrEqual(rounds("moving-average").longest);
});

describe("how fast a slot works may be unknown", () => {
  // Costs in ms: a slot works off a thousandth of one per µs. Whatever is believed before anything has completed, v must not run
  // ahead of the work done, or all who come later wait until those who were there have caught up with it.
  test.each(KINDS)("%s: who comes later has its turn all the same", (kind) => {
    const scheduler = createScheduler(kind, { slots: 1, initialCost: 5 });
    for (let i = 0; i < 100; i++) scheduler.enqueue({ tenant: "hog" }, 0);
    let nowUs = 0;
    const served = () => {
      const job = scheduler.dequeue(0, nowUs)!;
      nowUs += 5_000;
      scheduler.complete(job, 5, nowUs);
      return job.tenant;
    };
    served();
    scheduler.enqueue({ tenant: "late" }, nowUs);
    expect([served(), served(), served()]).toContain("late");
  });
});
