/**
 * The throttle of one control point: a cost-settled token bucket per tenant, and behind each a line of requests in order.
 *
 * One alarm per tenant, set to the moment the first in line can pass. Two things make it exact:
 *
 *  - Whoever changes a bucket (a new rate, tokens given back) lets the line move at once; a raise never waits for an alarm
 *    that was set under the old rate.
 *  - Alarms ring late, more so in a busy process. A request that was due at T is debited as of T, and the next one's due time
 *    follows from T, not from when we woke. So late alarms delay, but lose no tokens: the rate used is the rate given.
 */
import type { Alarm, Clock } from "../../proto/ports.js";
import { LinkedQueue } from "../linked-queue.js";
import type { TenantIndex } from "../tenant-table.js";
import { Buckets } from "./buckets.js";
import type { Request } from "./request.js";

/** The longest an alarm is set ahead; when it rings early, it is set again. Keeps far-off times out of timers that cannot hold them. */
const FARTHEST_US = 3_600_000_000;

interface Line {
  readonly queue: LinkedQueue<Request>;
  /** Σ cost of those in line. */
  cost: number;
  /** When the first may pass, clock time µs. */
  dueUs: number;
  alarm: Alarm | undefined;
}

export class Throttle {
  readonly #buckets = new Buckets();
  readonly #lines: (Line | undefined)[] = []; // by tenant; only tenants that ever had to wait have one
  readonly #reasons: (string | undefined)[] = []; // by tenant
  readonly #clock: Clock;
  readonly #onAdmitted: (request: Request, nowUs: number) => void;
  readonly #onReleased: (nowUs: number) => void;
  #toWake: TenantIndex[] = [];

  /** @param onAdmitted told of each request that leaves its line @param onReleased told after a line has moved */
  constructor(clock: Clock, on: { admitted(request: Request, nowUs: number): void; released(nowUs: number): void }) {
    this.#clock = clock;
    this.#onAdmitted = on.admitted;
    this.#onReleased = on.released;
  }

  /** How many tenants have a rate in force. */
  get limited(): number {
    return this.#buckets.limited;
  }

  isLimited(tenant: TenantIndex): boolean {
    return this.#buckets.isLimited(tenant);
  }

  ratePerSec(tenant: TenantIndex): number {
    return this.#buckets.ratePerSec(tenant);
  }

  /** "policy|resource" of the rate in force. */
  because(tenant: TenantIndex): string | undefined {
    return this.isLimited(tenant) ? this.#reasons[tenant] : undefined;
  }

