/**
 * All requests that wait at a control point, throttled or queued, by tenant and in order of arrival. It answers the two
 * questions that need all of them: how long has a tenant's oldest waited, and, when the point is full, whose backlog is
 * longest. The newest request of the longest backlog is the one refused then: whoever floods pays for the flood, and
 * a tenant that waits with few requests is never pushed out by one that waits with many.
 */
import { withIndex } from "../columns.js";
import { IndexedHeap } from "../schedulers/indexed-heap.js";
import type { TenantIndex } from "../tenant-table.js";
import type { Request } from "./request.js";

export class Backlog {
  /** Requests waiting in all. */
  size = 0;
  readonly #oldest: (Request | undefined)[] = [];
  readonly #newest: (Request | undefined)[] = [];
  readonly #byLength = new IndexedHeap(); // key: minus the tenant's count
  #counts = new Int32Array(0);

  add(request: Request): void {
    const { tenant } = request;
    while (this.#newest.length <= tenant) {
      this.#newest.push(undefined);
      this.#oldest.push(undefined);
    }
    const newest = this.#newest[tenant];
    request.older = newest;
    if (newest === undefined) this.#oldest[tenant] = request;
    else newest.newer = request;
    this.#newest[tenant] = request;
    this.#counts = withIndex(this.#counts, tenant);
    this.#counts[tenant] += 1;
    this.size += 1;
    this.#byLength.set(tenant, -this.#counts[tenant]);
  }

  remove(request: Request): void {
    const { tenant, older, newer } = request;
    if (older === undefined) this.#oldest[tenant] = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest[tenant] = older;
    else newer.older = older;
    request.older = undefined;
    request.newer = undefined;
    this.#counts[tenant] -= 1;
    this.size -= 1;
    if (this.#counts[tenant] === 0) this.#byLength.remove(tenant);
    else this.#byLength.set(tenant, -this.#counts[tenant]);
  }

  /** How many requests of a tenant wait. */
  count(tenant: TenantIndex): number {
    return tenant < this.#counts.length ? this.#counts[tenant] : 0;
  }

  /** The newest request of the tenant with the longest backlog; undefined when nobody waits. */
  newestOfLongest(): Request | undefined {
    const tenant = this.#byLength.first();
    return tenant < 0 ? undefined : this.#newest[tenant];
  }

  /** Clock time at which the oldest of a tenant's waiting requests came; Infinity when none waits. */
  oldestSinceUs(tenant: TenantIndex): number {
    return this.#oldest[tenant]?.arrivedUs ?? Number.POSITIVE_INFINITY;
  }
}
