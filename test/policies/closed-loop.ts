/** The loop closed around the toy cluster, window by window: for tests of one policy, and of several. */
import type { ControllerConfig } from "../../controller/index.js";
import { POLICIES } from "../../policies/index.js";
import { bench, FakeAgent } from "../controller/harness.js";
import { type Load, Plant } from "./plant.js";

export interface Window {
  perSec: Record<string, number>;
  /** Of each tenant at its point: the rate in force, or null. */
  rates: Record<string, number | null>;
  /** … and the one that is only observed. */
  shadows: Record<string, number | null>;
  /** 99th percentile of the latencies of this window, by tenant. */
  p99Us: Record<string, number>;
  slowdown: Record<string, number>;
  /** Whose rule it is. */
  reasons: Record<string, string | undefined>;
}

export interface Setup {
  /** One policy alone; absent: the stack as it comes. */
  policy?: string;
  slots: Record<string, number>;
  loads: Record<string, Load>;
  tenants?: ControllerConfig["tenants"];
  params?: Record<string, number>;
  mode?: "observe" | "enforce";
}

export function start({ policy, slots, loads, tenants = {}, params = {}, mode = "enforce" }: Setup) {
  const setup = bench({
    policies: policy === undefined ? undefined : POLICIES.filter(({ name }) => name === policy),
    config: { tenants, ...(policy !== undefined && { policies: { [policy]: { params, mode } } }) },
  });
  const plant = new Plant(setup.clock, new FakeAgent(setup.controller, "svc", "a").connect(), { slots, loads });
  const watch = (windows: number): Window[] =>
    Array.from({ length: windows }, () => {
      const before = { ...plant.done };
      plant.latenciesUs = {};
      setup.run(1);
      const { points, resources } = setup.controller.view();
      const pairs = points.flatMap((point) => Object.entries(point.tenants));
      return {
        perSec: Object.fromEntries(Object.keys(loads).map((id) => [id, (plant.done[id] ?? 0) - (before[id] ?? 0)])),
        rates: Object.fromEntries(pairs.map(([id, pair]) => [id, pair.ratePerSec])),
        shadows: Object.fromEntries(pairs.map(([id, pair]) => [id, pair.shadowRatePerSec])),
        reasons: Object.fromEntries(pairs.map(([id, pair]) => [id, pair.reason?.policy])),
        p99Us: Object.fromEntries(Object.entries(plant.latenciesUs).map(([id, all]) => [id, quantile(all, 0.99)])),
        slowdown: Object.fromEntries(resources.map(({ name, slowdown }) => [name, slowdown])),
      };
    });
  return { ...setup, plant, watch };
}

function quantile(values: readonly number[], q: number): number {
  return [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0;
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

export function perSec(windows: readonly Window[], tenant: string): number {
  return mean(windows.map((window) => window.perSec[tenant]));
}

/** Clients that ask again at once. */
export const flood = (visits: Record<string, number>, clients = 100): Load => ({ clients, thinkUs: 0, visits });
