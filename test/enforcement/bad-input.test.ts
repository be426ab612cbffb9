/**
 * Whatever is wrong with a call: a coded error that names the job, and a scheduler that is exactly as it was. Two schedulers
 * are given the same; one of them is given nonsense besides, and must answer as the other does ever after.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createScheduler,
  type Job,
  SCHEDULER_KINDS,
  type Scheduler,
  type SchedulerKind,
  type SchedulerOptions,
} from "../../enforcement/index.js";
import { TenantryError } from "../../proto/errors.js";

const NO_COST = [Number.NaN, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e16, "5", null] as number[];
const NO_TIME = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, undefined, "9e9"] as number[];
const ESTIMATORS = ["known", "moving-average", "pessimistic", undefined] as const;

interface Held {
  job: Job;
  cost: number;
  slot: number;
}

/** A call that must throw, and what it must say. */
interface Mistake {
  says: RegExp;
  code: "BAD_JOB" | "BAD_ARGUMENT";
  call(): void;
}

function complains({ says, code, call }: Mistake): void {
  try {
    call();
  } catch (error) {
    if (error instanceof TenantryError && error.code === code && says.test(error.message)) return;
    throw error;
  }
  throw new Error(`expected ${code} ${says}, and nothing was thrown`);
}

/** One of the two, with what it holds. */
class Player {
  readonly scheduler: Scheduler;
  readonly waiting: Held[] = [];
  readonly running: Held[] = [];
  weight = 1;
  slots = 3;
  nowUs = 0;

  constructor(kind: SchedulerKind, estimator: SchedulerOptions["estimator"]) {
    const weightOf = () => this.weight;
    this.scheduler = createScheduler(kind, { slots: this.slots, estimator, weightOf, costUnitsPerSecPerSlot: 1e6 });
    this.scheduler.dequeue(0, this.nowUs);
  }

  /** Something valid. @returns what came of it */
  act(code: number): unknown {
    const pick = (code >>> 8) & 0xff;
    const cost = 1 + ((code >>> 16) & 0xff);
    const beforeUs = this.nowUs;
    this.nowUs += (code >>> 24) & 0x3f;
    this.weight = 1 + (pick & 3);
    const what = code & 15;
    if (what < 6) {
      const job: Job = { tenant: `tenant ${(code >>> 4) & 7}`, api: `api ${pick % 3}`, ...(pick % 5 > 0 && { cost }) };
      this.waiting.push({ job, cost: 0, slot: -1 });
      return this.scheduler.enqueue(job, this.nowUs);
    }
    const slot = Array.from({ length: this.slots }, (_, i) => i).find((i) => this.running.every((each) => each.slot !== i));
    if (what < 10 && slot !== undefined) {
      const job = this.scheduler.dequeue(slot, this.nowUs);
      const at = this.waiting.findIndex((each) => each.job === job);
      if (at >= 0) this.running.push({ ...this.waiting.splice(at, 1)[0], slot });
      return at;
    }
    const held = this.running[pick % Math.max(1, this.running.length)];
    if (held !== undefined && what < 14) {
      held.cost += cost;
      if (what === 10) return this.scheduler.charge(held.job, held.cost, this.nowUs);
      this.running.splice(this.running.indexOf(held), 1);
      return this.scheduler.complete(held.job, held.cost, this.nowUs);
    }
    // What follows does not tell the time.
    this.nowUs = beforeUs;
    if (what === 14 && this.waiting.length > 0) {
      const [{ job }] = this.waiting.splice(pick % this.waiting.length, 1);
      return this.scheduler.remove(job);
    }
    if (what === 15 && pick < 32) {
      this.slots = 1 + (pick % 5);
      return this.scheduler.resize(this.slots);
    }
    return undefined;
  }

