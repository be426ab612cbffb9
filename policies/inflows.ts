/**
 * Tenants that reach a resource by several points: reads by one, writes by another. The load a tenant puts on a resource is known,
 * but not by which point; a rate at a point is reckoned as if all of it came by there:
 *
 *   rate(p,w) = share(r,w) · throughput'(p,w) / load(r,w)        throughput'(p,w) = max(throughput(p,w), ε · max over q feeding r of throughput(q,w))
 *
 * With throughput alone that keeps the mix as it is, at any size, and also when requests pass one point after the other. But who has
 * read for a minute and now writes would be let in at a rate that follows from the last write it did: 0.001 a second, which lets
 * nothing in that could say otherwise, and the shorter what it reads, the longer. (Measured on a day of Hadoop jobs: 585 writes
 * waited for half a minute before idle disks.) Where more than a twentieth comes by a point nothing is changed, so neither is it for
 * requests that pass one point and then, up to twenty times each, another. A larger ε is quicker, and dearer where what comes by the
 * other point costs more: for one window too much of it is let in. Costs are compared only between points of the same unit.
 */
import type { Point } from "./view.js";

/** ε */
const HARDLY = 0.05;

/** What comes to a resource by points of one unit, cost units per second. */
export interface Inflow {
  /** By tenant index, what it gets through at the point where that is most. */
  readonly most: Float64Array;
  /** The same of all tenants together. */
  readonly mostOfAll: number;
}

/** throughput': what a rate at a point is reckoned from. */
export function reckoned(throughput: number, most: number | undefined): number {
  return most === undefined ? throughput : Math.max(throughput, HARDLY * most);
}

/** What comes by these points, by their units; of a unit that one of them alone has, nothing need be known. */
export function inflowsOf(points: readonly Point[]): ReadonlyMap<string, Inflow> {
  const inflows = new Map<string, Inflow>();
  for (const unit of new Set(points.map((point) => point.unit))) {
    const alike = points.filter((point) => point.unit === unit);
    if (alike.length < 2) continue;
    const most = alike[0].throughputs.slice();
    for (const { throughputs } of alike) {
      for (let t = 0; t < most.length; t++) if (throughputs[t] > most[t]) most[t] = throughputs[t];
    }
    inflows.set(unit, { most, mostOfAll: Math.max(...alike.map(({ totalThroughput }) => totalThroughput)) });
  }
  return inflows;
}
