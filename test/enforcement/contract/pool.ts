/**
 * A pool of slots under a scheduler, on a clock of its own: jobs come, run for as long as they cost, end. Whatever a scheduler
 * of any kind must keep is checked at every event; what it was told is written down, so that a case that fails is
 * printed as a program that shows it again.
 */
import {
  createScheduler,
  type Job,
  type Scheduler,
  type SchedulerKind,
  type SchedulerOptions,
} from "../../../enforcement/index.js";

export interface PoolOptions {
  slots: number;
  /** By tenant: "t0", "t1" …; missing: 1. */
  weights?: number[];
  estimator?: SchedulerOptions["estimator"];
  /** For who wants to see what a faulty scheduler comes to. */
  make?: typeof createScheduler;
}

interface Waiting {
  job: Job;
  name: string;
  costUs: number;
}

interface Running extends Waiting {
  sinceUs: number;
  endUs: number;
}

export class Pool {
  nowUs = 0;
  /** Jobs that wait. */
  waiting = 0;
  /** Work done on jobs that ended, by tenant. */
  readonly done = new Map<string, number>();
  readonly running: (Running | undefined)[] = [];
  readonly #scheduler: Scheduler;
  /** By tenant, in order of arrival. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #program: string[];
  #names = 0;
  #slots: number;

  constructor(kind: SchedulerKind, { slots, weights = [], estimator, make = createScheduler }: PoolOptions) {
    this.#slots = slots;
    const weightOf = (tenant: string) => weights[Number(tenant.slice(1))] ?? 1;
    this.#scheduler = make(kind, { slots, estimator, weightOf, costUnitsPerSecPerSlot: 1e6 });
    const options = [`slots: ${slots}`, `costUnitsPerSecPerSlot: 1e6`];
    if (estimator !== undefined) options.push(`estimator: "${estimator}"`);
    if (weights.length > 0) options.push(`weightOf: (tenant) => [${weights}][Number(tenant.slice(1))] ?? 1`);
    this.#program = [`const scheduler = createScheduler("${kind}", { ${options.join(", ")} });`];
  }

  get busy(): number {
    return this.running.filter(Boolean).length;
  }

  /** Work done for a tenant until now. */
  served(tenant: string): number {
    let sum = this.done.get(tenant) ?? 0;
    for (const each of this.running) if (each?.job.tenant === tenant) sum += this.nowUs - each.sinceUs;
    return sum;
  }

  /** A job comes that runs for `costUs`; `declared`: what it says it costs. */
  arrive(tenant: string, costUs: number, declared: number | undefined = costUs, api?: string): void {
    const name = `job${this.#names++}`;
    const job: Job = { tenant, ...(api !== undefined && { api }), ...(declared !== undefined && { cost: declared }) };
    const line = this.#waiting.get(tenant);
    if (line === undefined) this.#waiting.set(tenant, [{ job, name, costUs }]);
    else line.push({ job, name, costUs });
    this.waiting += 1;
    this.#program.push(`const ${name} = ${JSON.stringify(job)};`);
    this.#tell(`scheduler.enqueue(${name}, ${this.nowUs})`, () => this.#scheduler.enqueue(job, this.nowUs));
    this.#fill();
  }

  /** One that waits goes. */
  cancel(pick: number): void {
    const all = [...this.#waiting.values()].flat();
    const each = all[pick % Math.max(1, all.length)];
    if (each === undefined) return;
    const line = this.#waiting.get(each.job.tenant)!;
    line.splice(line.indexOf(each), 1);
    this.waiting -= 1;
    const gone = this.#tell(`scheduler.remove(${each.name})`, () => this.#scheduler.remove(each.job));
    if (!gone) this.#fail(`${each.name} waits, and could not be removed`);
    this.#check();
  }

  /** One that runs is cut off, at what it used. */
  abort(pick: number): void {
    const slot = this.#busySlot(pick);
    if (slot < 0) return;
    this.#end(slot);
    this.#fill();
  }

  /** One that runs says what it used. */
  charge(pick: number): void {
    const each = this.running[this.#busySlot(pick)];
    if (each === undefined) return;
    const used = this.nowUs - each.sinceUs;
    this.#tell(`scheduler.charge(${each.name}, ${used}, ${this.nowUs})`, () =>
      this.#scheduler.charge(each.job, used, this.nowUs),
    );
    this.#check();
  }

  resize(slots: number): void {
    this.#slots = slots;
    this.#tell(`scheduler.resize(${slots})`, () => this.#scheduler.resize(slots));
    this.#fill();
  }

  /** Time passes; jobs end when they are due. @param onEvent told after each moment at which something ended */
  advance(us: number, onEvent: () => void = () => {}): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      const nextUs = Math.min(...this.running.map((each) => each?.endUs ?? Number.POSITIVE_INFINITY));
      if (nextUs > untilUs) break;
      this.nowUs = nextUs;
      for (let slot = 0; slot < this.running.length; slot++) if (this.running[slot]?.endUs === nextUs) this.#end(slot);
      this.#fill();
      onEvent();
    }
    this.nowUs = untilUs;
    onEvent();
  }

  #busySlot(pick: number): number {
    const busy = [...this.running.keys()].filter((slot) => this.running[slot] !== undefined);
    return busy[pick % Math.max(1, busy.length)] ?? -1;
  }

  #end(slot: number): void {
    const { job, name, sinceUs } = this.running[slot]!;
    const cost = this.nowUs - sinceUs;
    this.running[slot] = undefined;
    this.#tell(`scheduler.complete(${name}, ${cost}, ${this.nowUs})`, () => this.#scheduler.complete(job, cost, this.nowUs));
    this.done.set(job.tenant, (this.done.get(job.tenant) ?? 0) + cost);
  }

  /** Every free slot asks. */
  #fill(): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.running[slot] !== undefined) continue;
      const out = this.#tell(`scheduler.dequeue(${slot}, ${this.nowUs})`, () => this.#scheduler.dequeue(slot, this.nowUs));
      this.#program[this.#program.length - 1] += ` // ${this.#nameOf(out)}`;
      if (out === undefined) {
        if (this.waiting > 0) this.#fail(`slot ${slot} is left idle although ${this.waiting} wait`);
        break;
      }
      const line = this.#waiting.get(out.tenant) ?? [];
      if (line[0]?.job !== out) {
        if (!line.some(({ job }) => job === out)) this.#fail("what came out does not wait: it was lost or doubled");
        this.#fail(`${line[0].name} of the same tenant came before`);
      }
      const first = line.shift()!;
      this.waiting -= 1;
      this.running[slot] = { ...first, sinceUs: this.nowUs, endUs: this.nowUs + first.costUs };
    }
    this.#check();
  }

  #check(): void {
    const { queued } = this.#scheduler;
    if (queued !== this.waiting) this.#fail(`${queued} are said to wait where ${this.waiting} do`);
  }

  #nameOf(job: Job | undefined): string {
    if (job === undefined) return "undefined";
    return this.#waiting.get(job.tenant)?.find((each) => each.job === job)?.name ?? "no job that waits";
  }

  #tell<T>(line: string, call: () => T): T {
    this.#program.push(`${line};`);
    try {
      return call();
    } catch (error) {
      return this.#fail(String(error));
    }
  }

  /** What is wrong, and the program that shows it. */
  #fail(what: string): never {
    throw new Error(`${what}\n\nimport { createScheduler } from "tenantry/core";\n${this.#program.join("\n")}\n`);
  }

  /** Fails unless so. */
  expect(holds: boolean, otherwise: () => string): void {
    if (!holds) this.#fail(otherwise());
  }
}
