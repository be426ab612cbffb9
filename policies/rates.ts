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
import type { Point, Resource, Tenant, View } from "./view.js";

/** What a policy decides: rates by point and tenant, each with the resource it is due to. Whoever has none is unlimited. */
export class Rates {
  /** Per point index: rate per tenant index, Infinity where unlimited. Undefined: nothing limited at this point. */
  readonly #rates: (Float64Array | undefined)[];
  readonly #because: (Int32Array | undefined)[];
  /** Per point index: what is promised per tenant index, 0 where nothing is. Undefined: nothing promised at this point. */
  readonly #promises: (Float64Array | undefined)[];
  readonly #tenants: number;

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
   * Limits whoever is given a share of `resource`, at every point of `points`, to the rate at which it puts just that load there
   * (`Point.rateFor`). The same as a `limit` each, and several times as fast where there are many tenants.
   *
   * @param shares  load by tenant index, unit of the resource per second; Infinity: not limited
   * @param reasons by tenant index, the resource the limit is because of, by its index; at a point that does not lead there, it
   *   is `resource`
   */
  limitLoads(points: readonly Point[], resource: Resource, shares: Float64Array, reasons: Int32Array): void {
    const { loads } = resource;
    const total = resource.totalLoad();
    for (const point of points) {
      const { throughputs } = point;
      const everybodys = total > 0 && point.totalThroughput > 0 ? point.totalThroughput / total : Number.POSITIVE_INFINITY;
      const [rates, because] = this.#columns(point);
      for (let t = 0; t < shares.length; t++) {
        if (shares[t] === Number.POSITIVE_INFINITY) continue;
        const through = throughputs[t];
        // As `rateFor`: by what its own requests used or, when none got through, by everybody's.
        const ratio = through > 0 ? (loads[t] > 0 ? through / loads[t] : Number.POSITIVE_INFINITY) : everybodys;
        if (ratio === Number.POSITIVE_INFINITY) continue;
        const rate = ratio * shares[t];
        if (rate < rates[t] || Number.isNaN(rate)) {
          rates[t] = rate;
          because[t] = point.fed[reasons[t]] === 1 ? reasons[t] : resource.index;
        }
      }
    }
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
    const rate = this.#rates[point.index]?.[tenant.index];
    return rate === Number.POSITIVE_INFINITY ? undefined : rate;
  }

  /** The limits at a point by tenant index, Infinity where unlimited; undefined: nobody is limited there. Read only. */
  column(point: Point): Float64Array | undefined {
    return this.#rates[point.index];
  }

  /** Index of the resource this limit is because of; −1: of none. Only meaningful where `get` is not undefined. */
  because(point: Point, tenant: Tenant): number {
    return this.#because[point.index]?.[tenant.index] ?? -1;
  }

  /** Calls `visit` for every limited pair, in order of point, then tenant. */
  forEach(visit: (pointIndex: number, tenantIndex: number, ratePerSec: number, resourceIndex: number) => void): void {
    for (let p = 0; p < this.#rates.length; p++) {
      const rates = this.#rates[p];
      const reasons = this.#because[p];
      if (rates === undefined || reasons === undefined) continue;
      for (let t = 0; t < rates.length; t++) {
        if (rates[t] !== Number.POSITIVE_INFINITY) visit(p, t, rates[t], reasons[t]);
      }
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