  /** May this request pass now? Takes its tokens if so; changes nothing if not. */
  tryPass(request: Request, nowUs: number): boolean {
    if (!this.#buckets.isLimited(request.tenant)) return true;
    if (!this.tryTake(request.tenant, request.cost, nowUs)) return false;
    request.taken = request.cost;
    return true;
  }

  /** The same for tokens alone. */
  tryTake(tenant: TenantIndex, cost: number, nowUs: number): boolean {
    if (!this.#buckets.isLimited(tenant)) return true;
    const line = this.#lines[tenant];
    if (line?.queue.head !== undefined) {
      if (line.dueUs <= nowUs) this.release(tenant, nowUs);
      if (line.queue.head !== undefined) return false;
    }
    if (this.#buckets.ratePerSec(tenant) === 0) return false;
    return this.#buckets.tryTake(tenant, Math.min(cost, this.#buckets.burst(tenant)), cost, nowUs);
  }

  /** How long a request of this cost would wait at the end of the line, µs; Infinity: for ever. */
  waitUs(tenant: TenantIndex, cost: number, nowUs: number): number {
    if (!this.#buckets.isLimited(tenant)) return 0;
    if (this.#buckets.ratePerSec(tenant) === 0) return Number.POSITIVE_INFINITY;
    const need = Math.min(cost, this.#buckets.burst(tenant));
    return this.#buckets.queueWaitUs(tenant, need, this.#lines[tenant]?.cost ?? 0, nowUs);
  }

  /** Puts a request that may not pass at the end of its tenant's line. */
  hold(request: Request, nowUs: number): void {
    const { tenant } = request;
    while (this.#lines.length <= tenant) this.#lines.push(undefined);
    this.#lines[tenant] ??= { queue: new LinkedQueue(), cost: 0, dueUs: 0, alarm: undefined };
    const line = this.#lines[tenant];
    line.queue.push(request);
    line.cost += request.cost;
    if (line.queue.head === request) {
      line.dueUs = nowUs + this.#headWaitUs(request, nowUs);
      this.#setAlarm(tenant, line, nowUs);
    }
  }

  /** Takes a request out of its line. The line may then move: call `release`. */
  leave(request: Request): void {
    const line = this.#lines[request.tenant] as Line;
    line.queue.remove(request);
    line.cost = line.queue.head === undefined ? 0 : line.cost - request.cost;
    if (line.queue.head === undefined) this.#cancelAlarm(line);
  }

  /** Lets pass whoever may. */
  release(tenant: TenantIndex, nowUs: number): void {
    const line = this.#lines[tenant];
    if (line?.queue.head === undefined) return;
    // The first was due at `dueUs`, however late it is now; if something changed before that, now is when it counts from.
    let asOfUs = Math.min(nowUs, line.dueUs);
    for (let request = line.queue.head; request !== undefined; request = line.queue.head) {
      const dueUs = asOfUs + this.#headWaitUs(request, asOfUs);
      line.dueUs = dueUs;
      if (dueUs > nowUs) break;
      if (this.#buckets.isLimited(tenant)) {
        this.#buckets.tryTake(tenant, this.#need(request), request.cost, dueUs);
        request.taken = request.cost;
      }
      asOfUs = dueUs;
      this.leave(request);
      this.#onAdmitted(request, nowUs);
    }
    if (line.queue.head !== undefined) this.#setAlarm(tenant, line, nowUs);
    this.#onReleased(nowUs);
  }

  /** Gives back (> 0) or takes further (< 0) tokens of a tenant, if it is limited. After giving back, call `release`. */
  settle(tenant: TenantIndex, tokens: number, nowUs: number): void {
    if (tokens !== 0 && this.#buckets.isLimited(tenant)) this.#buckets.settle(tenant, tokens, nowUs);
  }

  /** Sets a tenant's rate; its line moves with `wake`. */
  limit(tenant: TenantIndex, limit: { ratePerSec: number; burst: number; because: string | undefined }, nowUs: number): void {
    while (this.#reasons.length <= tenant) this.#reasons.push(undefined);
    this.#reasons[tenant] = limit.because;
    const { ratePerSec, burst } = limit;
    if (this.#buckets.ratePerSec(tenant) === ratePerSec && this.#buckets.burst(tenant) === burst) return; // a renewal
    this.#buckets.set(tenant, ratePerSec, burst, nowUs);
    this.#mayMove(tenant);
  }

  /** Lets a tenant pass without limit; its line moves with `wake`. */
  unlimit(tenant: TenantIndex): void {
    this.#buckets.unset(tenant);
    this.#mayMove(tenant);
  }

  /** Lets the lines move whose rates have changed. @param refuseAll told of tenants whose rate is zero and who have a line */
  wake(nowUs: number, refuseAll: (tenant: TenantIndex) => void): void {
    const tenants = this.#toWake;
    if (tenants.length === 0) return;
    this.#toWake = [];
    for (const tenant of tenants) {
      if (this.#buckets.ratePerSec(tenant) === 0) refuseAll(tenant);
      else this.release(tenant, nowUs);
    }
  }

  /** The first in a tenant's line. */
  first(tenant: TenantIndex): Request | undefined {
    return this.#lines[tenant]?.queue.head;
  }

  #mayMove(tenant: TenantIndex): void {
    const line = this.#lines[tenant];
    if (line?.queue.head === undefined) return;
    line.dueUs = Number.POSITIVE_INFINITY; // what was due under the old rate is due no more
    this.#toWake.push(tenant);
  }

  #need(request: Request): number {
    return Math.min(request.cost, this.#buckets.burst(request.tenant));
  }

  #headWaitUs(request: Request, nowUs: number): number {
    return this.#buckets.isLimited(request.tenant) ? this.#buckets.waitUs(request.tenant, this.#need(request), nowUs) : 0;
  }

  #setAlarm(tenant: TenantIndex, line: Line, nowUs: number): void {
    this.#cancelAlarm(line);
    if (line.dueUs === Number.POSITIVE_INFINITY) return;
    const whenUs = Math.min(line.dueUs, nowUs + FARTHEST_US);
    line.alarm = this.#clock.at(whenUs, () => {
      line.alarm = undefined;
      this.release(tenant, this.#clock.nowUs());
    });
  }

  #cancelAlarm(line: Line): void {
    line.alarm?.cancel();
    line.alarm = undefined;
  }
}
