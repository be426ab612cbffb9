/** The stack as it comes, with the loop closed around a toy cluster: rules that come to rest alone must do so together. */
import { describe, expect, test } from "vitest";
import { flood, mean, perSec, start } from "./closed-loop.js";
import type { Load } from "./plant.js";

// 500 requests of 4 ms a second, in all tests but the first.
const slots = { disk: 2 };
const small: Load = { clients: 8, thinkUs: 20_000, visits: { disk: 4_000 } };

describe("a latency objective and fairness", () => {
  const targetUs = 15_000;
  const loads: Record<string, Load> = {
    interactive: { clients: 50, thinkUs: 100_000, visits: { disk: 1_000 } },
    one: flood({ disk: 1_000 }, 150),
    two: flood({ disk: 1_000 }, 100),
  };

  test("the target is met at the cost of those without one, who share the rest as fairness says", () => {
    const { watch } = start({ slots, loads, tenants: { interactive: { p99TargetUs: targetUs } } });
    const windows = watch(120).slice(-90);
    // Seen: 89 of 90, and no less than 88 with other chances.
    expect(windows.filter(({ p99Us }) => p99Us.interactive <= targetUs).length).toBeGreaterThanOrEqual(0.95 * windows.length);
    expect(windows.every(({ rates }) => rates.interactive === null)).toBe(true);
    const ratio = perSec(windows, "one") / perSec(windows, "two");
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.1);
    expect(windows.filter(({ reasons }) => reasons.one === "latency-slo").length).toBeGreaterThan(0.5 * windows.length);
  });
});

describe("a guarantee and fairness", () => {
  const loads = { small, flood: flood({ disk: 4_000 }), bulk: flood({ disk: 4_000 }, 40) };

  test("the promise is kept above the fair share, the resource rests where fairness alone would, and nothing is left over", () => {
    // A third of 500 would be the fair share.
    const { watch } = start({ slots, loads, tenants: { small: { guarantees: { "svc/front": 200 } } } });
    const windows = watch(60).slice(-30);
    expect(perSec(windows, "small")).toBeGreaterThan(0.93 * 200);
    expect(mean(windows.map(({ slowdown }) => slowdown["svc/disk"]))).toBeLessThan(6);
    expect(perSec(windows, "small") + perSec(windows, "flood") + perSec(windows, "bulk")).toBeGreaterThan(0.88 * 500);
    expect(perSec(windows, "flood") / perSec(windows, "bulk")).toBeGreaterThan(0.85);
    expect(perSec(windows, "flood") / perSec(windows, "bulk")).toBeLessThan(1.18);
  });
});

describe("a cap and fairness", () => {
  const loads = { flood: flood({ disk: 4_000 }), bulk: flood({ disk: 4_000 }, 40) };

  test("what a cap leaves goes to others, however much waits behind it", () => {
    const { watch } = start({ slots, loads, tenants: { flood: { caps: { "svc/front": 50 } } } });
    const windows = watch(40).slice(-20);
    expect(perSec(windows, "flood")).toBeLessThan(50 * 1.02);
    expect(perSec(windows, "flood")).toBeGreaterThan(50 * 0.93);
    expect(perSec(windows, "bulk")).toBeGreaterThan(0.88 * 450);
    expect(windows.every(({ reasons }) => reasons.flood === "caps-and-guarantees")).toBe(true);
  });
});

test("where nothing is agreed it is fairness alone, and where nothing is short it limits nobody", () => {
  const alone = start({ policy: "bottleneck-fairness", slots, loads: { small, flood: flood({ disk: 4_000 }) } }).watch(20);
  const stack = start({ slots, loads: { small, flood: flood({ disk: 4_000 }) } }).watch(20);
  expect(stack.map(({ rates }) => rates)).toEqual(alone.map(({ rates }) => rates));
  const calm = start({ slots, loads: { small: { ...small, clients: 2 } } }).watch(10);
  expect(calm.every(({ rates }) => (rates.small ?? null) === null)).toBe(true);
});
