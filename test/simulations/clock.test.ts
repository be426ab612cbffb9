/** Virtual time runs calls in order of time, ties in order of asking, and never stands still or goes back. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../simulations/world/clock.js";
import { Process } from "../../simulations/world/process.js";
import { Trace } from "../../simulations/world/trace.js";

describe("the virtual clock", () => {
  test("calls in order of time, ties in order of asking, as a sorted list would", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 200 }), (plan) => {
        const clock = new VirtualClock();
        const calls: number[] = [];
        const alarms = plan.map(([whenUs], i) => clock.at(whenUs, () => calls.push(i)));
        plan.forEach(([, cancelled], i) => {
          if (cancelled) alarms[i].cancel();
        });
        clock.run(100);
        const expected = plan.map(([whenUs, cancelled], i) => ({ whenUs, cancelled, i })).filter((each) => !each.cancelled);
        expected.sort((a, b) => a.whenUs - b.whenUs || a.i - b.i);
        expect(calls).toEqual(expected.map((each) => each.i));
        expect(clock.pending).toBe(0);
      }),
    );
  });

  test("what is asked for now or earlier happens now, after what is due already, never at once", () => {
    const clock = new VirtualClock();
    const story: string[] = [];
    clock.at(10, () => {
      clock.at(3, () => story.push(`late ${clock.nowUs()}`));
      clock.at(10, () => story.push(`now ${clock.nowUs()}`));
      story.push("asked");
    });
    clock.at(10, () => story.push("due already"));
    clock.run(10);
    expect(story).toEqual(["asked", "due already", "late 10", "now 10"]);
  });

  test("fractions are rounded up to whole µs, so that time cannot stand still", () => {
    const clock = new VirtualClock();
    clock.at(1e15 + 0.125, () => {});
    clock.at(0.25, () => expect(clock.nowUs()).toBe(1));
    clock.run(5);
    expect(clock.nowUs()).toBe(5);
    expect(() => clock.at(Number.NaN, () => {})).toThrow(/NaN/);
  });

  test("a call that is never due costs nothing and may be cancelled", () => {
    const clock = new VirtualClock();
    clock.at(Number.POSITIVE_INFINITY, () => expect.unreachable()).cancel();
    expect(clock.pending).toBe(0);
    expect(clock.step()).toBe(false);
  });

  test("cancelled calls do not pile up", () => {
    const clock = new VirtualClock();
    let calls = 0;
    for (let round = 0; round < 100; round++) {
      const alarms = Array.from({ length: 1000 }, (_, i) => clock.at(1e9 + i, () => calls++));
      for (const alarm of alarms.slice(1)) {
        alarm.cancel();
        alarm.cancel();
      }
    }
    expect(clock.pending).toBe(100);
    clock.run(2e9);
    expect(calls).toBe(100);
  });

  test("the trace tells apart when things happened", () => {
    const hash = (times: number[]) => {
      const trace = new Trace();
      const clock = new VirtualClock(trace);
      for (const whenUs of times) clock.at(whenUs, () => {});
      clock.run(1e12);
      return trace.hash;
    };
    expect(hash([1, 2, 3])).toBe(hash([3, 2, 1]));
    expect(hash([1, 2, 3])).not.toBe(hash([1, 2, 4]));
    expect(hash([2 ** 33])).not.toBe(hash([2 ** 34]));
    expect(hash([])).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("a process", () => {
  test("has a clock of its own, fast or slow, on which nothing happens early", () => {
    fc.assert(
      fc.property(fc.integer({ min: -500, max: 500 }), fc.nat(1e9), fc.nat(1e9), (ppm, offsetUs, waitUs) => {
        const world = new VirtualClock();
        const { clock } = new Process("p", world, { offsetUs, drift: ppm / 1e6 });
        const dueUs = clock.nowUs() + waitUs;
        let atUs = -1;
        clock.at(dueUs, () => {
          atUs = clock.nowUs();
        });
        world.run(3e9);
        expect(atUs).toBeGreaterThanOrEqual(dueUs);
        expect(atUs).toBeLessThanOrEqual(dueUs + 1);
      }),
    );
  });

  test("does nothing after its death", () => {
    const world = new VirtualClock();
    const process = new Process("p", world);
    let calls = 0;
    process.clock.at(1, () => calls++);
    process.clock.at(3, () => calls++);
    world.run(2);
    process.kill();
    world.run(9);
    expect(calls).toBe(1);
    expect(world.pending).toBe(0);
  });
});
