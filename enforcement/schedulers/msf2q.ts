/**
 * WF2Q for many servers [Blanquer, Özden, SIGCOMM 2001]: a tenant is eligible when the work it has *received* is no more than
 * the fluid server's. WF2Q counts a job as received from the moment it is dequeued; on many slots a tenant whose long job has
 * only begun would then be held ineligible although it lags behind.
 *
 *   choose argmin F(f) among S(f) − (work left on f's running jobs)/φ ≤ v;   where there is none, argmin F(f) of all
 *
 * Work left is by estimate and shrinks as time passes, so it is computed when a slot asks, for the at most n tenants that run
 * and wait: O(log N + n). The paper states eligibility by comparing received work with GPS; tags express the same up to the
 * error of the estimates.
 */
import { IndexedHeap } from "./indexed-heap.js";
import { VirtualTimeScheduler } from "./virtual-time.js";

export class Msf2q extends VirtualTimeScheduler {
  readonly #eligible = new IndexedHeap(); // by F
  readonly #futureByStart = new IndexedHeap();
  readonly #futureByFinish = new IndexedHeap();
  readonly #runningToo = new IndexedHeap(); // future tenants with running jobs, by F

  protected place(tenant: number, start: number, span: number): void {
    this.displace(tenant);
    if (start <= this.virtualTime) {
      this.#eligible.set(tenant, start + span);
    } else {
      this.#futureByStart.set(tenant, start);
      this.#futureByFinish.set(tenant, start + span);
      if (this.inService(tenant) > 0) this.#runningToo.set(tenant, start + span);
    }
  }

  protected displace(tenant: number): void {
    this.#eligible.remove(tenant);
    this.#futureByStart.remove(tenant);
    this.#futureByFinish.remove(tenant);
    this.#runningToo.remove(tenant);
  }

  protected choose(): number {
    while (this.#futureByStart.firstKey() <= this.virtualTime) {
      const tenant = this.#futureByStart.first();
      const finish = this.#futureByFinish.keyOf(tenant);
      this.displace(tenant);
      this.#eligible.set(tenant, finish);
    }
    let best = this.#eligible.first();
    let bestFinish = this.#eligible.firstKey();
    for (let place = 0; place < this.#runningToo.size; place++) {
      const tenant = this.#runningToo.memberAt(place);
      const finish = this.#runningToo.keyOf(tenant);
      if (finish > bestFinish || (finish === bestFinish && tenant > best)) continue;
      if (this.startTag(tenant) - this.inService(tenant) <= this.virtualTime) {
        best = tenant;
        bestFinish = finish;
      }
    }
    return best >= 0 ? best : this.#futureByFinish.first();
  }
}
