/**
 * What WFQ, WF2Q, MSF2Q and 2DFQ have in common: an ideal fluid server that works on every active tenant at once, in
 * proportion to its weight φ, and the virtual time v by which it is compared with what the real slots do.
 *
 *   dv/dt = r·held / Σφ      over the active that have more jobs than their share of slots (fluid-rate.ts says which)
 *                            held: slots they have now, r: cost one slot works off per second
 *   S(f)  start tag of tenant f's next job;   F(f) = S(f) + L/φ its finish tag, L the job's estimated cost
 *   enqueue when inactive:  S ← max(S, v)          dequeue:  S ← S + L/φ
 *   enqueue when capped (no more jobs than its share of slots):  S ← max(S, v at that time), when that job is next
 *   charge, complete:       S ← S + (c − charged)/φ    (negative: a refund)
 *
 * Which tenant is next differs from scheduler to scheduler and stands in its file. Decisions the papers leave open, or where
 * we differ [2DFQ, §4]:
 *
 *  - v is exact and continuous: advanced at every event by the busy slots alone. Advanced only now and then, 2DFQ loses
 *    what it is for; advanced by all n slots while some idle, v outruns the work done; by slots over the weights of all, as
 *    printed, it falls behind that wherever somebody has fewer jobs than its share of slots.
 *  - A tenant is active while a job of it waits or runs, *and until v reaches its S*: real slots may have finished early what
 *    the fluid server still works on, and would for that time share among too few. (The printed pseudo-code forgets a tenant at
 *    its last dequeue.) Without this v runs away from the tags of everyone backlogged, all become eligible always, and
 *    WFQ, WF2Q and 2DFQ are one and the same: measured on 269 tenants, σ(lag) of the small 20 times as high.
 *  - No credit k for who comes back unless asked for, S ← max(S, v − k·L/φ), which is sometimes proposed for closed loops. Such a tenant leaves
 *    again before v has reached its S, so the work it got beyond the fluid server's is never made up for, and v runs on until
 *    everyone backlogged is k jobs behind it: then k behind is no advantage, and nobody is ineligible any more. Measured, one
 *    slot, four backlogged tenants, a fifth that thinks for 15 ms between its 10 ms jobs: it waits 25.0 ms without credit (its
 *    exact share), and 40.0 ms, a full round, with any: at once with k = 1, after some minutes with k = 64.
 *  - r need not be known: where costs are not times it is measured, as Σ cost / Σ slot time of what completed. Until something
 *    has, v stands still: late by a job's time favours newcomers for that long, early starves them until all others catch up.
 *  - When nothing waits and nothing runs the busy period is over and all tags are forgotten.
 *  - `remove` carries no time: a tenant that leaves by it counts as active until the event before.
 */
import { withRow } from "../columns.js";
import { FluidRate } from "./fluid-rate.js";
import { IndexedHeap } from "./indexed-heap.js";
import { type SchedulerContext, TicketScheduler } from "./scheduler.js";
import { TenantQueues } from "./tenant-queues.js";
import type { Ticket } from "./ticket.js";

const STRIDE = 4;
const START = 0; // S
const IN_SERVICE = 1; // what the tenant's running jobs were charged, Σ
const STARTED = 2; // when those were dequeued, Σ µs
const GENERATION = 3; // the busy period these tags are of

/** Forget measured speed at this rate per completion: a mean over about a hundred jobs. */
const SPEED_MEMORY = 0.99;

export abstract class VirtualTimeScheduler extends TicketScheduler {
  /** v, in cost units per unit of weight. */
  protected virtualTime = 0;
  readonly #queues = new TenantQueues();
  #rows = new Float64Array(0); // by tenant
  readonly #fluid = new FluidRate();
  /** Tenants with nothing to do here that the fluid server still works for, by S. */
  readonly #ahead = new IndexedHeap();
  #generation = 1;
  /** r as given, cost units per µs; 0: to be measured. */
  readonly #givenSpeed: number;
  readonly #creditJobs: number;
  #costDone = 0;
  #slotTimeUs = 0;

