/**
 * Refresh charging [2DFQ, §4.2] where the cost of a request is the time it holds its slot: one that runs longer than it was
 * estimated at must be charged before it is done, or its tenant would go on getting slots meanwhile.
 *
 * The paper does so every 10 ms, by a timer. What a tenant was charged matters only when somebody is chosen, so we charge
 * then, what runs and at most every 10 ms: nobody is chosen by older figures than with the timer, and there is none: an idle
 * point does nothing, and keeps no process alive.
 */
import { LinkedQueue } from "../linked-queue.js";
import type { Request } from "./request.js";

const REFRESH_US = 10_000;

export class SlotTime {
  // A request that runs is in no other queue, so its links are free.
  readonly #running = new LinkedQueue<Request>();
  #refreshedUs = Number.NEGATIVE_INFINITY;

  begins(request: Request): void {
    this.#running.push(request);
  }

  ends(request: Request): void {
    this.#running.remove(request);
  }

  /** Somebody will be chosen: what runs is charged for the time it has run. */
  refresh(nowUs: number): void {
    if (nowUs - this.#refreshedUs < REFRESH_US) return;
    this.#refreshedUs = nowUs;
    for (let request = this.#running.head; request !== undefined; request = request.next as Request | undefined) {
      request.scheduler?.charge(request, nowUs - request.startedUs, nowUs);
    }
  }
}
