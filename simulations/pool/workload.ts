/**
 * Who asks for what, and when. Requests that come whatever the service does lie in columns, sorted by arrival, so that every
 * scheduler is given the very same ones; tenants that always have requests waiting draw the next one when one begins.
 */
import { IndexedHeap } from "../../enforcement/index.js";

/** Requests in order of arrival, in columns. */
export interface Arrivals {
  readonly count: number;
  /** µs, never falling. */
  readonly atUs: Float64Array;
  readonly tenant: Int32Array;
  readonly api: Int32Array;
  /** Cost units. */
  readonly cost: Float64Array;
}

/** Who sends what when: the tenants of a run, and how each of them arrives. */
export interface Workload {
  /** Names; everywhere else a tenant is its place in this list. */
  readonly tenants: readonly string[];
  /** Names of apis, by their place. */
  readonly apis: readonly string[];
  /** By tenant; default 1 each. */
  readonly weights?: Float64Array;
  readonly arrivals: Arrivals;
  /** Tenants that always have requests waiting; none of them is in `arrivals`. */
  readonly backlogged: readonly Backlogged[];
}

export interface Backlogged {
  readonly tenant: number;
  /** A new stream of the tenant's requests, each time the same. */
  stream(): RequestStream;
  /** It asks anew only when its last request is done: a client that waits for its answer. Default false. */
  readonly oneAtATime?: boolean;
}

/** One request after the other: `next` makes it, `api` and `cost` tell what it is. */
export interface RequestStream {
  api: number;
  cost: number;
  next(): void;
}

/** A tenant's requests that come at their own times. */
export interface TimedStream {
  readonly tenant: number;
  readonly requests: RequestStream;
  /** Time from one arrival to the next, and from the start to the first, µs ≥ 0. */
  gapUs(): number;
}

export const NO_ARRIVALS: Arrivals = {
  count: 0,
  atUs: new Float64Array(0),
  tenant: new Int32Array(0),
  api: new Int32Array(0),
  cost: new Float64Array(0),
};

/** All requests of `streams` before `untilUs`, by time and, at equal times, by tenant. */
export function mergeArrivals(streams: readonly TimedStream[], untilUs: number): Arrivals {
  const columns = new ArrivalColumns();
  const next = new IndexedHeap(); // places in `streams`, by time of the next arrival
  streams.forEach((stream, place) => {
    next.set(place, stream.gapUs());
  });
  while (next.size > 0 && next.firstKey() < untilUs) {
    const place = next.first();
    const atUs = next.firstKey();
    const { tenant, requests } = streams[place];
    requests.next();
    columns.push(atUs, tenant, requests.api, requests.cost);
    next.set(place, atUs + streams[place].gapUs());
  }
  return columns.arrivals();
}

/** Columns that grow. */
export class ArrivalColumns {
  #count = 0;
  #atUs = new Float64Array(1024);
  #tenant = new Int32Array(1024);
  #api = new Int32Array(1024);
  #cost = new Float64Array(1024);

  push(atUs: number, tenant: number, api: number, cost: number): void {
    if (this.#count === this.#atUs.length) this.#grow();
    this.#atUs[this.#count] = atUs;
    this.#tenant[this.#count] = tenant;
    this.#api[this.#count] = api;
    this.#cost[this.#count] = cost;
    this.#count += 1;
  }

  arrivals(): Arrivals {
    const count = this.#count;
    return {
      count,
      atUs: this.#atUs.subarray(0, count),
      tenant: this.#tenant.subarray(0, count),
      api: this.#api.subarray(0, count),
      cost: this.#cost.subarray(0, count),
    };
  }

  #grow(): void {
    const length = 2 * this.#atUs.length;
    const wider = <A extends Float64Array | Int32Array>(column: A, copy: A): A => {
      copy.set(column);
      return copy;
    };
    this.#atUs = wider(this.#atUs, new Float64Array(length));
    this.#tenant = wider(this.#tenant, new Int32Array(length));
    this.#api = wider(this.#api, new Int32Array(length));
    this.#cost = wider(this.#cost, new Float64Array(length));
  }
}
