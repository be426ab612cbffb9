/** Scenarios with latency objectives: met, the same way twice, and able to fail; and how they are judged. */
import { describe, expect, test } from "vitest";
import { outcomeOf, runScenario } from "../../simulations/index.js";
import { simulate as simulateHeartbeats } from "../../simulations/scenarios/heartbeats.js";
import { bestLimit, p99sUs, partInTime, windowsUntilInTime } from "../../simulations/scenarios/objectives.js";

describe("how objectives are judged", () => {
  test("a window is in time or not; one that nobody asked in is none", () => {
    expect(partInTime([1, 2, 3, Number.NaN], 2, 0)).toBe(2 / 3);
    expect(partInTime([9, 1, 1], 2, 1)).toBe(1);
    expect(partInTime([Number.NaN], 2, 0)).toBeNaN();
  });

  test("in time is from a window that is, when nearly all that follow are", () => {
    const values = [9, 9, 1, 9, 1, 1, 1, 1];
    expect(windowsUntilInTime(values, { target: 2, from: 0 })).toBe(4);
    expect(windowsUntilInTime(values, { target: 2, from: 0, part: 0.8 })).toBe(2);
    expect(windowsUntilInTime([9, 9], { target: 2, from: 0 })).toBe(2);
  });

  test("the best limit is the largest that holds", () => {
    for (let best = 0; best <= 7; best++) {
      const found = bestLimit([1, 2, 3, 4, 5, 6, 7], (limit) => (limit <= best ? limit * 10 : undefined));
      expect(found).toEqual(best === 0 ? undefined : { limit: best, found: best * 10 });
    }
  });
});

describe.each(["retro/heartbeats", "retro/replication", "retro/latency-slo"])("%s", (name) => {
  test("meets its expectations, the same way twice", () => {
    const first = runScenario(name, { seed: 1, quick: true });
    expect(first.expectations.filter(({ met }) => !met)).toEqual([]);
    expect(outcomeOf(runScenario(name, { seed: 1, quick: true }))).toEqual(outcomeOf(first));
    expect(runScenario(name, { seed: 2, quick: true }).expectations.filter(({ met }) => !met)).toEqual([]);
  }, 300_000);
});

test("a policy that may not cut is found out", () => {
  // Switched on when averages have come to know the flood: rates that follow from less than there is would be a cut by themselves.
  const { beats } = simulateHeartbeats({ seed: 1, floodAt: 2, switchAt: 12, endAt: 30, params: { alpha: 0.001, beta: 0.001 } });
  expect(partInTime(p99sUs(beats), 50_000, 15)).toBeLessThan(0.5);
}, 60_000);
