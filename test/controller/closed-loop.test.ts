/**
 * The loop closed around a toy service: does it come to rest, is it fair there, and does it waste nothing? Smoothing, demand
 * and the policy's gain are judged together here, as they act together.
 */
import { describe, expect, test } from "vitest";
import { flood, mean, perSec, start as startCluster, type Window } from "../policies/closed-loop.js";
import type { Load } from "../policies/plant.js";

const small = (clients: number, thinkUs: number): Load => ({ clients, thinkUs, visits: { disk: 4_000 } });
const SMALL = small(4, 20_000);
const FLOOD = flood({ disk: 4_000 });

function start(loads: Record<string, Load>, { threshold = 4, mode }: { threshold?: number; mode?: "observe" | "enforce" } = {}) {
  return startCluster({ policy: "bottleneck-fairness", slots: { disk: 2 }, loads, mode, params: { threshold } });
}

/** The part of the resource's 500 requests a second that was used. */
function busy(windows: readonly Window[]): number {
  return mean(windows.map((window) => Object.values(window.perSec).reduce((a, b) => a + b, 0))) / 500;
}

function spread(values: number[]): number {
  return Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2))) / mean(values);
}

describe("one flood, two small tenants, one resource that serves 500 a second", () => {
  test("in observe, nothing is held back, and what would be is shown", () => {
    const { watch } = start({ small: SMALL, other: SMALL, flood: FLOOD }, { mode: "observe" });
    const last = watch(10).at(-1)!;
    expect(last.rates.flood).toBe(null);
    expect(last.shadows.flood).toBeGreaterThan(0);
    expect(last.perSec.small).toBeLessThan(30);
  });

  test("in enforce, the small ones get several times as much within five windows of the first decision", () => {
    const { watch } = start({ small: SMALL, other: SMALL, flood: FLOOD });
    const windows = watch(7);
    expect(windows[0].perSec.small).toBeLessThan(30);
    expect(windows[6].perSec.small).toBeGreaterThan(80);
  });

  test("at rest the slowdown stays near the threshold, the rate hardly moves, and the resource is kept busy", () => {
    const { watch } = start({ small: SMALL, other: SMALL, flood: FLOOD }, { threshold: 4 });
    const windows = watch(45).slice(-25);
    const slowdown = mean(windows.map((window) => window.slowdown["svc/disk"]));
    expect(slowdown).toBeGreaterThan(2.5);
    expect(slowdown).toBeLessThan(6);
    expect(spread(windows.map((window) => window.rates.flood!))).toBeLessThan(0.08);
    expect(busy(windows)).toBeGreaterThan(0.92);
    expect(perSec(windows, "small")).toBeGreaterThan(95);
    expect(windows.every(({ rates }) => rates.small === null && rates.other === null)).toBe(true);
  });

  test("when the flood ebbs, it is free again within five windows", () => {
    const { watch, plant } = start({ small: SMALL, other: SMALL, flood: FLOOD });
    watch(15);
    plant.halt("flood");
    plant.start("flood", small(2, 40_000));
    const after = watch(7);
    expect(after.slice(5).every((window) => (window.rates.flood ?? null) === null)).toBe(true);
  });

  test("two floods share by weight", () => {
    const { watch, controller } = start({ one: FLOOD, two: FLOOD }, { threshold: 8 });
    controller.setTenant("two", { weight: 2 });
    const windows = watch(20).slice(-10);
    const ratio = perSec(windows, "two") / perSec(windows, "one");
    expect(ratio).toBeGreaterThan(1.85);
    expect(ratio).toBeLessThan(2.15);
  });

  test("when one of two floods leaves, the other grows into the room it left", () => {
    const { watch, plant } = start({ one: FLOOD, two: FLOOD }, { threshold: 8 });
    watch(12);
    plant.halt("two");
    const after = watch(16);
    expect(Math.max(...after.slice(0, 15).map((window) => window.perSec.one))).toBeGreaterThan(0.95 * 500);
    expect(perSec(after.slice(10), "one")).toBeGreaterThan(0.88 * 500);
    expect(after.slice(2).every((window) => (window.rates.two ?? null) === null)).toBe(true);
  });
});
