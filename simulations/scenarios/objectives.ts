/**
 * How latency objectives are judged, the same for every scenario that has some: by what the clients saw, window by window, and
 * against the best that a fixed limit could have done.
 */
import { quantileOf } from "../measures.js";
import type { SimulatedTenant } from "../world/tenants.js";
import type { WorldOptions } from "../world/world.js";

/** What all runs of these scenarios may set, with the policy, without it, or under fixed limits. */
export interface ObjectivePlan extends WorldOptions {
  /** Overrides of the policy's parameters. */
  params?: Record<string, number>;
  onProgress?: ((nowUs: number) => void) | undefined;
}

/**
 * 99th percentile of a tenant's latencies in each window, µs, from asking to answer. Where requests waited and none was
 * answered it is Infinity: silence is a miss, not a pass.
 */
export function p99sUs({ latencyUs, open }: SimulatedTenant): number[] {
  return latencyUs.values.map((values, i) => {
    if (values.length > 0) return quantileOf(values, 0.99);
    return open[i] > 0 ? Number.POSITIVE_INFINITY : Number.NaN;
  });
}

/** Part of the windows from `from` up to, not including, `to` whose value is at most `target`, 0…1. NaN is no window. */
export function partInTime(values: readonly number[], target: number, from: number, to = values.length): number {
  const windows = values.slice(from, to).filter((value) => !Number.isNaN(value));
  return windows.length === 0 ? Number.NaN : windows.filter((value) => value <= target).length / windows.length;
}

/** Windows after `from` until one is in time, and of all that follow at least `part`; `to − from` when that never comes. */
export function windowsUntilInTime(
  values: readonly number[],
  { target, from, to = values.length, part = 0.95 }: { target: number; from: number; to?: number; part?: number },
): number {
  for (let start = from; start < to; start++) {
    if (values[start] <= target && partInTime(values, target, start, to) >= part) return start - from;
  }
  return to - from;
}

/**
 * The largest of `limits` that holds, found by halving: what holds is taken to hold for every smaller one too.
 *
 * @param limits in rising order
 * @returns what `holds` gave for it; undefined when not even the smallest holds
 */
export function bestLimit<T>(
  limits: readonly number[],
  holds: (limit: number) => T | undefined,
): { limit: number; found: T } | undefined {
  let best: { limit: number; found: T } | undefined;
  let from = 0;
  let to = limits.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const found = holds(limits[middle]);
    if (found === undefined) to = middle;
    else {
      best = { limit: limits[middle], found };
      from = middle + 1;
    }
  }
  return best;
}
