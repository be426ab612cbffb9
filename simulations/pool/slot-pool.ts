/**
 * A pool of n slots under one of the production schedulers, in virtual time: requests are enqueued as they come, a free slot
 * asks the scheduler for its next one, works on it at r cost units per second without interruption, and completes it at its
 * true cost. While anything runs the scheduler is told every 10 ms what has been used so far. The scheduler is the very code that
 * services link; here stand only the slots.
 *
 * At one instant things happen in this order: completions by slot, refresh, arrivals, free slots ask from slot 0 on, then
 * measurements. Times are whole µs; but each slot remembers the exact moment at which it would have finished and begins the
 * next request there, so that rounding takes no capacity away.
 *
 * A tenant that is always backlogged has two requests waiting at all times: one would do for schedulers that look at heads
 * only, but round robin would see the tenant come and go. One that asks for one thing at a time does come and go: its next
 * request arrives the moment the last is done.
 */
import { createScheduler, IndexedHeap, type Job, type Scheduler } from "../../enforcement/index.js";
import { TenantryError } from "../../proto/errors.js";
import { Trace } from "../world/trace.js";
import { FluidServer } from "./fluid-server.js";
import { LagLog } from "./lag.js";
import { LatencyLog } from "./latency-log.js";
import type { Stint } from "./occupancy.js";
import type { PoolOptions } from "./options.js";
import { ServiceWindows } from "./service-windows.js";
import type { RequestStream } from "./workload.js";

const REFRESH_US = 10_000;
const WINDOW_US = 100_000;
/** Requests of a backlogged tenant that wait at all times. */
const AHEAD = 2;

/** What a request that costs nothing is declared to cost. */
const LEAST_COST = 1e-9;

/** A request. Objects are used again: the scheduler forgets a job when it completes. */
class PoolJob implements Job {
  tenant = "";
  api = "";
  /** As the scheduler may know it; it takes none that costs nothing. */
  cost = 1;
  /** As it turns out. */
  work = 0;
  index = 0; // of its tenant
  place = 0; // among all jobs there are
  enqueuedUs = 0;
  /** Waiting or running. */
  live = false;
  /** Where its tenant's next one comes from, when it is always backlogged. */
  source: RequestStream | undefined = undefined;
  /** Is that one made only when this one is done? */
  alone = false;
}

export class SlotPool {
  readonly lag: LagLog;
  readonly windows: ServiceWindows;
  readonly latencies = new LatencyLog();
  readonly stints: Stint[] = [];
  readonly trace = new Trace();
  readonly fluid: FluidServer;
  /** Calls of the scheduler so far. */
  events = 0;
  completed = 0;
  nowUs = 0;
  /** Cost units, by tenant. */
  readonly done: Float64Array;
  readonly #running: Float64Array;
  readonly outstanding: Int32Array;
  readonly #options: PoolOptions;
  readonly #scheduler: Scheduler<PoolJob>;
  readonly #slotJobs: (PoolJob | undefined)[];
  readonly #startUs: Float64Array; // exact, by slot
  readonly #freeUs: Float64Array; // exact, by slot: when it will be or became free
  readonly #ends = new IndexedHeap(); // slots by end, whole µs
  readonly #perUs: number; // r per µs
  readonly #jobs: PoolJob[] = [];
  readonly #spare: PoolJob[] = [];
  #free: number;
  #arrived = 0;
  readonly #refreshEveryUs: number;
  #refreshUs = Number.POSITIVE_INFINITY;
  #sampleUs: number;
  #windowUs = WINDOW_US;

