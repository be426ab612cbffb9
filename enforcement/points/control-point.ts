/**
 * Where requests may be held back: throttle, then scheduler, then a slot. Here is what a point offers, and what it refuses to
 * be told; a request's way through stands in passage.ts.
 *
 * The throttle enforces what the controller decided, tenant by tenant, and lets pass whoever has no rate in force. The
 * scheduler shares the slots fairly among those who passed, whether or not there is a controller. Both are charged what a
 * request is expected to cost when they let it pass, and settled by what it did cost.
 */
import { TenantryError } from "../../proto/errors.js";
import type { Clock } from "../../proto/ports.js";
import type { Meter } from "../meters/meter.js";
import { unknownTenant } from "../meters/resource-meter.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import type { ViaSet, ViaTable } from "../via.js";
import { Passage } from "./passage.js";
import { PointAccount } from "./point-account.js";
import { checkCost, checkSlots, type PointParts } from "./point-options.js";
import type { Refusals } from "./refusal.js";
import type { Request } from "./request.js";

/** Made by `agent.controlPoint(name)`. */
export class ControlPoint {
  readonly name: string;
  /** "service/name": what the controller calls it, together with its like in other instances. */
  readonly logicalName: string;
  /** The point's meter index in reports. */
  readonly index: number;
  readonly unit: string;
  readonly #clock: Clock;
  readonly #tenants: TenantTable;
  readonly #vias: ViaTable;
  readonly #burstSeconds: number;
  readonly #account: PointAccount;
  readonly #passage: Passage;

  /** @internal */
  constructor(meter: Meter, { logicalName, clock, tenants, vias, options }: PointParts) {
    this.name = meter.name;
    this.logicalName = logicalName;
    this.index = meter.index;
    this.unit = options.unit;
    this.#clock = clock;
    this.#tenants = tenants;
    this.#vias = vias;
    this.#burstSeconds = options.burstSeconds;
    this.#account = new PointAccount(meter);
    this.#passage = new Passage({ name: meter.name, clock, tenants, account: this.#account, options });
    meter.oldestSinceUs = (tenant) => this.#passage.waiting.oldestSinceUs(tenant);
  }

  /** Requests that were started and have not completed. */
  get running(): number {
    return this.#passage.running;
  }

  /** Requests that wait now, throttled or queued. */
  get waiting(): number {
    return this.#passage.waiting.size;
  }

  /** Requests refused since the start, by cause. */
  get refusals(): Readonly<Refusals> {
    return this.#passage.refuser.counts;
  }

  /** The rate in force for a tenant here, cost units per second; Infinity: unlimited. */
  ratePerSec(tenant: TenantIndex): number {
    return this.#passage.throttle.ratePerSec(tenant);
  }

  /** Why there is a rate in force for a tenant ("policy|resource"); undefined when there is none. */
  because(tenant: TenantIndex): string | undefined {
    return this.#passage.throttle.because(tenant);
  }

  /** The via set of a request that came with `via` and passed here. */
  passed(via: ViaSet): ViaSet {
    return this.#vias.with(via, this.logicalName);
  }

