/**
 * Weighted fair queuing [Demers, Keshav, Shenker, SIGCOMM 1989]: next is the waiting job that the fluid server would finish
 * first.
 *
 *   choose argmin F(f)
 *
 * It may run far ahead of the fluid server with small jobs, and then leaves their tenants waiting while the large ones are
 * served all at once: bursty on many slots. One heap by F: O(log n).
 */
import { IndexedHeap } from "./indexed-heap.js";
import { VirtualTimeScheduler } from "./virtual-time.js";

export class Wfq extends VirtualTimeScheduler {
  readonly #byFinish = new IndexedHeap();

  protected place(tenant: number, start: number, span: number): void {
    this.#byFinish.set(tenant, start + span);
  }

  protected displace(tenant: number): void {
    this.#byFinish.remove(tenant);
  }

  protected choose(): number {
    return this.#byFinish.first();
  }
}
