/**
 * Service given in windows of 100 ms: of watched tenants one by one, and the Gini index over all whom the fluid server was busy
 * with at both ends of a window, by weight: 0 is equal, near 1 is all to one.
 */
import { giniIndex } from "../measures.js";
import type { FluidServer } from "./fluid-server.js";
import type { Progress } from "./progress.js";

export class ServiceWindows {
  readonly gini: number[] = [];
  /** Cost units by window, for each watched tenant. */
  readonly series: number[][];
  readonly #progress: Progress;
  readonly #fluid: FluidServer;
  readonly #weights: Float64Array | undefined;
  readonly #watched: readonly number[];
  readonly #watchedBefore: Float64Array;
  /** Whom the fluid server was busy with when the window began, and what they had been given by then. */
  #busy: number[] = [];
  readonly #before: Float64Array; // by tenant

  constructor(progress: Progress, fluid: FluidServer, watched: readonly number[], weights?: Float64Array) {
    this.#progress = progress;
    this.#fluid = fluid;
    this.#weights = weights;
    this.#watched = watched;
    this.#watchedBefore = new Float64Array(watched.length);
    this.#before = new Float64Array(progress.done.length);
    this.series = watched.map(() => []);
  }

  /** A window ends; `active`: all that have something to do now. `counts`: does it belong to what is measured? */
  end(active: Int32Array, counts: boolean): void {
    const { done, running } = this.#progress;
    this.#watched.forEach((tenant, k) => {
      const total = done[tenant] + running[tenant];
      this.series[k].push(total - this.#watchedBefore[k]);
      this.#watchedBefore[k] = total;
    });
    const shares: number[] = [];
    for (const tenant of this.#busy) {
      if (!this.#fluid.busyWith(tenant)) continue;
      shares.push((done[tenant] + running[tenant] - this.#before[tenant]) / (this.#weights?.[tenant] ?? 1));
    }
    if (counts) this.gini.push(shares.length > 1 ? giniIndex(shares) : 0);
    this.#busy = [];
    for (const tenant of active) {
      if (!this.#fluid.busyWith(tenant)) continue;
      this.#busy.push(tenant);
      this.#before[tenant] = done[tenant] + running[tenant];
    }
  }
}
