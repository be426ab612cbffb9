/** What a resource can carry, as learned: nothing before it was full, then the mean of what it carried, and not its luck. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Capacity } from "../../controller/capacity.js";
import { SeededChance } from "../../simulations/index.js";

describe("capacity", () => {
  test("of a resource that was never full nothing is known", () => {
    const capacity = new Capacity();
    for (let i = 0; i < 100; i++) capacity.learn(i, 1 + i / 12);
    expect(capacity.value).toBe(0);
  });

  test("noise is averaged, where the largest of many windows would be believed", () => {
    const chance = new SeededChance(1, "noise");
    const capacity = new Capacity();
    for (let i = 0; i < 500; i++) capacity.learn(100 * (0.9 + 0.2 * chance.next()), 30);
    expect(capacity.value).toBeGreaterThan(95);
    expect(capacity.value).toBeLessThan(105);
  });

  test("what is carried while nobody waits teaches only when it is more", () => {
    const capacity = new Capacity();
    capacity.learn(100, 30);
    for (let i = 0; i < 50; i++) capacity.learn(40, 2);
    expect(capacity.value).toBe(100);
    for (let i = 0; i < 50; i++) capacity.learn(150, 2);
    expect(capacity.value).toBeCloseTo(150, 0);
  });

  test("a resource that lost a part of what it can do is found out within forty full windows", () => {
    const capacity = new Capacity();
    for (let i = 0; i < 50; i++) capacity.learn(100, 30);
    for (let i = 0; i < 40; i++) capacity.learn(60, 30);
    expect(capacity.value).toBeLessThan(61);
  });

  test("it stays within what was ever carried, in any unit", () => {
    const windows = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.double({ min: 1, max: 1e6, noNaN: true })),
    );
    fc.assert(
      fc.property(windows, (all) => {
        const capacity = new Capacity();
        for (const [load, slowdown] of all) capacity.learn(load, slowdown);
        expect(capacity.value).toBeGreaterThanOrEqual(0);
        expect(capacity.value).toBeLessThanOrEqual(Math.max(0, ...all.map(([load]) => load)) * (1 + 1e-9));
      }),
    );
  });
});