  /**
   * Throttle → scheduler → slot. Calls `onStart` or `onRefused`, possibly before returning; one of them, once, unless cancelled.
   * @throws TenantryError BAD_JOB when the request was submitted before, BAD_ARGUMENT when its tenant or cost is none
   */
  submit(request: Request): void {
    if (request.phase !== "new") throw this.#misuse(request, "submitted", "a new one");
    const { tenant, declaredCost } = request;
    if (!this.#tenants.has(tenant)) throw unknownTenant(`control point "${this.name}"`, tenant);
    if (declaredCost !== undefined) checkCost(this.name, declaredCost);
    this.#passage.enter(request, this.#clock.nowUs());
  }

  /** The throttle alone: `onStart` when admitted, and nothing to complete. For long loops inside a request. */
  throttle(request: Request): void {
    if (request.phase === "new") request.throttleOnly = true;
    this.submit(request);
  }

  /**
   * The throttle alone, for who will not wait: may `cost` units pass now? Counts and takes them if so, changes nothing if not.
   * @throws TenantryError BAD_ARGUMENT when the tenant or the cost is none
   */
  tryThrottle(tenant: TenantIndex, cost = 1): boolean {
    if (!this.#tenants.has(tenant)) throw unknownTenant(`control point "${this.name}"`, tenant);
    checkCost(this.name, cost);
    const nowUs = this.#clock.nowUs();
    if (!this.#passage.tryTake(tenant, cost, nowUs)) return false;
    this.#account.counted(tenant, cost, nowUs);
    return true;
  }

  /**
   * Progress of a long request: `costSoFar` in the point's unit, never decreasing.
   * @throws TenantryError BAD_JOB when it is not running or the cost went back
   */
  charge(request: Request, costSoFar: number): void {
    if (request.phase !== "running") throw this.#misuse(request, "charged", "one that is running");
    checkCost(this.name, costSoFar);
    if (costSoFar < request.progress) {
      throw new TenantryError(
        "BAD_JOB",
        `control point "${this.name}": a request was charged ${costSoFar} after ${request.progress}; costs only grow while it runs`,
      );
    }
    const nowUs = this.#clock.nowUs();
    this.#account.charged(request, costSoFar - Math.max(0, request.progress), nowUs);
    request.progress = costSoFar;
    this.#passage.settlement.reached(request, costSoFar, nowUs);
    this.#passage.dispatcher.charge(request, costSoFar, nowUs);
  }

  /**
   * Ends a request that was started: settles the bucket and the scheduler by its actual cost, frees its slot, starts the next.
   * @param actualCost in the point's unit; default: what was charged, or what it was admitted at. Never less than what was charged.
   * @throws TenantryError BAD_JOB when it is not running (completed before, or never started)
   */
  complete(request: Request, actualCost?: number): void {
    if (request.phase !== "running") throw this.#misuse(request, "completed", "one that is running");
    if (actualCost !== undefined) checkCost(this.name, actualCost);
    const told = actualCost !== undefined || request.progress >= 0;
    const cost = told ? Math.max(request.progress, actualCost ?? 0) : request.cost;
    this.#passage.end(request, cost, told, this.#clock.nowUs());
  }

  /** Takes a waiting request out at once and gives its tokens back. @returns false when it no longer waits: if it runs, complete it */
  cancel(request: Request): boolean {
    if (request.phase !== "throttled" && request.phase !== "queued") return false;
    this.#passage.cancel(request, this.#clock.nowUs());
    return true;
  }

  /** Changes the number of slots while running: more start at once, fewer as slots come free. @param slots whole, ≥ 1, or Infinity */
  setSlots(slots: number): void {
    checkSlots(this.name, slots);
    this.#passage.resize(slots);
  }

  /** @internal Sets a tenant's rate; `burst` 0: the default. Lines move with `wake`. */
  limit(tenant: TenantIndex, limit: { ratePerSec: number; burst: number; because: string | undefined }, nowUs: number): void {
    const burst = limit.burst > 0 ? limit.burst : limit.ratePerSec * this.#burstSeconds;
    this.#passage.throttle.limit(tenant, { ...limit, burst }, nowUs);
  }

  /** @internal */
  unlimit(tenant: TenantIndex): void {
    this.#passage.throttle.unlimit(tenant);
  }

  /** @internal Slots go to whoever came first (`on`), or to whom the scheduler says. */
  inArrivalOrder(on: boolean): void {
    this.#passage.dispatcher.inArrivalOrder(on);
  }

  /** @internal Rates have changed: whoever may pass now passes now, whoever has no rate any more is refused. */
  wake(nowUs: number): void {
    this.#passage.wake(nowUs);
  }

  /** @internal Does nothing of this tenant wait here? (What runs, the meter knows.) */
  isIdle(tenant: TenantIndex): boolean {
    return this.#passage.waiting.count(tenant) === 0;
  }

  /** @internal */
  forget(tenant: TenantIndex): void {
    this.#passage.throttle.unlimit(tenant);
    this.#passage.settlement.forget(tenant);
    this.#passage.dispatcher.forget(tenant);
  }

  /** @internal Refuses all that wait, and whatever comes from now on; what runs completes as usual. */
  close(): void {
    this.#passage.close();
  }

  #misuse(request: Request, what: string, expected: string): TenantryError {
    const who = this.#tenants.nameOf(request.tenant);
    return new TenantryError(
      "BAD_JOB",
      `control point "${this.name}": a request of tenant "${who}" was ${what} when it was ${request.phase}; expected ${expected}`,
    );
  }
}
