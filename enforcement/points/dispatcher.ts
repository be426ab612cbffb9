/**
 * Who of those that passed the throttle runs next, and in which slot. Without slots everybody does at once; with slots the
 * scheduler says. It answers only; the control point starts whom it names.
 *
 * A point that shall only be observed gives its slots in the order of arrival, as if there were no scheduler: what is observed is
 * then what would be. Those that wait when that changes keep the order they came for, and go first.
 */
import { LinkedQueue } from "../linked-queue.js";
import { createEstimator, type Estimator } from "../schedulers/estimators.js";
import { createTicketScheduler, type SchedulerKind } from "../schedulers/index.js";
import type { TicketScheduler } from "../schedulers/scheduler.js";
import type { TenantIndex, TenantTable } from "../tenant-table.js";
import type { PointOptions } from "./point-options.js";
import type { Request } from "./request.js";
import { SlotTime } from "./slot-time.js";
import { Slots } from "./slots.js";

/** Slots that stand for "no bound" once there is a scheduler: more than can ever be held. */
const UNBOUNDED = 1_000_000;
/** Where cost is the time a slot is held, in µs, this is how fast one works it off. */
const US_PER_SEC = 1_000_000;

export class Dispatcher {
  /** Requests that may start without a scheduler's word. */
  readonly #ready = new LinkedQueue<Request>();
  readonly #slots = new Slots(0);
  readonly #options: Required<PointOptions>;
  readonly #tenants: TenantTable;
  /** Are slots shared by what requests charge, rather than by the time they hold them? */
  readonly #byCost: boolean;
  /** What requests cost, in the unit slots are shared by. */
  readonly #estimator: Estimator;
  /** Charges what runs for the time it holds its slot; undefined where requests charge themselves. */
  readonly #slotTime: SlotTime | undefined;
  /** The scheduler of its options, and one that goes by arrival: made when first needed. */
  #fair: TicketScheduler | undefined;
  #arrival: TicketScheduler | undefined;
  /** The one that requests come to. */
  #scheduler: TicketScheduler | undefined;
  /** Handlers take time: who was called before them may still count from before. To the scheduler, time never runs backwards. */
  #latestUs = Number.NEGATIVE_INFINITY;

  constructor(options: Required<PointOptions>, tenants: TenantTable) {
    this.#options = options;
    this.#tenants = tenants;
    this.#byCost = options.unit !== "requests";
    this.#estimator = createEstimator(options.estimator, { initialCost: options.initialCost, believe: this.#byCost });
    this.#slotTime = this.#byCost ? undefined : new SlotTime();
    this.resize(options.slots);
  }

  /** From now on this many slots. Once there is a scheduler its queue is never bypassed. */
  resize(slots: number): void {
    if (slots === Number.POSITIVE_INFINITY && this.#scheduler === undefined) return;
    this.#fair ??= this.#makeScheduler(this.#options.scheduler);
    this.#scheduler ??= this.#fair;
    this.#fair.resize(Math.min(slots, UNBOUNDED));
    this.#arrival?.resize(Math.min(slots, UNBOUNDED));
    this.#slots.resize(Math.min(slots, UNBOUNDED));
  }

  /** From now on slots go to whoever came first (`on`), or to whom the scheduler says. */
  inArrivalOrder(on: boolean): void {
    if (this.#fair === undefined) return;
    if (on) this.#arrival ??= this.#makeScheduler("fifo");
    this.#scheduler = on ? this.#arrival : this.#fair;
  }

  /** A tenant's index will be another's. */
  forget(tenant: TenantIndex): void {
    if (this.#fair === undefined) this.#estimator.forget(tenant);
    this.#fair?.forget(tenant);
    this.#arrival?.forget(tenant);
  }

  /** May this request run at once, ahead of nobody? It then holds a slot, if there are slots. If not, nothing has changed. */
  tryStart(request: Request, nowUs: number): boolean {
    const scheduler = this.#scheduler;
    if (request.throttleOnly || scheduler === undefined) return true;
    if (this.#waitsIn() !== undefined || !this.#slots.hasFree) return false;
    request.scheduler = scheduler;
    const slot = this.#slots.take();
    // The scheduler first: until it has let the request go, the request's links are the scheduler's.
    scheduler.startNow(request, slot, this.#time(nowUs));
    this.#begin(request, slot);
    return true;
  }

  enqueue(request: Request, nowUs: number): void {
    if (request.throttleOnly || this.#scheduler === undefined) {
      this.#ready.push(request);
    } else {
      request.scheduler = this.#scheduler;
      this.#scheduler.enqueue(request, this.#time(nowUs));
    }
  }

  /** Takes out one that waits. */
  remove(request: Request, nowUs: number): void {
    if (!request.scheduler?.remove(request, this.#time(nowUs))) this.#ready.remove(request);
  }

  /** The next to run now, holding its slot; undefined: nobody. */
  next(nowUs: number): Request | undefined {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    const scheduler = this.#waitsIn();
    if (scheduler === undefined || !this.#slots.hasFree) return undefined;
    const timeUs = this.#time(nowUs);
    this.#slotTime?.refresh(timeUs);
    const slot = this.#slots.take();
    const request = scheduler.dequeue(slot, timeUs) as Request;
    this.#begin(request, slot);
    return request;
  }

  /** A running request was charged this much so far. */
  charge(request: Request, costSoFar: number, nowUs: number): void {
    if (request.slot >= 0)
      request.scheduler?.charge(request, this.#byCost ? costSoFar : nowUs - request.startedUs, this.#time(nowUs));
  }

  /** A running request is done: its slot is free. */
  complete(request: Request, cost: number, nowUs: number): void {
    if (request.slot < 0) return;
    this.#slots.give(request.slot);
    this.#slotTime?.ends(request);
    request.scheduler?.complete(request, this.#byCost ? cost : nowUs - request.startedUs, this.#time(nowUs));
  }

  /** The scheduler to take the next from: those that came for another order first. */
  #waitsIn(): TicketScheduler | undefined {
    const other = this.#scheduler === this.#fair ? this.#arrival : this.#fair;
    if (other !== undefined && other.queued > 0) return other;
    return this.#scheduler !== undefined && this.#scheduler.queued > 0 ? this.#scheduler : undefined;
  }

  #time(nowUs: number): number {
    if (nowUs > this.#latestUs) this.#latestUs = nowUs;
    return this.#latestUs;
  }

  #begin(request: Request, slot: number): void {
    request.slot = slot;
    this.#slotTime?.begins(request);
  }

  #makeScheduler(kind: SchedulerKind): TicketScheduler {
    const tenants = this.#tenants;
    return createTicketScheduler(kind, {
      weightOf: (tenant) => tenants.weights[tenant],
      nameOf: (tenant) => tenants.nameOf(tenant),
      estimator: this.#estimator,
      slots: this.#options.slots,
      costUnitsPerSecPerSlot: this.#byCost ? undefined : US_PER_SEC,
    });
  }
}
