/**
 * Start-time fair queuing [Goyal, Vin, Cheng, SIGCOMM 1996]: next is the waiting job with the smallest start tag.
 *
 *   S(j) = max(v(arrival), F(previous job of the tenant))        F(j) = S(j) + cost(j) / weight
 *   v(t) = S of the job dequeued last
 *
 * Two backlogged tenants' shares then differ by no more than one largest job of each, whatever the slots' speeds, and without
 * knowing that speed (which plain weighted fair queuing must).
 *
 * Where we differ from the paper, and why:
 *
 *  - Costs are settled when they are known, as in [2DFQ, §4]: F grows by the estimate at dequeue, and by (actual − estimate) /
 *    weight at `charge` and `complete`. A refund moves a waiting tenant forward, but never before the v at which it began to wait.
 *  - Tags are kept per tenant, not per job: those behind the first of a tenant start where the one before them finishes.
 *  - A tenant that arrives late begins at v, never at 0: it has no claim on what others used while it was away.
 *  - When all is idle, every tag is forgotten (in O(1), by starting a new generation): using idle slots is nobody's debt, and
 *    tags never grow old enough to lose precision.
 *
 * Every step is O(log n) in the number of tenants that wait.
 */
import { withRow } from "../columns.js";
import { IndexedHeap } from "./indexed-heap.js";
import { TicketScheduler } from "./scheduler.js";
import { TenantQueues } from "./tenant-queues.js";
import type { Ticket } from "./ticket.js";

const STRIDE = 3;
const FINISH = 0; // F of the tenant's last dequeued job
const JOINED = 1; // v when the tenant began to wait
const GENERATION = 2; // the busy period these tags are of

export class StartTimeFair extends TicketScheduler {
  readonly #waiting = new IndexedHeap(); // tenants that wait, by start tag of their first
  readonly #queues = new TenantQueues();
  #tags = new Float64Array(0); // rows by tenant
  #virtualTime = 0;
  #generation = 1;

  protected push(ticket: Ticket): void {
    const tenant = ticket.tenant;
    if (!this.#queues.push(ticket)) return;
    const at = this.#row(tenant);
    this.#tags[at + JOINED] = this.#virtualTime;
    this.#waiting.set(tenant, Math.max(this.#virtualTime, this.#tags[at + FINISH]));
  }

  protected override pass(ticket: Ticket): void {
    const at = this.#row(ticket.tenant);
    this.#run(ticket, at, Math.max(this.#virtualTime, this.#tags[at + FINISH]));
  }

  protected pop(): Ticket {
    const tenant = this.#waiting.first();
    const start = this.#waiting.firstKey();
    const ticket = this.#queues.first(tenant)!;
    this.#queues.remove(ticket);
    const finish = this.#run(ticket, tenant * STRIDE, start);
    if (this.#queues.first(tenant) === undefined) this.#waiting.remove(tenant);
    else this.#waiting.set(tenant, finish);
    return ticket;
  }

  protected unlink(ticket: Ticket): void {
    this.#queues.remove(ticket);
    if (this.#queues.first(ticket.tenant) === undefined) this.#waiting.remove(ticket.tenant);
  }

  protected recharge(ticket: Ticket, charged: number, cost: number): void {
    const tenant = ticket.tenant;
    if (cost === charged) return;
    const at = this.#row(tenant);
    this.#tags[at + FINISH] += (cost - charged) / this.jobs.weight(ticket.row);
    if (this.#waiting.has(tenant)) {
      this.#waiting.set(tenant, Math.max(this.#tags[at + JOINED], this.#tags[at + FINISH]));
    }
  }

  protected rest(): void {
    this.#virtualTime = 0;
    this.#generation += 1;
  }

  protected drop(tenant: number): void {
    const at = tenant * STRIDE;
    if (at < this.#tags.length) this.#tags[at + GENERATION] = 0;
  }

  /** A job runs from start tag S on. @returns its F */
  #run(ticket: Ticket, at: number, start: number): number {
    if (start > this.#virtualTime) this.#virtualTime = start;
    const cost = this.context.estimator.estimate(ticket);
    const weight = this.context.weightOf(ticket.tenant);
    this.begin(ticket, cost, weight);
    const finish = start + cost / weight;
    this.#tags[at + FINISH] = finish;
    return finish;
  }

  #row(tenant: number): number {
    const at = tenant * STRIDE;
    if (at >= this.#tags.length) this.#tags = withRow(this.#tags, STRIDE, tenant);
    if (this.#tags[at + GENERATION] !== this.#generation) {
      this.#tags[at + FINISH] = 0;
      this.#tags[at + JOINED] = 0;
      this.#tags[at + GENERATION] = this.#generation;
    }
    return at;
  }
}
