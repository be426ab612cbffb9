/**
 * Worst-case fair weighted fair queuing [Bennett, Zhang, INFOCOM 1996]: among the jobs the fluid server would have begun by
 * now, the one it would finish first.
 *
 *   choose argmin F(f) among S(f) ≤ v;   where there is none, argmin F(f) of all (work conservation)
 *
 * Nobody runs ahead of the fluid server by more than a job; but on many slots all become eligible to all slots at once, so
 * large jobs still take every slot together. Eligible tenants lie in a heap by F, future ones in two, by S and by F; v only
 * grows, so each becomes eligible once per job: O(log n).
 */
import { IndexedHeap } from "./indexed-heap.js";
import { VirtualTimeScheduler } from "./virtual-time.js";

export class Wf2q extends VirtualTimeScheduler {
  readonly #eligible = new IndexedHeap(); // by F
  readonly #futureByStart = new IndexedHeap();
  readonly #futureByFinish = new IndexedHeap();

  protected place(tenant: number, start: number, span: number): void {
    if (start <= this.virtualTime) {
      this.#futureByStart.remove(tenant);
      this.#futureByFinish.remove(tenant);
      this.#eligible.set(tenant, start + span);
    } else {
      this.#eligible.remove(tenant);
      this.#futureByStart.set(tenant, start);
      this.#futureByFinish.set(tenant, start + span);
    }
  }

  protected displace(tenant: number): void {
    this.#eligible.remove(tenant);
    this.#futureByStart.remove(tenant);
    this.#futureByFinish.remove(tenant);
  }

  protected choose(): number {
    while (this.#futureByStart.firstKey() <= this.virtualTime) {
      const tenant = this.#futureByStart.first();
      const finish = this.#futureByFinish.keyOf(tenant);
      this.#futureByStart.remove(tenant);
      this.#futureByFinish.remove(tenant);
      this.#eligible.set(tenant, finish);
    }
    return this.#eligible.size > 0 ? this.#eligible.first() : this.#futureByFinish.first();
  }
}
