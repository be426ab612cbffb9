/**
 * Everybody who waits at a point, throttled or queued: a bounded number of requests, each no longer than until its deadline.
 */
import type { Alarm, Clock } from "../../proto/ports.js";
import type { TenantIndex } from "../tenant-table.js";
import { Backlog } from "./backlog.js";
import type { Request } from "./request.js";

export class WaitingRoom {
  readonly #backlog = new Backlog();
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #onDeadline: (request: Request) => void;

  /** @param options.limit requests that may wait in all @param options.onDeadline told of each whose deadline passes while it waits */
  constructor(clock: Clock, options: { limit: number; onDeadline(request: Request): void }) {
    this.#clock = clock;
    this.#limit = options.limit;
    this.#onDeadline = options.onDeadline;
  }

  /** Requests waiting in all. */
  get size(): number {
    return this.#backlog.size;
  }

  /** How many requests of a tenant wait. */
  count(tenant: TenantIndex): number {
    return this.#backlog.count(tenant);
  }

  /** Clock time at which the oldest of a tenant's waiting requests came; Infinity when none waits. */
  oldestSinceUs(tenant: TenantIndex): number {
    return this.#backlog.oldestSinceUs(tenant);
  }

  enter(request: Request): void {
    this.#backlog.add(request);
    // Rounded past the deadline itself: at the deadline it may still start.
    if (request.deadlineUs < Number.POSITIVE_INFINITY) request.alarm = this.#alarmAt(Math.floor(request.deadlineUs) + 1, request);
  }

  leave(request: Request): void {
    this.#backlog.remove(request);
    request.alarm?.cancel();
    request.alarm = undefined;
  }

  /** Who has to go so that this request may wait too: undefined is nobody, itself when no backlog is longer than its tenant's. */
  outFor(request: Request): Request | undefined {
    if (this.#backlog.size < this.#limit) return undefined;
    const victim = this.#backlog.newestOfLongest();
    if (victim === undefined || this.#backlog.count(request.tenant) >= this.#backlog.count(victim.tenant)) return request;
    return victim;
  }

  /** Any of those who wait; undefined: nobody does. */
  any(): Request | undefined {
    return this.#backlog.newestOfLongest();
  }

  #alarmAt(whenUs: number, request: Request): Alarm {
    return this.#clock.at(whenUs, () => {
      request.alarm = undefined;
      this.#onDeadline(request);
    });
  }
}
