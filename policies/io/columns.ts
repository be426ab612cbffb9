/** Rates as columns, which go from thread to thread for nothing; and back. */
import { Rates } from "../rates.js";
import type { Point, Resource, View } from "../view.js";

/** All by index in the view. */
export interface Columns {
  points: Int32Array<ArrayBuffer>;
  tenants: Int32Array<ArrayBuffer>;
  rates: Float64Array<ArrayBuffer>;
  /** −1: because of none. */
  resources: Int32Array<ArrayBuffer>;
  /** What is promised, each with its point and its tenant. */
  promises: Float64Array<ArrayBuffer>;
}

export function columnsOf(rates: Rates): Columns {
  const limits: number[][] = [];
  rates.forEach((...limit) => {
    limits.push(limit);
  });
  const promises: number[] = [];
  rates.forEachPromise((...promise) => {
    promises.push(...promise);
  });
  return {
    points: Int32Array.from(limits, ([point]) => point),
    tenants: Int32Array.from(limits, ([, tenant]) => tenant),
    rates: Float64Array.from(limits, ([, , rate]) => rate),
    resources: Int32Array.from(limits, ([, , , resource]) => resource),
    promises: Float64Array.from(promises),
  };
}

/** What is to be moved with them, rather than copied. */
export function buffersOf(columns: Columns): ArrayBuffer[] {
  return Object.values(columns).map((column: Int32Array<ArrayBuffer>) => column.buffer);
}

/** Limits about what is not in the view are kept, for the guard to refuse. */
export function unfold({ points, tenants, rates, resources, promises }: Columns, view: View): Rates {
  const decided = new Rates(view);
  const pointAt = (index: number) => view.points[index] ?? ({ index } as Point);
  for (let i = 0; i < points.length; i++) {
    const resource = resources[i] === -1 ? undefined : (view.resources[resources[i]] ?? ({ index: resources[i] } as Resource));
    decided.limit(pointAt(points[i]), view.tenants[tenants[i]], rates[i], resource);
  }
  for (let i = 0; i < promises.length; i += 3) {
    decided.promise(pointAt(promises[i]), view.tenants[promises[i + 1]], promises[i + 2]);
  }
  return decided;
}
