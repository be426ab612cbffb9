/**
 * The rim turns callbacks into promises, and continuations run when the event loop pleases: functions must still be called in
 * the order in which the core let their requests start, whatever they do, whoever aborts, however many slots there are.
 */
import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SCHEDULER_KINDS } from "../../enforcement/index.js";
import { createAgent } from "../../enforcement/io/index.js";
import { RUNNING } from "../../enforcement/meters/meter.js";
import { PointAccount } from "../../enforcement/points/point-account.js";

afterEach(() => vi.restoreAllMocks());

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a function may do before it ends. */
const ENDINGS = {
  "at once": () => 1,
  "throws at once": () => {
    throw new Error("failed");
  },
  "after a continuation": async () => {
    await undefined;
  },
  "after three": async () => {
    for (let i = 0; i < 3; i++) await undefined;
  },
  "rejects later": async () => {
    await undefined;
    throw new Error("failed");
  },
  "in another turn": () => turn(),
};

const step = fc.record({
  what: fc.constantFrom("run", "run", "run", "run", "abort", "abort soon", "slots", "continuation", "turn"),
  tenant: fc.nat(3),
  ending: fc.constantFrom(...(Object.keys(ENDINGS) as (keyof typeof ENDINGS)[])),
  pick: fc.nat(9),
});

describe("functions are called in the order in which the core let them start", () => {
  test.each(SCHEDULER_KINDS)("%s", async (scheduler) => {
    let decided: unknown[] = [];
    const { enter } = PointAccount.prototype;
    vi.spyOn(PointAccount.prototype, "enter").mockImplementation(function (this: PointAccount, request, gauge, nowUs) {
      if (gauge === RUNNING) decided.push(request);
      enter.call(this, request, gauge, nowUs);
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        decided = [];
        const called: unknown[] = [];
        const agent = createAgent({ service: "order", controller: false, log: false });
        const point = agent.controlPoint("point", { slots: 2, scheduler });
        const signals: AbortController[] = [];
        let calls = 0;
        let settled = 0;
        const settle = () => {
          settled += 1;
        };
        for (const { what, tenant, ending, pick } of steps) {
          if (what === "run") {
            const controller = new AbortController();
            signals.push(controller);
            const run = () =>
              point.run({ api: ending, signal: controller.signal }, (call) => {
                called.push(call);
                return ENDINGS[ending]();
              });
            calls += 1;
            agent.run(`t${tenant}`, run).then(settle, settle);
          } else if (what === "abort") signals[pick % Math.max(1, signals.length)]?.abort();
          else if (what === "abort soon") queueMicrotask(() => signals.at(-1 - pick)?.abort());
          else if (what === "slots") point.setSlots(1 + (pick % 4));
          else if (what === "continuation") await undefined;
          else await turn();
        }
        // Nothing here waits for a clock: what is not settled after so many turns never will be.
        for (let i = 0; i < 3 * steps.length && settled < calls; i++) await turn();
        expect(settled).toBe(calls);
        // Whoever was let start and aborted before its continuation ran was never called; all others were, in that order.
        const wereCalled = new Set(called);
        expect(called).toEqual(decided.filter((request) => wereCalled.has(request)));
        expect(wereCalled.size).toBe(called.length);
        expect([point.running, point.waiting]).toEqual([0, 0]);
        if (steps.every(({ what }) => !what.startsWith("abort"))) expect(called.length).toBe(calls);
        await agent.close();
      }),
      { numRuns: 60 },
    );
  });
});
