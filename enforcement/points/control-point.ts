/**
 * Where requests may be held back: throttle, then scheduler, then a slot.
 *
 * The throttle enforces what the controller decided, tenant by tenant, and lets pass whoever has no rate in force. The
 * scheduler shares the slots fairly among those who passed, whether or not there is a controller. Both are charged what a
 * request is expected to cost when they let it pass, and settled by what it did cost.
 *
 * Every change of state is complete before anyone is told: whatever may start is put in line first, and started by one loop
 * (`#pump`), so that a handler may submit, complete or cancel within its call without surprising anybody.
 */
import { type RefusalCode, TenantryError } from "../../proto/errors.js";
import type { Clock } from "../../proto/ports.js";
import { type Meter, RUNNING, THROTTLED, WAITING } from "../meters/meter.js";
import { unknownTenant } from "../meters/resource-meter.js";
import { MovingMean, RequestCosts } from "../schedulers/estimators.js";
import { createTicketScheduler } from "../schedulers/index.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import type { ViaSet, ViaTable } from "../via.js";
import { Backlog } from "./backlog.js";
import { Dispatcher } from "./dispatcher.js";
import { PointAccount } from "./point-account.js";
import { checkCost, checkSlots, type PointOptions, type PointParts } from "./point-options.js";
import { noRefusals, type Refusals, refusal } from "./refusal.js";
import type { Request } from "./request.js";
import { Throttle } from "./throttle.js";

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
  readonly #options: Required<PointOptions>;
  readonly #account: PointAccount;
  readonly #throttle: Throttle;
  readonly #dispatcher: Dispatcher;
  readonly #backlog = new Backlog();
  /** What requests cost, for the throttle; and for sharing slots, where that is the time they hold one. */
  readonly #costs = new RequestCosts();
  readonly #slotCosts: MovingMean;
  readonly #refusals = noRefusals();
  #running = 0;
  #pumping = false;
  #closed = false;

  /** @internal */
  constructor(meter: Meter, { logicalName, clock, tenants, vias, options }: PointParts) {
    this.name = meter.name;
    this.logicalName = logicalName;
    this.index = meter.index;
    this.unit = options.unit;
    this.#clock = clock;
    this.#tenants = tenants;
    this.#vias = vias;
    this.#options = options;
    this.#account = new PointAccount(meter);
    meter.oldestSinceUs = (tenant) => this.#backlog.oldestSinceUs(tenant);
    this.#throttle = new Throttle(clock, {
      admitted: (request, nowUs) => this.#admit(request, nowUs),
      released: (nowUs) => this.#pump(nowUs),
    });
    const byCost = options.unit !== "requests";
    this.#slotCosts = new MovingMean({ believe: byCost });
    const context = {
      weightOf: (tenant: TenantIndex) => tenants.weights[tenant],
      nameOf: (tenant: TenantIndex) => tenants.nameOf(tenant),
      estimator: this.#slotCosts,
      ...{ slots: options.slots, costUnitsPerSecPerSlot: byCost ? undefined : 1e6 },
    };
    this.#dispatcher = new Dispatcher({ makeScheduler: () => createTicketScheduler(options.scheduler, context), byCost });
    this.#dispatcher.resize(options.slots);
  }

  /** Requests that were started and have not completed. */
  get running(): number {
    return this.#running;
  }

  /** Requests that wait now, throttled or queued. */
  get waiting(): number {
    return this.#backlog.size;
  }

  /** Requests refused since the start, by cause. */
  get refusals(): Readonly<Refusals> {
    return this.#refusals;
  }

  /** The rate in force for a tenant here, cost units per second; Infinity: unlimited. */
  ratePerSec(tenant: TenantIndex): number {
    return this.#throttle.ratePerSec(tenant);
  }

  /** Why there is a rate in force for a tenant ("policy|resource"); undefined when there is none. */
  because(tenant: TenantIndex): string | undefined {
    return this.#throttle.because(tenant);
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
    const nowUs = this.#clock.nowUs();
    this.#prepare(request, nowUs);
    if (this.#closed || request.deadlineUs < nowUs) this.#refuse(request, this.#closed ? "SHUTTING_DOWN" : "DEADLINE", nowUs);
    else if (this.#throttle.limited === 0 || this.#throttle.tryPass(request, nowUs)) this.#pass(request, nowUs);
    else this.#hold(request, nowUs);
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
    if (this.#closed || (this.#throttle.limited > 0 && !this.#throttle.tryTake(tenant, cost, nowUs))) return false;
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
    if (costSoFar > request.cost) this.#takeMore(request, costSoFar, nowUs);
    this.#dispatcher.charge(request, costSoFar, nowUs);
  }

  /**
   * Ends a request that was started: settles the bucket and the scheduler by its actual cost, frees its slot, starts the next.
   * @param actualCost in the point's unit; default: what was charged, or what it was admitted at. Never less than what was charged.
   * @throws TenantryError BAD_JOB when it is not running (completed before, or never started)
   */
  complete(request: Request, actualCost?: number): void {
    if (request.phase !== "running") throw this.#misuse(request, "completed", "one that is running");
    if (actualCost !== undefined) checkCost(this.name, actualCost);
    const nowUs = this.#clock.nowUs();
    const told = actualCost !== undefined || request.progress >= 0;
    const cost = told ? Math.max(request.progress, actualCost ?? 0) : request.cost;
    if (told) this.#costs.learn(request, cost);
    request.phase = "ended";
    this.#running -= 1;
    this.#account.completed(request, cost, nowUs);
    this.#dispatcher.complete(request, cost, nowUs);
    if (cost > request.cost) this.#takeMore(request, cost, nowUs);
    else if (cost < request.cost) this.#giveBack(request, request.cost - cost, nowUs);
    this.#flow(request.tenant, nowUs);
  }

  /** Takes a waiting request out at once and gives its tokens back. @returns false when it no longer waits: if it runs, complete it */
  cancel(request: Request): boolean {
    if (request.phase !== "throttled" && request.phase !== "queued") return false;
    const nowUs = this.#clock.nowUs();
    this.#withdraw(request, nowUs);
    this.#flow(request.tenant, nowUs);
    return true;
  }

  /** Changes the number of slots while running: more start at once, fewer as slots come free. @param slots whole, ≥ 1, or Infinity */
  setSlots(slots: number): void {
    checkSlots(this.name, slots);
    this.#dispatcher.resize(slots);
    this.#pump(this.#clock.nowUs());
  }

  /** @internal Sets a tenant's rate; `burst` 0: the default. Lines move with `wake`. */
  limit(tenant: TenantIndex, limit: { ratePerSec: number; burst: number; because: string | undefined }, nowUs: number): void {
    const burst = limit.burst > 0 ? limit.burst : limit.ratePerSec * this.#options.burstSeconds;
    this.#throttle.limit(tenant, { ...limit, burst }, nowUs);
  }

  /** @internal */
  unlimit(tenant: TenantIndex): void {
    this.#throttle.unlimit(tenant);
  }

  /** @internal Rates have changed: whoever may pass now passes now, whoever has no rate any more is refused. */
  wake(nowUs: number): void {
    this.#throttle.wake(nowUs, (tenant) => {
      for (let first = this.#throttle.first(tenant); first !== undefined; first = this.#throttle.first(tenant)) {
        this.#withdraw(first, nowUs);
        this.#refuse(first, "RATE_ZERO", nowUs);
      }
    });
  }

  /** @internal Does nothing of this tenant wait here? (What runs, the meter knows.) */
  isIdle(tenant: TenantIndex): boolean {
    return this.#backlog.count(tenant) === 0;
  }

  /** @internal */
  forget(tenant: TenantIndex): void {
    this.#throttle.unlimit(tenant);
    this.#costs.forget(tenant);
    this.#slotCosts.forget(tenant);
  }

  /** @internal Refuses all that wait, and whatever comes from now on; what runs completes as usual. */
  close(): void {
    this.#closed = true;
    const nowUs = this.#clock.nowUs();
    for (let request = this.#backlog.newestOfLongest(); request !== undefined; request = this.#backlog.newestOfLongest()) {
      this.#withdraw(request, nowUs);
      this.#refuse(request, "SHUTTING_DOWN", nowUs);
    }
  }

  #prepare(request: Request, nowUs: number): void {
    if (request.phase !== "new") throw this.#misuse(request, "submitted", "a new one");
    const { tenant, declaredCost } = request;
    if (!this.#tenants.has(tenant)) throw unknownTenant(`control point "${this.name}"`, tenant);
    if (declaredCost !== undefined) checkCost(this.name, declaredCost);
    request.cost = declaredCost ?? this.#costs.expected(request);
    request.arrivedUs = nowUs;
  }

  /** Past the throttle without having waited there. */
  #pass(request: Request, nowUs: number): void {
    request.enteredUs = nowUs;
    if (this.#dispatcher.tryStart(request, nowUs)) {
      this.#start(request, nowUs);
    } else if (this.#makeRoom(request, nowUs)) {
      this.#wait(request, "queued", nowUs);
      this.#dispatcher.enqueue(request, nowUs);
      this.#pump(nowUs);
    }
  }

  /** Held back by the throttle. */
  #hold(request: Request, nowUs: number): void {
    if (this.#throttle.ratePerSec(request.tenant) === 0) {
      this.#refuse(request, "RATE_ZERO", nowUs);
    } else if (nowUs + this.#throttle.waitUs(request.tenant, request.cost, nowUs) > request.deadlineUs) {
      this.#refuse(request, "DEADLINE", nowUs);
    } else if (this.#makeRoom(request, nowUs)) {
      this.#wait(request, "throttled", nowUs);
      this.#throttle.hold(request, nowUs);
    }
  }

  #wait(request: Request, phase: "throttled" | "queued", nowUs: number): void {
    request.phase = phase;
    this.#backlog.add(request);
    this.#account.enter(request, phase === "throttled" ? THROTTLED : WAITING, nowUs);
    if (request.deadlineUs < Number.POSITIVE_INFINITY) {
      // Rounded past the deadline itself: at the deadline it may still start.
      request.alarm = this.#clock.at(Math.floor(request.deadlineUs) + 1, () => this.#expire(request));
    }
  }

  /** A request leaves the throttle's line; it is started or queued, and whoever called the throttle pumps. */
  #admit(request: Request, nowUs: number): void {
    request.enteredUs = nowUs;
    request.phase = "queued";
    this.#account.enter(request, WAITING, nowUs);
    this.#dispatcher.enqueue(request, nowUs);
  }

  /** Lets a tenant's line at the throttle move, then whoever may start. */
  #flow(tenant: TenantIndex, nowUs: number): void {
    if (this.#backlog.size === 0) return;
    this.#throttle.release(tenant, nowUs);
    this.#pump(nowUs);
  }

  /** Starts whatever may start: a loop, not recursion, however many complete within their own `onStart`. */
  #pump(nowUs: number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let request = this.#dispatcher.next(nowUs); request !== undefined; request = this.#dispatcher.next(nowUs)) {
        this.#stopWaiting(request);
        this.#start(request, nowUs);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #start(request: Request, nowUs: number): void {
    if (request.throttleOnly) {
      this.#account.passed(request, nowUs);
      request.phase = "ended";
    } else {
      this.#account.enter(request, RUNNING, nowUs);
      request.phase = "running";
      this.#running += 1;
    }
    request.startedUs = nowUs;
    request.handlers.onStart(request);
  }

  /** Makes room for one more to wait. @returns false when it was refused itself: no backlog is longer than its tenant's */
  #makeRoom(request: Request, nowUs: number): boolean {
    if (this.#backlog.size < this.#options.queueLimit) return true;
    const victim = this.#backlog.newestOfLongest();
    if (victim === undefined || this.#backlog.count(request.tenant) >= this.#backlog.count(victim.tenant)) {
      this.#giveBack(request, request.taken, nowUs);
      this.#refuse(request, "QUEUE_FULL", nowUs);
      return false;
    }
    this.#withdraw(victim, nowUs);
    this.#refuse(victim, "QUEUE_FULL", nowUs);
    return true;
  }

  #expire(request: Request): void {
    request.alarm = undefined;
    if (request.phase !== "throttled" && request.phase !== "queued") return;
    const nowUs = this.#clock.nowUs();
    this.#withdraw(request, nowUs);
    this.#refuse(request, "DEADLINE", nowUs);
    this.#flow(request.tenant, nowUs);
  }

  /** Takes a waiting request out of whatever it waits in, and gives its tokens back. */
  #withdraw(request: Request, nowUs: number): void {
    if (request.phase === "throttled") this.#throttle.leave(request);
    else this.#dispatcher.remove(request);
    this.#stopWaiting(request);
    this.#account.leave(request, nowUs);
    request.phase = "ended";
    this.#giveBack(request, request.taken, nowUs);
  }

  #stopWaiting(request: Request): void {
    this.#backlog.remove(request);
    request.alarm?.cancel();
    request.alarm = undefined;
  }

  /** It costs more than it was admitted at: the rest is taken now, into debt if need be. */
  #takeMore(request: Request, cost: number, nowUs: number): void {
    this.#throttle.settle(request.tenant, request.cost - cost, nowUs);
    if (request.taken > 0) request.taken += cost - request.cost;
    request.cost = cost;
  }

  /** Tokens it did not use; only what was taken for it is ever given back. */
  #giveBack(request: Request, tokens: number, nowUs: number): void {
    const amount = Math.min(tokens, request.taken);
    request.taken -= amount;
    this.#throttle.settle(request.tenant, amount, nowUs);
  }

  #refuse(request: Request, code: RefusalCode, nowUs: number): void {
    const { tenant } = request;
    request.phase = "ended";
    this.#refusals[code] += 1;
    this.#account.refused(request, nowUs);
    const error = refusal(code, {
      tenant: this.#tenants.nameOf(tenant),
      point: this.name,
      waitUs: this.#throttle.waitUs(tenant, request.cost, nowUs),
      because: this.#throttle.because(tenant),
    });
    request.handlers.onRefused(error, request);
  }

  #misuse(request: Request, what: string, expected: string): TenantryError {
    const who = this.#tenants.nameOf(request.tenant);
    return new TenantryError(
      "BAD_JOB",
      `control point "${this.name}": a request of tenant "${who}" was ${what} when it was ${request.phase}; expected ${expected}`,
    );
  }
}