  constructor(options: PoolOptions) {
    const { workload, slots, unitsPerSecPerSlot: rate, scheduler, estimator, creditJobs, watch = [] } = options;
    if (!(Number.isInteger(slots) && slots >= 1 && slots <= 65_536)) {
      throw new TenantryError("BAD_ARGUMENT", `pool: slots is ${slots}; expected a whole number, 1 … 65536`);
    }
    if (!(rate > 0 && rate < Number.POSITIVE_INFINITY)) {
      throw new TenantryError("BAD_ARGUMENT", `pool: unitsPerSecPerSlot is ${rate}; expected a finite number > 0`);
    }
    const tenants = workload.tenants.length;
    this.#options = options;
    this.#perUs = rate / 1e6;
    // Who knows the cost has nothing to learn from use so far.
    this.#refreshEveryUs = options.refreshUs ?? (estimator === "known" ? Number.POSITIVE_INFINITY : REFRESH_US);
    this.done = new Float64Array(tenants);
    this.#running = new Float64Array(tenants);
    this.outstanding = new Int32Array(tenants);
    const { weights } = workload;
    const indexOf = weights === undefined ? undefined : new Map(workload.tenants.map((name, index) => [name, index]));
    this.#scheduler = createScheduler<PoolJob>(scheduler, {
      slots,
      costUnitsPerSecPerSlot: rate,
      ...(estimator === undefined ? {} : { estimator }),
      ...(creditJobs === undefined ? {} : { creditJobs }),
      ...(weights === undefined ? {} : { weightOf: (name: string) => weights[indexOf!.get(name)!] }),
    });
    this.#slotJobs = new Array(slots).fill(undefined);
    this.#startUs = new Float64Array(slots);
    this.#freeUs = new Float64Array(slots);
    this.#free = slots;
    this.fluid = new FluidServer(slots * rate, tenants, weights);
    const progress = { done: this.done, running: this.#running, outstanding: this.outstanding };
    this.lag = new LagLog(progress, this.fluid, options.lagUnitsPerSec ?? rate, watch);
    this.windows = new ServiceWindows(progress, this.fluid, watch, weights);
    this.#sampleUs = options.sampleUs ?? REFRESH_US;
    for (const { tenant, stream, oneAtATime = false } of workload.backlogged) {
      if (!oneAtATime) this.fluid.backlog(tenant, 0);
      this.lag.awake(tenant);
      const source = stream();
      for (let k = 0; k < (oneAtATime ? 1 : AHEAD); k++) this.#draw(tenant, source, oneAtATime);
    }
  }

  /** Runs until `untilUs`; Infinity: until all that arrives is finished (not for tenants that are always backlogged). */
  run(untilUs: number): void {
    const { arrivals } = this.#options.workload;
    const measured = this.#options.sampleUs !== Number.POSITIVE_INFINITY;
    this.#dispatch();
    for (;;) {
      const arrivalUs = this.#arrived < arrivals.count ? arrivals.atUs[this.#arrived] : Number.POSITIVE_INFINITY;
      let nextUs = Math.min(arrivalUs, this.#ends.firstKey());
      if (nextUs === Number.POSITIVE_INFINITY && untilUs === Number.POSITIVE_INFINITY) break;
      nextUs = Math.min(nextUs, this.#refreshUs);
      if (measured) nextUs = Math.min(nextUs, this.#sampleUs, this.#windowUs);
      if (nextUs > untilUs) break;
      this.nowUs = nextUs;
      while (this.#ends.firstKey() <= nextUs) this.#complete(this.#ends.first());
      if (this.#refreshUs <= nextUs) this.#refresh();
      while (this.#arrived < arrivals.count && arrivals.atUs[this.#arrived] <= nextUs) this.#arrive();
      if (this.#free > 0 && this.#scheduler.queued > 0) this.#dispatch();
      if (measured && (this.#sampleUs <= nextUs || this.#windowUs <= nextUs)) this.#measure();
    }
  }

  /** Counts what is not finished with the time it has taken so far. To be called once, at the end. */
  close(): void {
    for (const job of this.#jobs) {
      if (job.live && job.enqueuedUs >= this.#warmUpUs) this.latencies.add(job.index, this.nowUs - job.enqueuedUs);
    }
  }

  /** Cost units a tenant has been given so far, running requests included. */
  served(tenant: number): number {
    let sum = this.done[tenant];
    this.#slotJobs.forEach((job, slot) => {
      if (job?.index === tenant) sum += this.#used(job, slot);
    });
    return sum;
  }

  get #warmUpUs(): number {
    return this.#options.warmUpUs ?? 0;
  }

  /** What the scheduler is told the time is: coarse, for experiments with a coarse virtual time. */
  get #toldUs(): number {
    const grain = this.#options.clockGrainUs;
    return grain === undefined ? this.nowUs : Math.floor(this.nowUs / grain) * grain;
  }

  #arrive(): void {
    const { arrivals, tenants, apis } = this.#options.workload;
    const at = this.#arrived++;
    const tenant = arrivals.tenant[at];
    const job = this.#spare.pop() ?? this.#newJob();
    job.tenant = tenants[tenant];
    job.index = tenant;
    job.api = apis[arrivals.api[at]];
    job.work = arrivals.cost[at];
    job.source = undefined;
    job.enqueuedUs = arrivals.atUs[at];
    this.fluid.arrive(tenant, job.work, this.nowUs);
    this.lag.awake(tenant);
    this.#enqueue(job);
  }

  #draw(tenant: number, source: RequestStream, alone: boolean): void {
    const job = this.#spare.pop() ?? this.#newJob();
    const { tenants, apis } = this.#options.workload;
    source.next();
    job.tenant = tenants[tenant];
    job.index = tenant;
    job.api = apis[source.api];
    job.work = source.cost;
    job.source = source;
    job.alone = alone;
    job.enqueuedUs = this.nowUs;
    if (alone) {
      this.fluid.arrive(tenant, job.work, this.nowUs);
      this.lag.awake(tenant);
    }
    this.#enqueue(job);
  }

  #enqueue(job: PoolJob): void {
    job.live = true;
    job.cost = Math.max(job.work, LEAST_COST);
    this.outstanding[job.index] += 1;
    this.events += 1;
    this.#scheduler.enqueue(job, this.#toldUs);
  }

  #newJob(): PoolJob {
    const job = new PoolJob();
    job.place = this.#jobs.length;
    this.#jobs.push(job);
    return job;
  }

  #dispatch(): void {
    for (let slot = 0; slot < this.#slotJobs.length && this.#free > 0; slot++) {
      if (this.#slotJobs[slot] !== undefined) continue;
      this.events += 1;
      const job = this.#scheduler.dequeue(slot, this.#toldUs);
      if (job === undefined) return;
      this.#start(job, slot);
      if (job.source !== undefined && !job.alone) this.#draw(job.index, job.source, false);
    }
  }

  #start(job: PoolJob, slot: number): void {
    const nowUs = this.nowUs;
    // Free for less than a µs: it goes on where it stopped.
    const exactUs = nowUs - this.#freeUs[slot] < 1 ? this.#freeUs[slot] : nowUs;
    this.#slotJobs[slot] = job;
    this.#startUs[slot] = exactUs;
    this.#freeUs[slot] = exactUs + job.work / this.#perUs;
    this.#ends.set(slot, Math.max(Math.ceil(this.#freeUs[slot]), nowUs));
    this.#free -= 1;
    if (this.#refreshUs === Number.POSITIVE_INFINITY) this.#refreshUs = nowUs + this.#refreshEveryUs;
    this.trace.time(nowUs);
    this.trace.word((slot << 20) ^ job.index);
    this.trace.number(job.work);
  }

  #complete(slot: number): void {
    const job = this.#slotJobs[slot]!;
    this.#ends.remove(slot);
    this.#slotJobs[slot] = undefined;
    this.#free += 1;
    this.events += 1;
    this.#scheduler.complete(job, job.work, this.#toldUs);
    this.completed += 1;
    this.done[job.index] += job.work;
    this.outstanding[job.index] -= 1;
    if (job.enqueuedUs >= this.#warmUpUs) this.latencies.add(job.index, this.nowUs - job.enqueuedUs);
    const keep = this.#options.occupancy;
    if (keep !== undefined && this.nowUs > keep.fromUs && this.#startUs[slot] < keep.toUs) {
      this.stints.push({ slot, tenant: job.index, fromUs: this.#startUs[slot], toUs: this.#freeUs[slot], cost: job.work });
    }
    const { index, source, alone } = job;
    job.live = false;
    this.#spare.push(job);
    if (source !== undefined && alone) this.#draw(index, source, true);
  }

  #refresh(): void {
    for (let slot = 0; slot < this.#slotJobs.length; slot++) {
      const job = this.#slotJobs[slot];
      if (job === undefined) continue;
      this.events += 1;
      this.#scheduler.charge(job, this.#used(job, slot), this.#toldUs);
    }
    const running = this.#free < this.#slotJobs.length;
    this.#refreshUs = running ? this.nowUs + this.#refreshEveryUs : Number.POSITIVE_INFINITY;
  }

  #used(job: PoolJob, slot: number): number {
    return Math.min(job.work, Math.max(0, (this.nowUs - this.#startUs[slot]) * this.#perUs));
  }

  #measure(): void {
    const nowUs = this.nowUs;
    this.fluid.advance(nowUs);
    const counts = nowUs > this.#warmUpUs;
    for (let slot = 0; slot < this.#slotJobs.length; slot++) {
      const job = this.#slotJobs[slot];
      if (job !== undefined) this.#running[job.index] += this.#used(job, slot);
    }
    if (this.#sampleUs <= nowUs) {
      this.lag.sample(counts);
      this.#sampleUs = nowUs + (this.#options.sampleUs ?? REFRESH_US);
    }
    if (this.#windowUs <= nowUs) {
      this.windows.end(this.lag.active, counts);
      this.#windowUs = nowUs + WINDOW_US;
    }
    for (const job of this.#slotJobs) if (job !== undefined) this.#running[job.index] = 0;
  }
}
