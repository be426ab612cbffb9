/**
 * Tenants with fewer jobs than their share of slots: fluid-rate.ts says why they are worth no more than they have. A flood that used
 * what they left is not punished for it when another begins, and they get no credit for it when they flood themselves.
 */
import { describe, expect, test } from "vitest";
import { createScheduler, type Job } from "../../enforcement/index.js";

const KINDS = ["wfq", "wf2q", "msf2q", "2dfq"] as const;
const SECOND = 1_000_000;
const SLOTS = 16;

/** Slots whose tenants send as many jobs as they are told to, of so many µs each, and another for each that is done. */
class Slots {
  readonly #scheduler;
  readonly #running: ({ job: Job; untilUs: number } | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #has = new Map<string, number>();
  readonly #wants = new Map<string, { jobs: number; costUs: number; thinkUs: number }>();
  readonly #thinking: { tenant: string; untilUs: number }[] = [];
  /** Slot time each has had, µs. */
  readonly served = new Map<string, number>();
  nowUs = 0;

  constructor(kind: (typeof KINDS)[number]) {
    this.#scheduler = createScheduler(kind, { slots: SLOTS, estimator: "known", costUnitsPerSecPerSlot: 1e6 });
  }

  keeps(tenant: string, jobs: number, costUs: number, thinkUs = 0): void {
    this.#wants.set(tenant, { jobs, costUs, thinkUs });
    this.#fill();
  }

  /** Slots each of these had on average in the next `us`. */
  shares(us: number, ...tenants: string[]): number[] {
    const before = tenants.map((tenant) => this.served.get(tenant) ?? 0);
    const endUs = this.nowUs + us;
    for (;;) {
      const nextUs = Math.min(...[...this.#running, ...this.#thinking].map((each) => each?.untilUs ?? Number.POSITIVE_INFINITY));
      const stepUs = Math.min(nextUs, endUs) - this.nowUs;
      for (const each of this.#running) {
        if (each !== undefined) this.served.set(each.job.tenant, (this.served.get(each.job.tenant) ?? 0) + stepUs);
      }
      this.nowUs += stepUs;
      if (this.nowUs === endUs && nextUs > endUs) break;
      this.#running.forEach((each, slot) => {
        if (each === undefined || each.untilUs > this.nowUs) return;
        this.#scheduler.complete(each.job, each.job.cost as number, this.nowUs);
        this.#thinking.push({ tenant: each.job.tenant, untilUs: this.nowUs + (this.#wants.get(each.job.tenant)?.thinkUs ?? 0) });
        this.#running[slot] = undefined;
      });
      for (let i = this.#thinking.length - 1; i >= 0; i--) {
        const { tenant, untilUs } = this.#thinking[i];
        if (untilUs > this.nowUs) continue;
        this.#thinking.splice(i, 1);
        this.#has.set(tenant, (this.#has.get(tenant) as number) - 1);
      }
      this.#fill();
    }
    return tenants.map((tenant, i) => ((this.served.get(tenant) ?? 0) - before[i]) / us);
  }

  #fill(): void {
    for (const [tenant, { jobs, costUs }] of this.#wants) {
      for (let has = this.#has.get(tenant) ?? 0; has < jobs; has++) {
        this.#scheduler.enqueue({ tenant, cost: costUs }, this.nowUs);
        this.#has.set(tenant, has + 1);
      }
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#running[slot] !== undefined) continue;
      const job = this.#scheduler.dequeue(slot, this.nowUs);
      if (job !== undefined) this.#running[slot] = { job, untilUs: this.nowUs + (job.cost as number) };
    }
  }
}

describe.each(KINDS)("%s", (kind) => {
  test.each([
    ["one has long jobs", 1, 97_000, 0, 101_000],
    ["one has jobs that mostly wait", 1, 1_000, 0, 101_000],
    ["a dozen have", 12, 1_000, 0, 101_000],
    ["the flood's are short", 1, 97_000, 0, 5_001],
    ["as many as there are slots, who think", 15, 97_000, 19_000, 53_000],
  ])("who used what others left is served as before when another flood begins: %s", (_, few, costUs, thinkUs, floodUs) => {
    const slots = new Slots(kind);
    for (let i = 0; i < few; i++) slots.keeps(`few${i}`, 1, costUs + 100 * i, thinkUs);
    slots.keeps("old", 100, floodUs);
    slots.shares(30 * SECOND);
    slots.keeps("new", 100, floodUs);
    const [old, fresh] = slots.shares(SECOND, "old", "new");
    expect(Math.abs(old - fresh)).toBeLessThan(2.5);
    const [oldLater, freshLater] = slots.shares(5 * SECOND, "old", "new");
    expect(Math.abs(oldLater - freshLater)).toBeLessThan(0.5);
  });

  test("who always had two jobs and then floods has saved nothing", () => {
    const slots = new Slots(kind);
    slots.keeps("late", 2, 10_000);
    slots.keeps("old", 100, 10_000);
    const [late] = slots.shares(30 * SECOND, "late");
    expect(late).toBeGreaterThan(1.5);
    slots.keeps("late", 100, 10_000);
    const [old, flood] = slots.shares(SECOND, "old", "late");
    expect(Math.abs(old - flood)).toBeLessThan(1);
  });
});