  /** Something wrong, perhaps at a time that has not come. */
  nonsense(code: number): Mistake | undefined {
    const { scheduler } = this;
    const pick = (code >>> 8) & 0xff;
    const thenUs = this.nowUs + ((code >>> 16) & 0xff);
    const beforeUs = [this.nowUs - 1 - (pick % 9), ...NO_TIME][pick % (NO_TIME.length + 1)];
    const none = NO_COST[pick % NO_COST.length];
    const waiting = this.waiting[pick % Math.max(1, this.waiting.length)]?.job;
    const running = this.running[pick % Math.max(1, this.running.length)];
    const stranger = { tenant: "stranger", cost: 1 };
    const job = (says: RegExp, call: () => void) => ({ says, code: "BAD_JOB" as const, call });
    const argument = (says: RegExp, call: () => void) => ({ says, code: "BAD_ARGUMENT" as const, call });
    const named = (held: Job) => new RegExp(`"${held.tenant}"`);
    switch (code & 15) {
      case 0:
        return waiting && job(named(waiting), () => scheduler.enqueue(waiting, thenUs));
      case 1:
        return running && job(named(running.job), () => scheduler.enqueue(running.job, thenUs));
      case 2:
        return argument(/"x"/, () => scheduler.enqueue({ tenant: "x", cost: pick % 2 === 0 ? none : 0 }, thenUs));
      case 3:
        return argument(/tenant|job/, () => scheduler.enqueue([{}, null, 7, { tenant: 5 }, undefined][pick % 5] as Job, thenUs));
      case 4:
        return argument(/"x".*api|api.*"x"/, () => scheduler.enqueue({ tenant: "x", api: {} as string }, thenUs));
      case 5:
        return argument(/weight.*"tenant 1"/, () => {
          const { weight } = this;
          this.weight = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e-300, 1e300][pick % 6];
          try {
            scheduler.enqueue({ tenant: "tenant 1" }, thenUs);
          } finally {
            this.weight = weight;
          }
        });
      case 6:
        return argument(/time.*"x"|"x".*time/, () => scheduler.enqueue({ tenant: "x", cost: 1 }, beforeUs));
      case 7:
        return argument(/slot/, () => scheduler.dequeue([-1, this.slots, 0.5, Number.NaN, "0" as never][pick % 5], thenUs));
      case 8:
        return argument(/time/, () => scheduler.dequeue(0, beforeUs));
      case 9:
        return waiting && job(named(waiting), () => scheduler[pick % 2 ? "charge" : "complete"](waiting, 1, thenUs));
      case 10:
        return job(named(stranger), () => scheduler[pick % 2 ? "charge" : "complete"](stranger, 1, thenUs));
      case 11:
        return (
          running && argument(named(running.job), () => scheduler[pick % 2 ? "charge" : "complete"](running.job, none, thenUs))
        );
      case 12:
        if (running === undefined || running.cost === 0) return undefined;
        return job(named(running.job), () => scheduler[pick % 2 ? "charge" : "complete"](running.job, running.cost / 2, thenUs));
      case 13:
        return (
          running &&
          argument(named(running.job), () => scheduler[pick % 2 ? "charge" : "complete"](running.job, running.cost + 1, beforeUs))
        );
      case 14:
        return argument(/slots/, () => scheduler.resize([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY][pick % 5]));
      default:
        return undefined;
    }
  }
}

describe.each(SCHEDULER_KINDS)("%s", (kind) => {
  test("is as it was after whatever was wrong", () => {
    fc.assert(
      fc.property(
        fc.uint32Array({ maxLength: 200, size: "max" }),
        fc.uint32Array({ minLength: 1, maxLength: 200, size: "max" }),
        fc.constantFrom(...ESTIMATORS),
        (actions, mistakes, estimator) => {
          const player = new Player(kind, estimator);
          const untouched = new Player(kind, estimator);
          for (let i = 0; i < actions.length; i++) {
            const mistake = player.nonsense(mistakes[i % mistakes.length]);
            if (mistake !== undefined) complains(mistake);
            const told = player.act(actions[i]);
            if (told !== untouched.act(actions[i])) throw new Error(`action ${i} came to ${told} where it should not`);
            const { queued, tenants } = player.scheduler;
            const same = queued === untouched.scheduler.queued && tenants === untouched.scheduler.tenants;
            if (!same) throw new Error(`after action ${i}: ${queued} jobs queued of ${tenants} tenants`);
          }
        },
      ),
      { numRuns: 200, interruptAfterTimeLimit: 15_000 },
    );
  });

  test("a weight that cannot be told is the caller's own error, and nobody has come", () => {
    const weightOf = (tenant: string) => {
      if (tenant === "odd") throw new RangeError("no such tenant");
      return 1;
    };
    const scheduler = createScheduler(kind, { slots: 1, weightOf });
    expect(() => scheduler.enqueue({ tenant: "odd" }, 0)).toThrow(RangeError);
    expect([scheduler.queued, scheduler.tenants]).toEqual([0, 0]);
  });

  test("options out of range say which", () => {
    const wrong: [string, Partial<Record<keyof SchedulerOptions, unknown>>][] = [
      ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "2", undefined].map((slots) => ["slots", { slots }] as never),
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, "2"].flatMap((value) => [
        ["costUnitsPerSecPerSlot", { costUnitsPerSecPerSlot: value }] as never,
        ["initialCost", { initialCost: value }] as never,
      ]),
      ["estimator", { estimator: "guess" }],
      ["weightOf", { weightOf: 3 }],
    ];
    for (const [name, options] of wrong) {
      const make = () => createScheduler(kind, { slots: 2, ...options } as SchedulerOptions);
      expect(make, name).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(name) }));
    }
  });
});
