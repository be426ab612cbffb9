/**
 * Two dumb twins for tests of schedulers: the fluid server they are compared with, and a scheduler that looks at everybody at
 * every pick. Neither shares a line with what it judges.
 */

/** GPS: one server of a fixed speed works on all tenants that have work, by weight. Known costs; O(tenants) per event. */
export class FluidServer {
  readonly #speed: number;
  readonly #left = new Map<string, number>();
  readonly #weights: (tenant: string) => number;
  readonly served = new Map<string, number>();
  #now = 0;

  constructor(costUnitsPerSec: number, weights: (tenant: string) => number = () => 1) {
    this.#speed = costUnitsPerSec / 1e6;
    this.#weights = weights;
  }

  arrive(tenant: string, cost: number, nowUs: number): void {
    this.advance(nowUs);
    this.#left.set(tenant, (this.#left.get(tenant) ?? 0) + cost);
  }

  advance(nowUs: number): void {
    let budget = (nowUs - this.#now) * this.#speed;
    this.#now = nowUs;
    while (budget > 1e-12) {
      const busy = [...this.#left].filter(([, left]) => left > 1e-12);
      if (busy.length === 0) return;
      const weight = busy.reduce((sum, [tenant]) => sum + this.#weights(tenant), 0);
      // Until the first of them is done, everybody gets its part.
      const share = Math.min(budget / weight, ...busy.map(([tenant, left]) => left / this.#weights(tenant)));
      for (const [tenant, left] of busy) {
        const part = share * this.#weights(tenant);
        this.#left.set(tenant, left - part);
        this.served.set(tenant, (this.served.get(tenant) ?? 0) + part);
      }
      budget -= share * weight;
    }
  }
}

export interface NaiveJob {
  tenant: number;
  cost: number;
}

interface NaiveTenant {
  start: number;
  weight: number;
  queue: NaiveJob[];
  running: number;
}

/** WFQ, WF2Q and 2DFQ as their papers state them, by looking at every tenant. Spans may be rounded for choosing, as ours are. */
export class NaiveScheduler {
  readonly #kind: "wfq" | "wf2q" | "2dfq";
  readonly #slots: number;
  readonly #speed: number;
  readonly #round: (span: number) => number;
  readonly #tenants = new Map<number, NaiveTenant>();
  readonly #weightOf: (tenant: number) => number;
  #v = 0;
  #now = 0;
  #running = 0;

  constructor(options: {
    kind: "wfq" | "wf2q" | "2dfq";
    slots: number;
    speedPerUs: number;
    weightOf(tenant: number): number;
    round?(span: number): number;
  }) {
    this.#kind = options.kind;
    this.#slots = options.slots;
    this.#speed = options.speedPerUs;
    this.#weightOf = options.weightOf;
    this.#round = options.round ?? ((span) => span);
  }

  enqueue(job: NaiveJob, nowUs: number): void {
    this.#advance(nowUs);
    let tenant = this.#tenants.get(job.tenant);
    if (tenant === undefined) {
      tenant = { start: 0, weight: this.#weightOf(job.tenant), queue: [], running: 0 };
      this.#tenants.set(job.tenant, tenant);
    }
    if (tenant.queue.length === 0 && tenant.running === 0) tenant.start = Math.max(tenant.start, this.#v);
    tenant.queue.push(job);
  }

  dequeue(slot: number, nowUs: number): NaiveJob | undefined {
    this.#advance(nowUs);
    const waiting = [...this.#tenants].filter(([, tenant]) => tenant.queue.length > 0).sort(([a], [b]) => a - b);
    const span = (tenant: NaiveTenant) => this.#round(tenant.queue[0].cost / tenant.weight);
    const eligible = waiting.filter(([, tenant]) => {
      if (this.#kind === "wfq") return true;
      return tenant.start - (this.#kind === "2dfq" ? slot / this.#slots : 0) * span(tenant) <= this.#v;
    });
    let best: NaiveTenant | undefined;
    for (const [, tenant] of eligible.length > 0 ? eligible : waiting) {
      if (best === undefined || tenant.start + span(tenant) < best.start + span(best)) best = tenant;
    }
    const job = best?.queue.shift();
    if (best === undefined || job === undefined) return undefined;
    best.start += job.cost / best.weight;
    best.running += 1;
    this.#running += 1;
    return job;
  }

  /** A job that was dequeued is done, at the cost it had. */
  complete(job: NaiveJob, nowUs: number): void {
    this.#advance(nowUs);
    (this.#tenants.get(job.tenant) as NaiveTenant).running -= 1;
    this.#running -= 1;
    this.#rest();
  }

  remove(job: NaiveJob): void {
    const { queue } = this.#tenants.get(job.tenant) as NaiveTenant;
    queue.splice(queue.indexOf(job), 1);
    this.#rest();
  }

  #rest(): void {
    if (this.#running > 0 || [...this.#tenants.values()].some((tenant) => tenant.queue.length > 0)) return;
    this.#tenants.clear();
    this.#v = 0;
  }

  /** The fluid server works for whom anything waits or runs, and for whom v has not yet reached: crossing by crossing. */
  #advance(nowUs: number): void {
    let work = (nowUs - this.#now) * this.#speed * this.#running;
    this.#now = nowUs;
    while (work > 0) {
      const tenants = [...this.#tenants.values()];
      const busy = tenants.filter((tenant) => tenant.queue.length > 0 || tenant.running > 0);
      const ahead = tenants.filter((tenant) => !busy.includes(tenant) && tenant.start > this.#v);
      const weight = [...busy, ...ahead].reduce((sum, tenant) => sum + tenant.weight, 0);
      const end = Math.min(this.#v + work / weight, ...ahead.map((tenant) => tenant.start));
      work = end === this.#v + work / weight ? 0 : work - (end - this.#v) * weight;
      this.#v = end;
    }
  }
}
