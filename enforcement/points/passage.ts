/**
 * A request's way through a point: throttle → scheduler → slot, waiting before either, and out again.
 *
 * Every change of state is complete before anyone is told: whatever may start is put in line first, and started by one loop
 * (`#pump`), so that a handler may submit, complete or cancel within its call without surprising anybody.
 */
import type { RefusalCode } from "../../proto/errors.js";
import type { Clock } from "../../proto/ports.js";
import { RUNNING, THROTTLED, WAITING } from "../meters/meter.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import { Dispatcher } from "./dispatcher.js";
import type { PointAccount } from "./point-account.js";
import type { PointOptions } from "./point-options.js";
import { Refuser } from "./refusal.js";
import type { Request } from "./request.js";
import { Settlement } from "./settlement.js";
import { Throttle } from "./throttle.js";
import { WaitingRoom } from "./waiting-room.js";

export interface PassageParts {
  name: string;
  clock: Clock;
  tenants: TenantTable;
  account: PointAccount;
  options: Required<PointOptions>;
}

export class Passage {
  readonly throttle: Throttle;
  readonly settlement: Settlement;
  readonly dispatcher: Dispatcher;
  readonly waiting: WaitingRoom;
  readonly refuser: Refuser;
  /** Requests started and not ended. */
  running = 0;
  readonly #clock: Clock;
  readonly #account: PointAccount;
  #pumping = false;
  #closed = false;

  constructor({ name, clock, tenants, account, options }: PassageParts) {
    this.#clock = clock;
    this.#account = account;
    this.throttle = new Throttle(clock, {
      admitted: (request, nowUs) => this.#admit(request, nowUs),
      released: (nowUs) => this.#pump(nowUs),
    });
    this.settlement = new Settlement(this.throttle);
    this.dispatcher = new Dispatcher(options, tenants);
    this.waiting = new WaitingRoom(clock, { limit: options.queueLimit, onDeadline: (request) => this.#expire(request) });
    this.refuser = new Refuser(name, { tenants, throttle: this.throttle, account });
  }

  /** A request comes: it starts, waits, or is refused. */
  enter(request: Request, nowUs: number): void {
    request.cost = this.settlement.expectedCost(request);
    request.arrivedUs = nowUs;
    if (this.#closed) this.refuser.refuse(request, "SHUTTING_DOWN", nowUs);
    else if (request.deadlineUs < nowUs) this.refuser.refuse(request, "DEADLINE", nowUs);
    else if (this.throttle.limited === 0 || this.throttle.tryPass(request, nowUs)) this.#pass(request, nowUs);
    else this.#hold(request, nowUs);
  }

  /** May so much pass the throttle now? Takes it if so. */
  tryTake(tenant: TenantIndex, cost: number, nowUs: number): boolean {
    return !this.#closed && (this.throttle.limited === 0 || this.throttle.tryTake(tenant, cost, nowUs));
  }

  /** A running request has ended, at this cost; `told`: somebody said so. */
  end(request: Request, cost: number, told: boolean, nowUs: number): void {
    request.phase = "ended";
    this.running -= 1;
    this.#account.completed(request, cost, nowUs);
    this.dispatcher.complete(request, cost, nowUs);
    this.settlement.done(request, cost, told, nowUs);
    this.#flow(request.tenant, nowUs);
  }

  /** Takes a request out that waits, and lets move whom it kept from moving. */
  cancel(request: Request, nowUs: number): void {
    this.#withdraw(request, nowUs);
    this.#flow(request.tenant, nowUs);
  }

  /** Changes the number of slots. */
  resize(slots: number): void {
    this.dispatcher.resize(slots);
    this.#pump(this.#clock.nowUs());
  }

  /** Rates have changed: whoever may pass now passes now, whoever has no rate any more is refused. */
  wake(nowUs: number): void {
    this.throttle.wake(nowUs, (tenant) => {
      for (let first = this.throttle.first(tenant); first !== undefined; first = this.throttle.first(tenant)) {
        this.#turnAway(first, "RATE_ZERO", nowUs);
      }
    });
  }

  /** Refuses all that wait, and whatever comes from now on. */
  close(): void {
    this.#closed = true;
    const nowUs = this.#clock.nowUs();
    for (let any = this.waiting.any(); any !== undefined; any = this.waiting.any()) this.#turnAway(any, "SHUTTING_DOWN", nowUs);
  }

  /** Past the throttle without having waited there. */
  #pass(request: Request, nowUs: number): void {
    request.enteredUs = nowUs;
    if (this.dispatcher.tryStart(request, nowUs)) {
      this.#start(request, nowUs);
    } else if (this.#makeRoom(request, nowUs)) {
      this.#wait(request, "queued", nowUs);
      this.dispatcher.enqueue(request, nowUs);
      this.#pump(nowUs);
    }
  }

  /** Held back by the throttle. */
  #hold(request: Request, nowUs: number): void {
    if (this.throttle.ratePerSec(request.tenant) === 0) {
      this.refuser.refuse(request, "RATE_ZERO", nowUs);
    } else if (nowUs + this.throttle.waitUs(request.tenant, request.cost, nowUs) > request.deadlineUs) {
      this.refuser.refuse(request, "DEADLINE", nowUs);
    } else if (this.#makeRoom(request, nowUs)) {
      this.#wait(request, "throttled", nowUs);
      this.throttle.hold(request, nowUs);
    }
  }

  #wait(request: Request, phase: "throttled" | "queued", nowUs: number): void {
    request.phase = phase;
    this.#account.enter(request, phase === "throttled" ? THROTTLED : WAITING, nowUs);
    this.waiting.enter(request);
  }