  constructor(context: SchedulerContext) {
    super(context);
    this.#creditJobs = context.creditJobs ?? 0;
    this.#givenSpeed = (context.costUnitsPerSecPerSlot ?? 0) / 1e6;
  }

  /** Puts a waiting tenant in its place, or moves it: its start tag and its first job's L/φ are these now. */
  protected abstract place(tenant: number, start: number, span: number): void;
  /** Takes a tenant out that waits no more. */
  protected abstract displace(tenant: number): void;
  /** The tenant to serve next in `slot`; at least one waits. */
  protected abstract choose(slot: number): number;

  /** v as of the last event: what an observer compares with. */
  get currentVirtualTime(): number {
    return this.virtualTime;
  }

  /** S(tenant). */
  protected startTag(tenant: number): number {
    return this.#rows[tenant * STRIDE + START];
  }

  /** What is left to do on the tenant's running jobs, by their estimates, cost units per unit of weight. */
  protected inService(tenant: number): number {
    const at = tenant * STRIDE;
    const rows = this.#rows;
    const held = this.#fluid.heldBy(tenant);
    if (held === 0) return 0;
    const worked = (held * this.nowUs - rows[at + STARTED]) * this.#speed();
    return Math.max(0, rows[at + IN_SERVICE] - worked) / this.#fluid.weightOf(tenant);
  }

  protected override elapse(us: number): void {
    this.#work(us * this.#speed());
  }

  protected push(ticket: Ticket): void {
    const tenant = ticket.tenant;
    this.#row(tenant);
    if (!this.#queues.push(ticket)) {
      ticket.joined = this.#fluid.lastCapped(tenant, this.virtualTime);
      this.#fluid.arrive(tenant);
      return;
    }
    const span = this.#activate(ticket);
    this.place(tenant, this.startTag(tenant), span);
  }

  /** Nobody waits, so there is nothing to choose: the tags alone move. */
  protected override pass(ticket: Ticket): void {
    this.#row(ticket.tenant);
    this.#activate(ticket);
    this.#charge(ticket);
  }

  protected pop(slot: number): Ticket {
    const tenant = this.choose(slot);
    const ticket = this.#queues.first(tenant)!;
    this.#queues.remove(ticket);
    this.#charge(ticket);
    this.#replace(tenant);
    return ticket;
  }

  protected unlink(ticket: Ticket): void {
    const tenant = ticket.tenant;
    this.#queues.remove(ticket);
    this.#fluid.leave(tenant);
    this.#replace(tenant);
    this.#deactivate(tenant);
  }

  protected recharge(ticket: Ticket, charged: number, cost: number, ended: boolean): void {
    const tenant = ticket.tenant;
    const at = tenant * STRIDE;
    const rows = this.#rows;
    rows[at + START] += (cost - charged) / this.jobs.weight(ticket.row);
    if (ended) {
      const sinceUs = this.jobs.sinceUs(ticket.row);
      rows[at + IN_SERVICE] -= charged;
      rows[at + STARTED] -= sinceUs;
      this.#fluid.end(tenant);
      this.#costDone = this.#costDone * SPEED_MEMORY + cost;
      this.#slotTimeUs = this.#slotTimeUs * SPEED_MEMORY + (this.nowUs - sinceUs);
      if (this.#fluid.heldBy(tenant) === 0) {
        rows[at + IN_SERVICE] = 0;
        rows[at + STARTED] = 0;
        this.#deactivate(tenant);
      }
    } else {
      rows[at + IN_SERVICE] += cost - charged;
    }
    this.#replace(tenant);
  }

  protected rest(): void {
    this.virtualTime = 0;
    this.#fluid.clear();
    this.#ahead.clear();
    this.#generation += 1;
  }

