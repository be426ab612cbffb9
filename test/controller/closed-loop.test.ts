/**
 * The loop closed around a toy service: does it come to rest, is it fair there, and does it waste nothing? Smoothing, demand
 * and the policy's gain are judged together here, as they act together.
 */
import { describe, expect, test } from "vitest";
import { bench, FakeAgent } from "./harness.js";
import { type Load, Plant } from "./plant.js";

const SMALL: Load = { clients: 4, thinkUs: 20_000, serviceUs: 4_000 };
const FLOOD: Load = { clients: 100, thinkUs: 0, serviceUs: 4_000 };

interface Window {
  slowdown: number;
  rates: Record<string, number | null>;
  shadows: Record<string, number | null>;
  perSec: Record<string, number>;
  busy: number;
}

function start(loads: Record<string, Load>, options: { threshold?: number; mode?: "observe" | "enforce" } = {}) {
  const setup = bench({
    config: { policies: { "bottleneck-fairness": { mode: options.mode, params: { threshold: options.threshold ?? 4 } } } },
  });
  const plant = new Plant(setup.clock, new FakeAgent(setup.controller, "svc", "a").connect(), { slots: 2, loads });
  const watch = (windows: number): Window[] =>
    Array.from({ length: windows }, () => {
      const before = { ...plant.done };
      const busyBefore = plant.busyUs;
      setup.run(1);
      const view = setup.controller.view();
      const at = view.points[0]?.tenants ?? {};
      return {
        slowdown: view.resources[0]?.slowdown ?? 1,
        rates: Object.fromEntries(Object.entries(at).map(([id, pair]) => [id, pair.ratePerSec])),
        shadows: Object.fromEntries(Object.entries(at).map(([id, pair]) => [id, pair.shadowRatePerSec])),
        perSec: Object.fromEntries(Object.keys(plant.done).map((id) => [id, plant.done[id] - (before[id] ?? 0)])),
        busy: (plant.busyUs - busyBefore) / 2e6,
      };
    });
  return { ...setup, plant, watch };
}

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
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
    const slowdown = mean(windows.map((window) => window.slowdown));
    expect(slowdown).toBeGreaterThan(2.5);
    expect(slowdown).toBeLessThan(6);
    expect(spread(windows.map((window) => window.rates.flood!))).toBeLessThan(0.08);
    expect(mean(windows.map((window) => window.busy))).toBeGreaterThan(0.92);
    expect(mean(windows.map((window) => window.perSec.small))).toBeGreaterThan(95);
    expect(windows.every((window) => window.rates.small === null && window.rates.other === null)).toBe(true);
  });

  test("when the flood ebbs, it is free again within five windows", () => {
    const { watch, plant } = start({ small: SMALL, other: SMALL, flood: FLOOD });
    watch(15);
    plant.halt("flood");
    plant.start("flood", { clients: 2, thinkUs: 40_000, serviceUs: 4_000 });
    const after = watch(7);
    expect(after.slice(5).every((window) => (window.rates.flood ?? null) === null)).toBe(true);
  });

  test("two floods share by weight", () => {
    const { watch, controller } = start({ one: FLOOD, two: FLOOD }, { threshold: 8 });
    controller.setTenant("two", { weight: 2 });
    const windows = watch(20).slice(-10);
    const ratio = mean(windows.map((window) => window.perSec.two)) / mean(windows.map((window) => window.perSec.one));
    expect(ratio).toBeGreaterThan(1.85);
    expect(ratio).toBeLessThan(2.15);
  });

  test("when one of two floods leaves, the other grows into the room it left", () => {
    const { watch, plant } = start({ one: FLOOD, two: FLOOD }, { threshold: 8 });
    watch(12);
    plant.halt("two");
    const after = watch(16);
    expect(Math.max(...after.slice(0, 15).map((window) => window.perSec.one))).toBeGreaterThan(0.95 * 500);
    expect(mean(after.slice(10).map((window) => window.perSec.one))).toBeGreaterThan(0.88 * 500);
    expect(after.slice(2).every((window) => (window.rates.two ?? null) === null)).toBe(true);
  });
});
