/**
 * Tenants by name, for a scheduler that knows them by index. Whoever has a job is known; of those who have none the 10,000
 * that left last, since what was learned of their costs, and what they owe, is worth keeping. Indices of the others are used
 * again, so that a million tenants who come and go take the room of ten thousand.
 */
import { type Linked, LinkedQueue } from "../linked-queue.js";

/** Tenants without a job that are kept in mind. */
const IDLE_KEPT = 10_000;

export class JobTenant implements Linked {
  name = "";
  weight = 1;
  /** Its jobs that wait or run. */
  jobs = 0;
  readonly index: number;
  /** Neighbours among those who have no job. */
  next: Linked | undefined = undefined;
  previous: Linked | undefined = undefined;

  constructor(index: number) {
    this.index = index;
  }
}

export class JobTenants {
  readonly #byName = new Map<string, JobTenant>();
  readonly #byIndex: JobTenant[] = [];
  readonly #idle = new LinkedQueue<JobTenant>();
  #idleCount = 0;
  readonly #onForgotten: (index: number) => void;

  /** @param onForgotten told of each index that will be another tenant's */
  constructor(onForgotten: (index: number) => void) {
    this.#onForgotten = onForgotten;
  }

  /** Tenants known now. */
  get size(): number {
    return this.#byName.size;
  }

  at(index: number): JobTenant {
    return this.#byIndex[index];
  }

  /** One more job of a tenant, new or known. */
  join(name: string): JobTenant {
    let tenant = this.#byName.get(name);
    if (tenant === undefined) {
      tenant = this.#idleCount >= IDLE_KEPT ? this.#reused() : this.#added();
      tenant.name = name;
      this.#byName.set(name, tenant);
    } else if (tenant.jobs === 0) {
      this.#idle.remove(tenant);
      this.#idleCount -= 1;
    }
    tenant.jobs += 1;
    return tenant;
  }

  /** One job of a tenant fewer. */
  leave(tenant: JobTenant): void {
    tenant.jobs -= 1;
    if (tenant.jobs > 0) return;
    this.#idle.push(tenant);
    this.#idleCount += 1;
  }

  #added(): JobTenant {
    const tenant = new JobTenant(this.#byIndex.length);
    this.#byIndex.push(tenant);
    return tenant;
  }

  /** The one that has been without a job for longest makes room. */
  #reused(): JobTenant {
    const tenant = this.#idle.shift()!;
    this.#idleCount -= 1;
    this.#byName.delete(tenant.name);
    this.#onForgotten(tenant.index);
    return tenant;
  }
}
