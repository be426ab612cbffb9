/** Slots of a control point shared by two-dimensional fair queuing: what its defaults promise. */
import { describe, expect, test } from "vitest";
import type { PointOptions, Request } from "../../enforcement/index.js";
import { Service } from "./service.js";

const MS = 1_000;
const SECOND = 1_000 * MS;

/** Closed loops at a point: each sends, is served for as long as it says, thinks, and sends again. */
class Loops {
  readonly service: Service;
  /** Waits of each tenant's requests, µs, and time it held slots. */
  readonly waits: Record<string, number[]> = {};
  readonly held: Record<string, number> = {};
  #state = 1;

  constructor(options: PointOptions) {
    this.service = new Service(options, { transport: undefined });
  }

  add(tenant: string, serviceUs: () => number, thinkUs = 0, api?: string): this {
    const { clock, point } = this.service;
    this.waits[tenant] ??= [];
    this.held[tenant] ??= 0;
    const send = () => {
      const sinceUs = clock.nowUs();
      this.service.submit(tenant, {
        api,
        onStart: (request: Request) => {
          this.waits[tenant].push(clock.nowUs() - sinceUs);
          const us = serviceUs();
          clock.at(clock.nowUs() + us, () => {
            this.held[tenant] += us;
            if (thinkUs > 0) clock.at(clock.nowUs() + thinkUs, send);
            else send();
            point.complete(request);
          });
        },
      });
    };
    send();
    return this;
  }

  chance(): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state / 2_147_483_647;
  }

  run(us: number): this {
    this.service.clock.advance(us);
    return this;
  }
}

describe("by default", () => {
  test("long requests never take all slots at once: short ones wait for other short ones", () => {
    const worst = (options: PointOptions) => {
      const loops = new Loops({ slots: 4, ...options });
      for (let i = 0; i < 8; i++) loops.add(`long${i}`, () => 1_000 * MS);
      for (let i = 0; i < 8; i++) loops.add(`short${i}`, () => 1 * MS);
      loops.run(30 * SECOND);
      const since = loops.waits.short0.length >> 2; // after the first have shown what they cost
      return Math.max(...loops.waits.short0.slice(since));
    };
    expect(worst({})).toBeLessThan(60 * MS);
    expect(worst({ scheduler: "wfq" })).toBeGreaterThan(500 * MS);
  });

  test("who is unpredictable is kept apart from who is reliably small", () => {
    const p99 = (options: PointOptions) => {
      const loops = new Loops({ slots: 4, ...options });
      for (let i = 0; i < 8; i++) loops.add(`wild${i}`, () => (loops.chance() < 0.01 ? 1_000 * MS : 1 * MS));
      for (let i = 0; i < 4; i++) loops.add(`calm${i}`, () => 1 * MS);
      const waits = loops.run(60 * SECOND).waits.calm0.sort((a, b) => a - b);
      return waits[Math.floor(0.99 * waits.length)];
    };
    expect(p99({})).toBeLessThan(p99({ estimator: "moving-average" }));
  });

  test("one that runs longer than any before is charged while it runs, and there is no timer for it", () => {
    const loops = new Loops({ slots: 2 });
    loops.add("both", () => 1 * MS, 0, "new");
    loops.run(100 * MS);
    loops.service.submit("both", { api: "new" }); // never ends
    for (let i = 0; i < 3; i++) loops.add("other", () => 1 * MS, 0, "new").add("both", () => 1 * MS, 0, "new");
    loops.run(1 * SECOND);
    // "both" has half of all already, with the slot it holds.
    expect(loops.held.other).toBeGreaterThan(850 * MS);
  });

  test("an idle point has no alarm, nor has one that only runs", () => {
    const service = new Service({ slots: 2 }, { transport: undefined });
    const { clock } = service;
    const one = service.submit("a");
    expect(clock.pending).toBe(0);
    service.point.complete(one);
    expect(clock.pending).toBe(0);
  });
});

test("a handler may take as long as it likes, and end its request before it returns: time goes on and never back", () => {
  for (const scheduler of ["2dfq", "sfq", "fifo"] as const) {
    const service = new Service({ slots: 1, scheduler }, { transport: undefined });
    const first = service.submit("a");
    for (let i = 0; i < 20; i++) {
      service.submit(i % 2 === 0 ? "a" : "b", {
        onStart: (request) => {
          service.clock.advance(5 * MS);
          service.point.complete(request);
        },
      });
    }
    service.point.complete(first);
    expect([service.told().length, service.point.running, service.point.waiting]).toEqual([21, 0, 0]);
  }
});

test("slots that come and go cost nobody its place: who was behind is served first", () => {
  const service = new Service({ slots: 2 }, { transport: undefined });
  const running = [service.submit("greedy"), service.submit("greedy")];
  for (let i = 0; i < 4; i++) service.submit("greedy");
  service.clock.advance(100 * MS);
  service.submit("late");
  service.point.setSlots(1);
  service.point.complete(running[0]);
  service.point.setSlots(3);
  expect(service.told().slice(2)).toEqual(["late1 starts", "greedy3 starts"]);
  expect([service.point.running, service.point.waiting]).toEqual([3, 3]);
});
