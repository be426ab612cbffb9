/**
 * What a policy decides: for some (point, tenant) a rate, and why. Whatever is not limited is unlimited, explicitly so: there
 * is no number that means "no limit". When a policy (or several) limits the same pair twice, the tightest wins and its reason
 * is the one that is told.
 *
 * A policy may also promise: no other policy of the stack then holds that pair to less. What is promised is a floor under what
 * others decide, and no limit.
 */
import { TenantryError } from "../proto/errors.js";
import { shown } from "../proto/names.js";
import { reckoned } from "./inflows.js";
import type { Point, Resource, Tenant, View } from "./view.js";

/** One call of `limitLoads`. */
interface LoadLimits {
  readonly resource: Resource;
  readonly shares: Float64Array;
  readonly reasons: Int32Array;
}

/** Of two limits that are nearer to each other, rounding may say which is tighter. */
const NEAR = 1e-9;

/** What a policy decides: rates by point and tenant, each with the resource it is due to. Whoever has none is unlimited. */
export class Rates {
  /** Per point index: rate per tenant index, Infinity where unlimited. Undefined: nothing limited at this point. */
  readonly #rates: (Float64Array | undefined)[];
  readonly #because: (Int32Array | undefined)[];
  /** Per point index: what is promised per tenant index, 0 where nothing is. Undefined: nothing promised at this point. */
  readonly #promises: (Float64Array | undefined)[];
  readonly #tenants: number;
  /** Of `limitLoads`, not in the columns yet. */
  #waiting: { points: readonly Point[]; loads: LoadLimits[] } | undefined;

  constructor(view: View) {
    this.#tenants = view.tenants.length;
    this.#rates = new Array(view.points.length).fill(undefined);
    this.#because = new Array(view.points.length).fill(undefined);
    this.#promises = new Array(view.points.length).fill(undefined);
  }

  /**
   * Limits `tenant` at `point` to `ratePerSec` cost units per second (≥ 0, finite) over all instances, because of
   * `resource` (undefined: for a reason that is no resource, such as a cap). A tighter limit set before stays.
   * An infinite rate limits nothing and is ignored; NaN and negative numbers, points that are not in the view, and what is no
   * number at all (as NaN) are kept for the guard to refuse.
   *
   * @throws TenantryError BAD_POLICY for a tenant that is not in the view
   */
  limit(point: Point, tenant: Tenant, ratePerSec: number, because?: Resource): void {
    if (ratePerSec === Number.POSITIVE_INFINITY) return;
    this.#settle();
    const [rates, reasons] = this.#columns(point);
    const before = rates[tenant.index];
    if (before === undefined) {
      throw new TenantryError(
        "BAD_POLICY",
        `a limit is set for tenant ${shown(tenant.index)} (${shown(tenant.id)}), who is not in the view; take tenants from view.tenants`,
      );
    }
    const rate = typeof ratePerSec === "number" ? ratePerSec : Number.NaN;
    if (rate < before || Number.isNaN(rate)) {
      rates[tenant.index] = rate;
      reasons[tenant.index] = because === undefined ? -1 : because.index;
    }
  }

  /**
   * Limits everybody at `point`, as a `limit` each would.
   *
   * @param ratesPerSec by tenant index; Infinity: not limited
   * @param because     by tenant index, the resource, by its index; −1: none. Absent: none for all
   */
  limitAll(point: Point, ratesPerSec: Float64Array, because?: Int32Array): void {
    this.#settle();
    const [rates, reasons] = this.#columns(point);
    for (let t = 0; t < rates.length; t++) {
      if (!(ratesPerSec[t] < rates[t] || Number.isNaN(ratesPerSec[t]))) continue;
      rates[t] = ratesPerSec[t];
      reasons[t] = because === undefined ? -1 : because[t];
    }
  }