  protected drop(tenant: number): void {
    const at = tenant * STRIDE;
    if (at >= this.#rows.length) return;
    if (this.#ahead.has(tenant)) {
      this.#ahead.remove(tenant);
      this.#fluid.release(tenant);
    }
    this.#rows[at + GENERATION] = 0;
  }

  /** A job has come to a tenant of which none waited: it is next. @returns its L/φ */
  #activate(ticket: Ticket): number {
    const tenant = ticket.tenant;
    const runs = this.#fluid.heldBy(tenant) > 0;
    if (!runs) this.#ahead.remove(tenant);
    const span = this.context.estimator.estimate(ticket) / this.#weigh(tenant);
    const now = this.virtualTime;
    ticket.joined = runs ? this.#fluid.lastCapped(tenant, now) : now - this.#creditJobs * span;
    this.#fluid.arrive(tenant);
    this.#lift(ticket);
    return span;
  }

  /** A job begins: its tenant pays the estimate. */
  #charge(ticket: Ticket): void {
    const at = ticket.tenant * STRIDE;
    const rows = this.#rows;
    const cost = this.context.estimator.estimate(ticket);
    const weight = this.#fluid.weightOf(ticket.tenant);
    this.begin(ticket, cost, weight);
    this.#fluid.begin(ticket.tenant);
    rows[at + START] += cost / weight;
    rows[at + IN_SERVICE] += cost;
    rows[at + STARTED] += this.nowUs;
  }

  /** Each busy slot does this much; the fluid server is done with a tenant now and then, and goes on at another rate. */
  #work(amount: number): void {
    const ahead = this.#ahead;
    const fluid = this.#fluid;
    let left = amount;
    for (;;) {
      fluid.resolve(this.virtualTime);
      const work = left * fluid.slots;
      const needed = (ahead.firstKey() - this.virtualTime) * fluid.weight;
      if (needed > work) {
        this.virtualTime += work / fluid.weight;
        return;
      }
      left = (work - needed) / fluid.slots;
      this.virtualTime = ahead.firstKey();
      while (ahead.firstKey() <= this.virtualTime) {
        const tenant = ahead.first();
        ahead.remove(tenant);
        fluid.release(tenant);
      }
    }
  }

  /** The tenant's first job or its tags changed. */
  #replace(tenant: number): void {
    const first = this.#queues.first(tenant);
    if (first === undefined) {
      this.displace(tenant);
      return;
    }
    this.#lift(first);
    this.place(tenant, this.startTag(tenant), this.context.estimator.estimate(first) / this.#weigh(tenant));
  }

  /** The job is its tenant's next: that starts no earlier than it came. */
  #lift(first: Ticket): void {
    const at = first.tenant * STRIDE;
    if (this.#rows[at + START] < first.joined) this.#rows[at + START] = first.joined;
  }

  /** A tenant that has no job left is active until v reaches its S. */
  #deactivate(tenant: number): void {
    if (this.#queues.first(tenant) !== undefined || this.#fluid.heldBy(tenant) > 0) return;
    const start = this.startTag(tenant);
    if (start > this.virtualTime) this.#ahead.set(tenant, start);
    else this.#fluid.release(tenant);
  }

  /** Reads the weight anew: the tenant counts with it from now on. */
  #weigh(tenant: number): number {
    const weight = this.context.weightOf(tenant);
    this.#fluid.weigh(tenant, weight);
    return weight;
  }

  #speed(): number {
    if (this.#givenSpeed > 0) return this.#givenSpeed;
    return this.#slotTimeUs > 0 ? this.#costDone / this.#slotTimeUs : 0;
  }

  /** Makes room for a tenant, and clears tags of a busy period that is over. */
  #row(tenant: number): void {
    const at = tenant * STRIDE;
    if (at >= this.#rows.length) this.#rows = withRow(this.#rows, STRIDE, tenant);
    if (this.#rows[at + GENERATION] === this.#generation) return;
    this.#fluid.reset(tenant);
    this.#rows.fill(0, at, at + STRIDE);
    this.#rows[at + GENERATION] = this.#generation;
  }
}
