/** The throttle, as a service meets it. Several of these are faults seen in limiters before ours. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Service } from "./service.js";

const SECOND = 1_000_000;

describe("the throttle", () => {
  test("holds a tenant to its rate, in order, and nobody else", () => {
    const service = new Service().limited({ slow: 10 });
    for (let i = 0; i < 4; i++) service.submit("slow");
    service.submit("fast");
    expect(service.told()).toEqual(["slow1 starts", "fast1 starts"]);
    service.clock.advance(99_999);
    expect(service.told()).toEqual([]);
    service.clock.advance(1);
    expect(service.told()).toEqual(["slow2 starts"]);
    service.clock.advance(SECOND);
    expect(service.told()).toEqual(["slow3 starts", "slow4 starts"]);
  });

  test("one pending alarm per tenant, however many wait, and none when nobody does", () => {
    const service = new Service().limited({ a: 10, b: 10 });
    const before = service.clock.pending;
    for (let i = 0; i < 50; i++) for (const tenant of ["a", "b"]) service.submit(tenant);
    expect(service.clock.pending).toBe(before + 2);
    service.clock.advance(10 * SECOND);
    expect(service.point.waiting).toBe(0);
    service.clock.advance(0);
    expect(service.clock.pending).toBeLessThanOrEqual(before);
  });

  test("raising a rate wakes who waits at once", () => {
    const service = new Service().limited({ a: 0.25 });
    service.submit("a");
    service.submit("a");
    service.clock.advance(SECOND / 2); // 1/8 token
    service.told();
    service.limit({ a: 1_000_000 });
    service.clock.advance(1);
    expect(service.told()).toEqual(["a2 starts"]);
    service.submit("a");
    service.limit({});
    expect(service.told()).toEqual(["a3 starts"]);
  });

  test("lowering a rate holds who was about to pass", () => {
    const service = new Service().limited({ a: 10 });
    service.submit("a");
    service.submit("a");
    service.told();
    service.clock.advance(50_000); // half a token
    service.limit({ a: 1 });
    service.clock.advance(499_999);
    expect(service.told()).toEqual([]);
    service.clock.advance(1);
    expect(service.told()).toEqual(["a2 starts"]);
  });

  test("renewing a lease does not refill a bucket", () => {
    const service = new Service().limited({ a: 0.001 });
    for (let i = 0; i < 5; i++) {
      service.submit("a");
      service.limit({ a: 0.001 });
    }
    expect(service.told()).toEqual(["a1 starts"]);
  });

  test("zero admits nothing, not even what was saved; who waits is told so", () => {
    const service = new Service().limited({ a: 1 }, 5);
    service.limit({ a: 0 }, 5);
    service.submit("a");
    expect(service.told()).toEqual(["a1 refused RATE_ZERO"]);
    service.limit({ a: 1 });
    service.submit("a");
    service.submit("a");
    service.limit({ a: 0 });
    expect(service.told()).toEqual(["a2 starts", "a3 refused RATE_ZERO"]);
    expect(service.point.waiting).toBe(0);
  });

  test("a tiny rate is a limit: x0.9 a window from 1,000 never fails open", () => {
    const service = new Service().limited({ a: 1000 });
    let rate = 1000;
    for (let i = 0; i < 400; i++) {
      rate *= 0.9;
      service.limit({ a: rate });
    }
    service.submit("a");
    service.submit("a");
    service.clock.advance(3_000 * SECOND);
    expect(service.told()).toEqual(["a1 starts"]);
  });

  test("a cost above the burst passes a full bucket and leaves a debt: the rate holds", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 10 }, 1);
    for (let i = 0; i < 3; i++) service.submit("a", { cost: 5 });
    expect(service.told()).toEqual(["a1 starts"]);
    service.clock.advance(499_999);
    expect(service.told()).toEqual([]);
    service.clock.advance(1);
    expect(service.told()).toEqual(["a2 starts"]);
    service.clock.advance(500_000);
    expect(service.told()).toEqual(["a3 starts"]);
  });

  test("cost is settled when it is known, both ways", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 10 }, 10);
    const cheap = service.submit("a", { cost: 10 });
    service.point.complete(cheap, 2); // 8 given back
    const dear = service.submit("a", { cost: 8 });
    service.point.complete(dear, 18); // 10 in debt
    service.submit("a", { cost: 10 });
    expect(service.told()).toEqual(["a1 starts", "a2 starts"]);
    service.clock.advance(2 * SECOND - 1);
    expect(service.told()).toEqual([]);
    service.clock.advance(1);
    expect(service.told()).toEqual(["a3 starts"]);
  });

  test("tokens are not cost-blind: without a declared cost, what such requests cost before", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 100 }, 100);
    for (let i = 0; i < 2; i++) service.point.complete(service.submit("a", { api: "big" }), 50);
    service.clock.advance(SECOND * 5);
    service.told();
    for (let i = 0; i < 4; i++) service.submit("a", { api: "big" });
    expect(service.told()).toEqual(["a3 starts", "a4 starts"]);
  });

  test("debt is bounded: one enormous request does not lock its tenant out for ever", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 10 }, 10);
    service.point.complete(service.submit("a", { cost: 1 }), 1e12);
    service.submit("a", { cost: 1 });
    service.clock.advance(6 * SECOND);
    expect(service.told()).toEqual(["a1 starts", "a2 starts"]);
  });

  test.each([0.3, 0.1, 0.01])("at %d requests a second, said anew every second, no more come through than that", (rate) => {
    const service = new Service().limited({ a: rate }, 0.1 * rate);
    for (let i = 0; i < 20; i++) service.submit("a");
    let starts = service.told().length;
    const seconds = Math.round(5 / rate);
    for (let second = 0; second < seconds; second++) {
      // No controller says the same twice.
      service.limit({ a: rate * (second % 2 === 0 ? 1.05 : 0.95) }, 0.1 * rate);
      service.clock.advance(SECOND);
      starts += service.told().length;
    }
    expect(starts).toBeGreaterThanOrEqual(4);
    expect(starts).toBeLessThanOrEqual(6);
  });

  test("what one request was taken for is owed for ten minutes at the most", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 10 }, 10);
    service.submit("a", { cost: 1e12 });
    service.submit("a", { cost: 1 });
    service.limit({ a: 11 }, 11);
    service.clock.advance(599 * SECOND);
    expect(service.told()).toEqual(["a1 starts"]);
    service.clock.advance(2 * SECOND);
    expect(service.told()).toEqual(["a2 starts"]);
  });

  test("what a request turns out to have cost beyond its estimate never lessens what is owed", () => {
    const service = new Service({ unit: "bytes" }).limited({ a: 1 }, 1);
    const taken = service.submit("a", { cost: 100 });
    service.point.complete(taken, 101);
    service.submit("a", { cost: 1 });
    service.clock.advance(98 * SECOND);
    expect(service.told()).toEqual(["a1 starts"]);
  });

  test("a deadline that cannot be met is refused at once, one that passes when it passes", () => {
    const service = new Service().limited({ a: 1 });
    service.submit("a");
    service.submit("a", { deadlineInUs: 999_999 });
    expect(service.told()).toEqual(["a1 starts", "a2 refused DEADLINE"]);
    service.submit("a", { deadlineInUs: SECOND });
    service.submit("a", { deadlineInUs: 2 * SECOND });
    service.limit({ a: 0.5 });
    service.clock.advance(SECOND + 1);
    expect(service.told()).toEqual(["a3 refused DEADLINE"]);
    service.clock.advance(SECOND - 1);
    expect(service.told()).toEqual(["a4 starts"]);
    service.submit("a", { deadlineInUs: -1 });
    expect(service.told()).toEqual(["a5 refused DEADLINE"]);
  });

  test("who gives up leaves at once; the rest move up and no token is lost", () => {
    const service = new Service().limited({ a: 1 });
    service.submit("a");
    const waiting = [1, 2, 3].map(() => service.submit("a"));
    service.clock.advance(900_000);
    expect([service.point.cancel(waiting[0]), service.point.cancel(waiting[0])]).toEqual([true, false]);
    service.told();
    service.clock.advance(100_000);
    expect(service.told()).toEqual(["a3 starts"]);
    expect(service.point.cancel(waiting[1])).toBe(false);
  });

  test("late alarms delay, but lose no tokens", () => {
    const service = new Service().limited({ a: 10 }, 1);
    for (let i = 0; i < 200; i++) service.submit("a");
    service.told();
    service.clock.advance(10 * SECOND, 30_000);
    expect(service.told().length).toBeGreaterThanOrEqual(99);
  });

  test("alone, it lets pass, and nothing is to be completed", () => {
    const service = new Service({ slots: 1 }).limited({ a: 1 });
    const through = [1, 2].map(() => service.request("a"));
    for (const request of through) service.point.throttle(request);
    service.clock.advance(SECOND);
    expect(service.told()).toEqual(["a1 starts", "a2 starts"]);
    expect(service.point.running).toBe(0);
    expect(() => service.point.complete(through[0])).toThrow(expect.objectContaining({ code: "BAD_JOB" }));
  });

  test("errors say who, where, why and when", () => {
    const service = new Service().limited({ a: 0.5 });
    service.submit("a");
    let told: unknown;
    const request = service.request("a", { deadlineInUs: 10 });
    service.point.submit(Object.assign(request, { handlers: { onStart() {}, onRefused: (error: unknown) => (told = error) } }));
    expect(told).toMatchObject({ code: "DEADLINE", tenant: "a", point: "p", retryAfterMs: 2000, because: "fairness|s/disk" });
  });

  test("property: under any rates and any arrivals, no more than burst + Σ rate · t passes, and nobody is lost or passed twice", () => {
    const step = fc.record({
      what: fc.constantFrom("submit", "submit", "wait", "rate", "cancel"),
      amount: fc.nat(1_000),
      cost: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, lateUs, burst) => {
          const service = new Service({ unit: "bytes" }).limited({ a: 5 }, burst);
          // Whoever costs more than the burst finds a full bucket enough, and owes the rest.
          const owed = 5 - burst;
          let [rate, earned, passed, submitted, cancelled] = [5, burst, 0, 0, 0];
          const waiting: ReturnType<Service["submit"]>[] = [];
          for (const { what, amount, cost } of steps) {
            if (what === "submit") {
              submitted += 1;
              waiting.push(service.submit("a", { cost, onStart: () => (passed += cost) }));
            } else if (what === "wait") {
              service.clock.advance(amount * 2_000, lateUs);
              earned += (rate * amount * 2_000) / SECOND;
            } else if (what === "rate") {
              rate = 0.1 + amount / 10;
              service.limit({ a: rate }, burst);
            } else if (waiting.length > 0 && service.point.cancel(waiting[amount % waiting.length])) {
              cancelled += 1;
            }
            expect(passed).toBeLessThanOrEqual(earned + owed + 1e-6);
          }
          service.limit({});
          const started = service.log.filter((line) => line.endsWith("starts"));
          expect([service.point.waiting, started.length, new Set(started).size]).toEqual([
            0,
            submitted - cancelled,
            submitted - cancelled,
          ]);
        },
      ),
    );
  });
});
