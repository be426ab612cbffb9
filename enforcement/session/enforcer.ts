/**
 * Brings what is in force to where it acts: rates to the buckets of control points, weights and order to schedulers. The whole allocation
 * is in place before anyone is woken, so that whoever wakes first does not act on half of it.
 */
import type { Clock } from "../../proto/ports.js";
import type { ControlPoint } from "../points/control-point.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import type { RateTable } from "./rate-table.js";

export class Enforcer {
  readonly #clock: Clock;
  readonly #tenants: TenantTable;
  /** By point: tenants that were limited there at the last turn. */
  readonly #limited = new Map<ControlPoint, Set<TenantIndex>>();
  #weighted: TenantIndex[] = [];

  constructor(clock: Clock, tenants: TenantTable) {
    this.#clock = clock;
    this.#tenants = tenants;
  }

  addPoint(point: ControlPoint, table: RateTable): void {
    this.#limited.set(point, new Set());
    this.#enforceAt(point, table, this.#clock.nowUs());
  }

  /** What is in force has changed. */
  enforce(table: RateTable): void {
    const nowUs = this.#clock.nowUs();
    for (const tenant of this.#weighted) this.#tenants.weights[tenant] = 1;
    this.#weighted = [];
    for (const [id, weight] of table.weights) {
      const tenant = this.#tenants.find(id);
      if (tenant !== undefined) this.#weigh(tenant, weight);
    }
    for (const point of this.#limited.keys()) this.#enforceAt(point, table, nowUs);
    for (const point of this.#limited.keys()) point.wake(nowUs);
  }

  /** A tenant is new here: what is in force for it may have been said before. */
  addTenant(tenant: TenantIndex, id: string, table: RateTable): void {
    const nowUs = this.#clock.nowUs();
    const weight = table.weights.get(id);
    if (weight !== undefined) this.#weigh(tenant, weight);
    for (const [point, limited] of this.#limited) {
      const limit = table.limitOf(point.logicalName, id);
      if (limit === undefined) continue;
      point.limit(tenant, limit, nowUs);
      limited.add(tenant);
    }
  }

  /** A tenant's index will be another's. */
  forgetTenant(tenant: TenantIndex): void {
    for (const [point, limited] of this.#limited) {
      point.forget(tenant);
      limited.delete(tenant);
    }
    this.#weighted = this.#weighted.filter((each) => each !== tenant);
  }

  #enforceAt(point: ControlPoint, table: RateTable, nowUs: number): void {
    const before = this.#limited.get(point) as Set<TenantIndex>;
    const after = new Set<TenantIndex>();
    for (const id of table.tenantsAt(point.logicalName)) {
      const tenant = this.#tenants.find(id);
      const limit = table.limitOf(point.logicalName, id);
      if (tenant === undefined || limit === undefined) continue;
      point.limit(tenant, limit, nowUs);
      after.add(tenant);
    }
    for (const tenant of before) if (!after.has(tenant)) point.unlimit(tenant);
    point.inArrivalOrder(table.goesByArrival(point.logicalName));
    this.#limited.set(point, after);
  }

  #weigh(tenant: TenantIndex, weight: number): void {
    this.#tenants.weights[tenant] = weight;
    this.#weighted.push(tenant);
  }
}
