/**
 * What will a job cost? Most services cannot say before it is done, so a scheduler asks an estimator, and tells it the truth
 * afterwards. Jobs of one tenant and api resemble each other far more than jobs in general: estimates are kept per
 * (tenant, api), beginning with the mean over everybody until the first of a kind has completed.
 *
 *   moving mean:   E ← E + ρ · (c − E),  ρ = max(1/n, 0.1):  the plain mean of the first ten, then exponential
 *   pessimistic:   E ← c if c > E, else α·E,  α = 0.99:  the largest lately seen [2DFQ, §4.2]; what is unpredictable is
 *                  treated as large, and kept away from what is reliably small
 *
 * Memory is bounded: at most 64 kinds of api are told apart, the rest share one.
 */
import { withRow } from "../columns.js";
import type { Ticket } from "./ticket.js";

const MAX_APIS = 64;
const NEW_WEIGHT = 0.1;
/** α of the pessimistic estimate. */
const PESSIMISM = 0.99;

export interface Estimator {
  apiIndex(api: string | undefined): number;
  /** Expected cost of a job, > 0 or 0, finite. */
  estimate(ticket: Ticket): number;
  /** A job was completed at this cost. */
  observe(tenant: number, apiIndex: number, cost: number): void;
}

/** Small integers for api names. */
export class ApiNames {
  readonly #indices = new Map<string, number>();
  #lastName: string | undefined = undefined;
  #lastIndex = 0;

  indexOf(api: string | undefined): number {
    if (api === this.#lastName) return this.#lastIndex;
    let index = api === undefined ? 0 : this.#indices.get(api);
    if (index === undefined) {
      index = this.#indices.size < MAX_APIS - 2 ? this.#indices.size + 1 : MAX_APIS - 1;
      if (index < MAX_APIS - 1) this.#indices.set(api as string, index);
    }
    this.#lastName = api;
    this.#lastIndex = index;
    return index;
  }
}

/** The moving mean per (tenant, api). A declared cost is believed where there is one, unless told otherwise. */
export class MovingMean implements Estimator {
  readonly #apis = new ApiNames();
  /** By api: rows of (mean, how many were seen) by tenant. */
  readonly #rows: Float64Array<ArrayBuffer>[] = [];
  readonly #believe: boolean;
  #overall: number;
  #seen = 0;

  /** @param initial estimate before anything was seen @param believe take `declaredCost` where it is given */
  constructor({ initial = 1, believe = true }: { initial?: number; believe?: boolean } = {}) {
    this.#overall = initial;
    this.#believe = believe;
  }

  apiIndex(api: string | undefined): number {
    return this.#apis.indexOf(api);
  }

  estimate(ticket: Ticket): number {
    if (this.#believe && ticket.declaredCost !== undefined) return ticket.declaredCost;
    return this.mean(ticket.tenant, ticket.apiIndex);
  }

  mean(tenant: number, apiIndex: number): number {
    const rows = this.#rows[apiIndex];
    if (rows !== undefined) {
      const at = 2 * tenant;
      if (at < rows.length && rows[at + 1] > 0) return rows[at];
    }
    return this.#overall;
  }

  observe(tenant: number, apiIndex: number, cost: number): void {
    this.#seen = Math.min(this.#seen + 1, 1 / NEW_WEIGHT);
    this.#overall += (cost - this.#overall) / this.#seen;
    while (this.#rows.length <= apiIndex) this.#rows.push(new Float64Array(0));
    let rows = this.#rows[apiIndex];
    if (2 * tenant >= rows.length) {
      rows = withRow(rows, 2, tenant);
      this.#rows[apiIndex] = rows;
    }
    const at = 2 * tenant;
    const seen = Math.min(rows[at + 1] + 1, 1 / NEW_WEIGHT);
    rows[at] = this.blend(rows[at], seen, cost);
    rows[at + 1] = seen;
  }

  /** The new estimate; `seen`: observations it rests on, this one included, at most 1/ρ. */
  protected blend(estimate: number, seen: number, cost: number): number {
    return estimate + (cost - estimate) / seen;
  }

  /** Forgets a tenant whose index will be another's. */
  forget(tenant: number): void {
    for (const rows of this.#rows) if (2 * tenant < rows.length) rows.fill(0, 2 * tenant, 2 * tenant + 2);
  }
}

/** The largest cost lately seen per (tenant, api); before the first, the mean over everybody. Declared costs are not believed. */
export class Pessimistic extends MovingMean {
  constructor(options: { initial?: number } = {}) {
    super({ ...options, believe: false });
  }

  protected override blend(estimate: number, _seen: number, cost: number): number {
    return Math.max(cost, PESSIMISM * estimate);
  }
}

/** Believes what jobs declare; one that declares nothing costs 1. */
export class Known implements Estimator {
  apiIndex(): number {
    return 0;
  }
  estimate(ticket: Ticket): number {
    return ticket.declaredCost ?? 1;
  }
  observe(): void {}
}

/** What requests of a control point cost, as far as they say: 1 each, until one has been charged anything else. */
export class RequestCosts {
  readonly #means = new MovingMean();
  #learned = false;

  expected(ticket: Ticket): number {
    return this.#learned ? this.#means.mean(ticket.tenant, this.#means.apiIndex(ticket.api)) : 1;
  }

  learn(ticket: Ticket, cost: number): void {
    this.#learned = true;
    this.#means.observe(ticket.tenant, this.#means.apiIndex(ticket.api), cost);
  }

  forget(tenant: number): void {
    this.#means.forget(tenant);
  }
}