  /**
   * Limits whoever is given a share of `resource`, at every point of `points`, to the rate at which it puts just that load there
   * (`Point.rateFor`). The same as a `limit` each, and several times as fast where there are many tenants and the list of points is
   * the same for several resources.
   *
   * @param shares  load by tenant index, unit of the resource per second; Infinity: not limited
   * @param reasons by tenant index, the resource the limit is because of, by its index; at a point that does not lead there, it
   *   is `resource`
   */
  limitLoads(points: readonly Point[], resource: Resource, shares: Float64Array, reasons: Int32Array): void {
    // Most resources are fed by the same points, and most of their limits never hold, for another resource is shorter still. So
    // those at one list of points wait for each other, and which is the tightest is asked once for all its points.
    if (this.#waiting?.points !== points) this.#settle();
    this.#waiting ??= { points, loads: [] };
    this.#waiting.loads.push({ resource, shares: shares.slice(), reasons: reasons.slice() });
  }

  /**
   * Promises `tenant` that no other policy holds it to less than `ratePerSec` (≥ 0, finite) at `point`, over all instances. Of
   * two promises the larger stands. Limits this policy sets itself are not lifted. NaN, negative and infinite numbers, and what
   * is no number, are kept for the guard to refuse.
   */
  promise(point: Point, tenant: Tenant, ratePerSec: number): void {
    let promises = this.#promises[point.index];
    if (promises === undefined) promises = this.#promises[point.index] = new Float64Array(this.#tenants);
    const before = promises[tenant.index];
    const rate = typeof ratePerSec === "number" ? ratePerSec : Number.NaN;
    if (before >= 0 && !(rate >= 0 && rate <= before)) promises[tenant.index] = rate;
  }

  /** The limit decided for this pair, cost units per second; undefined: unlimited. */
  get(point: Point, tenant: Tenant): number | undefined {
    const rate = this.column(point)?.[tenant.index];
    return rate === Number.POSITIVE_INFINITY ? undefined : rate;
  }

  /** The limits at a point by tenant index, Infinity where unlimited; undefined: nobody is limited there. Read only. */
  column(point: Point): Float64Array | undefined {
    this.#settle();
    return this.#rates[point.index];
  }

  /** Index of the resource this limit is because of; −1: of none. Only meaningful where `get` is not undefined. */
  because(point: Point, tenant: Tenant): number {
    this.#settle();
    return this.#because[point.index]?.[tenant.index] ?? -1;
  }

  /** Calls `visit` for every limited pair, in order of point, then tenant. */
  forEach(visit: (pointIndex: number, tenantIndex: number, ratePerSec: number, resourceIndex: number) => void): void {
    this.forEachPoint((p, rates, because) => {
      for (let t = 0; t < rates.length; t++) if (rates[t] !== Number.POSITIVE_INFINITY) visit(p, t, rates[t], because[t]);
    });
  }

  /**
   * Calls `visit` for every point at which something is limited, in order, with its columns by tenant index: rates, Infinity
   * where unlimited, and the resource each is because of, by its index, −1: none. Read only.
   */
  forEachPoint(visit: (pointIndex: number, rates: Float64Array, because: Int32Array) => void): void {
    this.#settle();
    for (let p = 0; p < this.#rates.length; p++) {
      const rates = this.#rates[p];
      const because = this.#because[p];
      if (rates !== undefined && because !== undefined) visit(p, rates, because);
    }
  }

  /** Calls `visit` for every pair that is promised something, in order of point, then tenant. */
  forEachPromise(visit: (pointIndex: number, tenantIndex: number, ratePerSec: number) => void): void {
    for (let p = 0; p < this.#promises.length; p++) {
      const promises = this.#promises[p];
      if (promises === undefined) continue;
      for (let t = 0; t < promises.length; t++) if (promises[t] !== 0) visit(p, t, promises[t]);
    }
  }

  #settle(): void {
    if (this.#waiting === undefined) return;
    const { points, loads } = this.#waiting;
    this.#waiting = undefined;
    const parts = smallestParts(loads, this.#tenants);
    for (const limit of loads) {
      const { resource, shares, reasons } = limit;
      const contenders = contendersOf(limit, parts);
      for (const point of points) {
        const { throughputs, fed } = point;
        const [rates, because] = this.#columns(point);
        const most = resource.inflows.get(point.unit)?.most;
        for (let c = 0; c < contenders.length; c++) {
          const t = contenders[c];
          const ratio = reckoned(throughputs[t], most?.[t]) / resource.loads[t];
          const rate = ratio * shares[t];
          if (throughputs[t] > 0 && ratio < Number.POSITIVE_INFINITY && (rate < rates[t] || Number.isNaN(rate))) {
            rates[t] = rate;
            because[t] = fed[reasons[t]] === 1 ? reasons[t] : resource.index;
          }
        }
      }
    }
    for (const point of points) this.#limitUnseen(point, loads);
  }

  /** Of whom nothing got through at the point: by what everybody's requests use, any of the limits may be the tightest. */
  #limitUnseen(point: Point, loads: readonly LoadLimits[]): void {
    const { throughputs, totalThroughput, fed } = point;
    const [rates, because] = this.#columns(point);
    for (let t = 0; t < rates.length; t++) {
      if (throughputs[t] > 0) continue;
      for (const { resource, shares, reasons } of loads) {
        const total = reckoned(totalThroughput, resource.inflows.get(point.unit)?.mostOfAll);
        const ratio = total > 0 ? total / resource.totalLoad() : Number.POSITIVE_INFINITY;
        if (shares[t] === Number.POSITIVE_INFINITY || ratio === Number.POSITIVE_INFINITY) continue;
        const rate = ratio * shares[t];
        if (!(rate < rates[t] || Number.isNaN(rate))) continue;
        rates[t] = rate;
        because[t] = fed[reasons[t]] === 1 ? reasons[t] : resource.index;
      }
    }
  }

  #columns({ index }: Point): readonly [Float64Array, Int32Array] {
    let rates = this.#rates[index];
    let reasons = this.#because[index];
    if (rates === undefined || reasons === undefined) {
      rates = this.#rates[index] = new Float64Array(this.#tenants).fill(Number.POSITIVE_INFINITY);
      reasons = this.#because[index] = new Int32Array(this.#tenants).fill(-1);
    }
    return [rates, reasons];
  }
}

/** By tenant index, the smallest part of what it uses that one of the limits leaves it. */
function smallestParts(limits: readonly LoadLimits[], tenants: number): Float64Array {
  const parts = new Float64Array(tenants).fill(Number.POSITIVE_INFINITY);
  for (const { shares, resource } of limits) {
    const { loads } = resource;
    for (let t = 0; t < tenants; t++) if (loads[t] > 0) parts[t] = Math.min(parts[t], shares[t] / loads[t]);
  }
  return parts;
}

/** Whom this limit may hold to least of all, by the index of the tenant. What is no number contends always. */
function contendersOf({ shares, resource: { loads } }: LoadLimits, parts: Float64Array): Int32Array {
  const contenders = new Int32Array(parts.length);
  let count = 0;
  for (let t = 0; t < parts.length; t++) {
    if (shares[t] === Number.POSITIVE_INFINITY || !(loads[t] > 0)) continue;
    if (!(shares[t] / loads[t] > parts[t] * (1 + NEAR))) contenders[count++] = t;
  }
  return contenders.subarray(0, count);
}