  /** A request leaves the throttle's line; it is started or queued, and whoever called the throttle pumps. */
  #admit(request: Request, nowUs: number): void {
    request.enteredUs = nowUs;
    request.phase = "queued";
    this.#account.enter(request, WAITING, nowUs);
    this.dispatcher.enqueue(request, nowUs);
  }

  /** Lets a tenant's line at the throttle move, then whoever may start. */
  #flow(tenant: TenantIndex, nowUs: number): void {
    if (this.waiting.size === 0) return;
    this.throttle.release(tenant, nowUs);
    this.#pump(nowUs);
  }

  /** Starts whatever may start: a loop, not recursion, however many complete within their own `onStart`. */
  #pump(sinceUs: number): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      let nowUs = sinceUs;
      for (let request = this.dispatcher.next(nowUs); request !== undefined; request = this.dispatcher.next(nowUs)) {
        this.waiting.leave(request);
        this.#start(request, nowUs);
        nowUs = this.#clock.nowUs(); // its handler may have taken long
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
      this.running += 1;
    }
    request.startedUs = nowUs;
    request.handlers.onStart(request);
  }

  /** Makes room for one more to wait. @returns false when it was refused itself */
  #makeRoom(request: Request, nowUs: number): boolean {
    const out = this.waiting.outFor(request);
    if (out === undefined) return true;
    if (out === request) this.settlement.undone(request, nowUs);
    else this.#withdraw(out, nowUs);
    this.refuser.refuse(out, "QUEUE_FULL", nowUs);
    return out !== request;
  }

  #expire(request: Request): void {
    const nowUs = this.#clock.nowUs();
    this.#turnAway(request, "DEADLINE", nowUs);
    this.#flow(request.tenant, nowUs);
  }

  #turnAway(request: Request, code: RefusalCode, nowUs: number): void {
    this.#withdraw(request, nowUs);
    this.refuser.refuse(request, code, nowUs);
  }

  /** Takes a waiting request out of whatever it waits in, and gives its tokens back. */
  #withdraw(request: Request, nowUs: number): void {
    if (request.phase === "throttled") this.throttle.leave(request);
    else this.dispatcher.remove(request, nowUs);
    this.waiting.leave(request);
    this.#account.leave(request, nowUs);
    request.phase = "ended";
    this.settlement.undone(request, nowUs);
  }
}
