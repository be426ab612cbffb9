/**
 * What will a job cost? Most services cannot say before it is done, so a scheduler asks an estimator, and tells it the truth
 * afterwards. Jobs of one tenant and api resemble each other far more than jobs in general: estimates are kept per
 * (tenant, api).
 *
 *   moving average:  E ← E + ρ · (c − E),  ρ = max(1/n, 1 − α):  the plain mean at first, then exponential, α = 0.99
 *   pessimistic:     E ← c if c > E, else α·E:  the largest lately seen [2DFQ, §4.2]; what is unpredictable is treated as
 *                    large, and kept away from what is reliably small
 *
 * The papers leave open what the first job of a kind is taken to cost. With nothing, a burst of new ones goes through before
 * the first is done and swamps every scheduler for seconds. We ask in turn: the same api of all tenants together (by the
 * same rule), nine tenths of everything seen (cost-quantile.ts), the configured initial cost.
 *
 * Nor do they say where the estimate of a new (tenant, api) begins. The moving average takes its first job; the pessimist, for
 * whom that is the least pessimistic of all, begins with the api's and comes down from there by the same rule. An api of which
 * one job in a hundred is a thousand times the others would else be taken for small by each tenant anew, until it is hit once.
 *
 * The pessimist's api must forget by tenants, not by jobs:  A ← c if c > A, else (1 − (1 − α)/m)·A,  m: tenants seen with it.
 * By jobs, a few tenants that send thousands of small ones a second teach all newcomers that the api is small. Measured, 319 tenants
 * on 32 slots, a third of whom draw from all apis: in 7 runs of 20 the 99th percentile of a small one was then 50 … 130 ms for as
 * long as tenants were new, and is 3 … 7 (docs/2dfq.md).
 *
 * Memory is bounded: at most 64 kinds of api are told apart, and rows of tenants that left are used again.
 */
import { withRow } from "../columns.js";
import { ApiNames } from "./api-names.js";
import { CostQuantile } from "./cost-quantile.js";
import type { Ticket } from "./ticket.js";

const ALPHA = 0.99;

export interface Estimator {
  apiIndex(api: string | undefined): number;
  /** Expected cost of a job, ≥ 0 and finite. */
  estimate(ticket: Ticket): number;
  /** A job was completed at this cost. */
  observe(tenant: number, apiIndex: number, cost: number): void;
  /** A tenant's index will be another's. */
  forget(tenant: number): void;
}

export interface EstimatorOptions {
  /** What a job is taken to cost before any has completed, > 0. Default 1. */
  initialCost?: number | undefined;
  /** Believe what jobs declare, where they do. Default false. */
  believe?: boolean | undefined;
}

// A row per tenant, and the first for all of them together: (estimate, how many jobs it rests on).
const STRIDE = 2;
const ESTIMATE = 0;
const SEEN = 1;

abstract class Learned implements Estimator {
  readonly #apis = new ApiNames();
  /** By api: rows by tenant. */
  readonly #rows: Float64Array<ArrayBuffer>[] = [];
  /** By api: m, tenants that have a row of their own. */
  readonly #tenants: number[] = [];
  readonly #quantile = new CostQuantile();
  readonly #believe: boolean;
  readonly #initialCost: number;

  constructor({ initialCost = 1, believe = false }: EstimatorOptions = {}) {
    this.#initialCost = initialCost;
    this.#believe = believe;
  }

  /** The new estimate; `seen`: jobs it rests on, this one included. With the first, `estimate` is what the api taught so far. */
  protected abstract blend(estimate: number, seen: number, cost: number): number;

  /** The same of an api, of which so many tenants have been seen. Default: as of a tenant. */
  protected blendAll(estimate: number, seen: number, cost: number, _tenants: number): number {
    return this.blend(estimate, seen, cost);
  }

  apiIndex(api: string | undefined): number {
    return this.#apis.indexOf(api);
  }

  estimate(ticket: Ticket): number {
    if (this.#believe && ticket.declaredCost !== undefined) return ticket.declaredCost;
    return this.expected(ticket.tenant, ticket.apiIndex);
  }

  /** What such a job is taken to cost, whatever it declares. */
  expected(tenant: number, apiIndex: number): number {
    if (apiIndex < this.#rows.length) {
      const rows = this.#rows[apiIndex];
      const at = (tenant + 1) * STRIDE;
      if (at < rows.length && rows[at + SEEN] > 0) return rows[at + ESTIMATE];
      if (rows.length > 0 && rows[SEEN] > 0) return rows[ESTIMATE];
    }
    return this.#quantile.value() ?? this.#initialCost;
  }

  observe(tenant: number, apiIndex: number, cost: number): void {
    while (this.#rows.length <= apiIndex) {
      this.#rows.push(new Float64Array(0));
      this.#tenants.push(0);
    }
    const rows = withRow(this.#rows[apiIndex], STRIDE, tenant + 1);
    this.#rows[apiIndex] = rows;
    const own = (tenant + 1) * STRIDE;
    if (rows[own + SEEN] === 0) {
      rows[own + ESTIMATE] = rows[ESTIMATE];
      this.#tenants[apiIndex] += 1;
    }
    rows[SEEN] += 1;
    rows[ESTIMATE] = this.blendAll(rows[ESTIMATE], rows[SEEN], cost, this.#tenants[apiIndex]);
    rows[own + SEEN] += 1;
    rows[own + ESTIMATE] = this.blend(rows[own + ESTIMATE], rows[own + SEEN], cost);
    this.#quantile.observe(cost);
  }

  forget(tenant: number): void {
    const at = (tenant + 1) * STRIDE;
    for (const [api, rows] of this.#rows.entries()) {
      if (at >= rows.length || rows[at + SEEN] === 0) continue;
      rows.fill(0, at, at + STRIDE);
      this.#tenants[api] -= 1;
    }
  }
}

export class MovingAverage extends Learned {
  readonly #leastShare: number;

  /** @param options.alpha weight of the past, 0 … 1: the mean is over about 1/(1 − α) jobs */
  constructor(options: EstimatorOptions & { alpha?: number } = {}) {
    super(options);
    this.#leastShare = 1 - (options.alpha ?? ALPHA);
  }

  protected blend(estimate: number, seen: number, cost: number): number {
    return seen === 1 ? cost : estimate + (cost - estimate) * Math.max(1 / seen, this.#leastShare);
  }
}

/** The largest cost lately seen per (tenant, api). */
export class Pessimistic extends Learned {
  protected blend(estimate: number, _seen: number, cost: number): number {
    return Math.max(cost, ALPHA * estimate);
  }

  /** A hundredth is forgotten only when each tenant has, on average, sent one more. */
  protected override blendAll(estimate: number, _seen: number, cost: number, tenants: number): number {
    return Math.max(cost, (1 - (1 - ALPHA) / tenants) * estimate);
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
  forget(): void {}
}

const ESTIMATORS = {
  known: () => new Known(),
  "moving-average": (options: EstimatorOptions): Estimator => new MovingAverage(options),
  pessimistic: (options: EstimatorOptions): Estimator => new Pessimistic(options),
};

/** Name of an estimator. */
export type EstimatorKind = keyof typeof ESTIMATORS;

export const ESTIMATOR_KINDS = Object.keys(ESTIMATORS) as EstimatorKind[];

export function createEstimator(kind: EstimatorKind, options: EstimatorOptions): Estimator {
  return ESTIMATORS[kind](options);
}
