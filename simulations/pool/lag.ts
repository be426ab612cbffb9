/**
 * How far each tenant is ahead of the fluid server or behind it, looked at every few milliseconds:
 *
 *   lag = (W − W_GPS) / u      positive: ahead
 *
 * u is what a second of lag stands for: r, and the lag is in seconds of one slot; or the tenant's fair share, and it is the time
 * by which the fluid server would have been there earlier or later. The paper's figures are of the second kind: only with it do the
 * published numbers come out.
 *
 * The paper's figure of merit is the standard deviation of this over time, per tenant. A tenant that has nothing to do in either
 * system has lag 0, which counts; only the others are visited, so a million idle tenants cost nothing.
 */
import type { FluidServer } from "./fluid-server.js";
import type { Progress } from "./progress.js";

export class LagLog {
  samples = 0;
  readonly #progress: Progress;
  readonly #fluid: FluidServer;
  readonly #unitsPerSec: number;
  readonly #active: Int32Array; // packed
  readonly #placeOf: Int32Array; // by tenant; −1: idle
  #activeCount = 0;
  readonly #sum: Float64Array;
  readonly #squares: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  readonly #watched: readonly number[];
  readonly series: number[][];

  /** @param unitsPerSec u, cost units @param watched tenants whose lag at each sample is kept in `series` */
  constructor(progress: Progress, fluid: FluidServer, unitsPerSec: number, watched: readonly number[]) {
    const tenants = progress.done.length;
    this.#progress = progress;
    this.#fluid = fluid;
    this.#unitsPerSec = unitsPerSec;
    this.#active = new Int32Array(tenants);
    this.#placeOf = new Int32Array(tenants).fill(-1);
    this.#sum = new Float64Array(tenants);
    this.#squares = new Float64Array(tenants);
    this.#least = new Float64Array(tenants);
    this.#most = new Float64Array(tenants);
    this.#watched = watched;
    this.series = watched.map(() => []);
  }

  /** The tenant has something to do. */
  awake(tenant: number): void {
    if (this.#placeOf[tenant] >= 0) return;
    this.#placeOf[tenant] = this.#activeCount;
    this.#active[this.#activeCount++] = tenant;
  }

  /** Tenants with something to do, in no order. */
  get active(): Int32Array {
    return this.#active.subarray(0, this.#activeCount);
  }

  /** Looks at everyone; the fluid server must have come to now. `counts`: does it belong to what is measured? */
  sample(counts: boolean): void {
    const { done, running, outstanding } = this.#progress;
    if (counts) this.samples += 1;
    for (let place = this.#activeCount - 1; place >= 0; place--) {
      const tenant = this.#active[place];
      if (outstanding[tenant] === 0 && !this.#fluid.busyWith(tenant)) {
        const last = this.#active[--this.#activeCount];
        this.#active[place] = last;
        this.#placeOf[last] = place;
        this.#placeOf[tenant] = -1;
        continue;
      }
      if (!counts) continue;
      const lag = (done[tenant] + running[tenant] - this.#fluid.served(tenant)) / this.#unitsPerSec;
      this.#sum[tenant] += lag;
      this.#squares[tenant] += lag * lag;
      if (lag < this.#least[tenant]) this.#least[tenant] = lag;
      if (lag > this.#most[tenant]) this.#most[tenant] = lag;
    }
    this.#watched.forEach((tenant, k) => {
      this.series[k].push((done[tenant] + running[tenant] - this.#fluid.served(tenant)) / this.#unitsPerSec);
    });
  }

  /** Standard deviation over the samples that count, seconds, by tenant. */
  deviations(): Float64Array {
    return this.#sum.map((sum, tenant) => {
      const mean = sum / this.samples;
      return Math.sqrt(Math.max(0, this.#squares[tenant] / this.samples - mean * mean));
    });
  }

  /** Mean, seconds, by tenant. */
  means(): Float64Array {
    return this.#sum.map((sum) => sum / this.samples);
  }

  /** From the least lag to the greatest, seconds, by tenant; both include 0. */
  ranges(): Float64Array {
    return this.#most.map((most, tenant) => most - this.#least[tenant]);
  }
}
