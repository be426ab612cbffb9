/**
 * Every scheduler as its paper states it, by looking at everybody at every pick: the dumb twins that ours are held to. They
 * share no line with what they judge but the rounding of spans that 2DFQ chooses by. Known costs, unit speed: a slot works
 * off one unit of cost per µs.
 */
import type { SchedulerKind } from "../../enforcement/index.js";
import { spanOfStratum, stratumOf } from "../../enforcement/schedulers/strata.js";

export interface NaiveJob {
  tenant: number;
  /** Declared cost: what it is charged when it is dequeued. */
  cost: number;
}

interface Running {
  charged: number;
  weight: number;
  sinceUs: number;
}

interface NaiveTenant {
  /** `joined`: v before which it does not start. */
  queue: { job: NaiveJob; order: number; joined: number }[];
  running: Map<NaiveJob, Running>;
  weight: number;
  /** S of the next job (virtual time), F of the last (SFQ), what may be spent (DRR). */
  start: number;
  finish: number;
  joined: number;
  /** Had it fewer jobs than its share, when v went last? And v when it last ceased to. */
  capped: boolean;
  freed: number;
  deficit: number;
}

const VIRTUAL = ["wfq", "wf2q", "msf2q", "2dfq"];

export class NaiveScheduler {
  readonly #kind: SchedulerKind;
  readonly #weightOf: (tenant: number) => number;
  readonly #tenants = new Map<number, NaiveTenant>();
  #slots: number;
  #v = 0;
  #now = 0;
  #order = 0;
  /** Tenants in turn, for the round robins; who is first has had its quantum. */
  #round: number[] = [];
  #begun = false;
  #quantum = 0;

  constructor(kind: SchedulerKind, slots: number, weightOf: (tenant: number) => number) {
    this.#kind = kind;
    this.#slots = slots;
    this.#weightOf = weightOf;
  }

  get queued(): number {
    return [...this.#tenants.values()].reduce((sum, { queue }) => sum + queue.length, 0);
  }

  get #running(): number {
    return [...this.#tenants.values()].reduce((sum, { running }) => sum + running.size, 0);
  }

  enqueue(job: NaiveJob, nowUs: number): void {
    this.#advance(nowUs);
    let tenant = this.#tenants.get(job.tenant);
    if (tenant === undefined) {
      tenant = { queue: [], running: new Map(), weight: 1, start: 0, finish: 0, joined: 0, capped: false, freed: 0, deficit: 0 };
      this.#tenants.set(job.tenant, tenant);
    }
    const others = tenant.queue.length + tenant.running.size;
    tenant.queue.push({ job, order: this.#order++, joined: others === 0 || tenant.capped ? this.#v : tenant.freed });
    if (tenant.queue.length > 1) return;
    this.#round.push(job.tenant);
    tenant.joined = this.#v;
    tenant.weight = this.#weightOf(job.tenant);
    tenant.start = Math.max(tenant.start, tenant.queue[0].joined);
  }

  dequeue(slot: number, nowUs: number): NaiveJob | undefined {
    this.#advance(nowUs);
    const index = this.#choose(slot);
    if (index === undefined) return undefined;
    const tenant = this.#tenants.get(index) as NaiveTenant;
    const { job } = tenant.queue.shift() as { job: NaiveJob };
    const weight = VIRTUAL.includes(this.#kind) ? tenant.weight : this.#weightOf(index);
    tenant.running.set(job, { charged: job.cost, weight, sinceUs: nowUs });
    if (this.#kind === "sfq") {
      const start = Math.max(tenant.joined, tenant.finish);
      this.#v = Math.max(this.#v, start);
      tenant.finish = start + job.cost / weight;
    }
    tenant.start += job.cost / weight;
    tenant.deficit -= job.cost;
    if (this.#kind === "round-robin") {
      this.#round.shift();
      if (tenant.queue.length > 0) this.#round.push(index);
    } else if (tenant.queue.length === 0) {
      this.#leaveRound(index);
    }
    this.#touch(index);
    return job;
  }

  charge(job: NaiveJob, cost: number, nowUs: number): void {
    this.#advance(nowUs);
    const { running } = this.#tenants.get(job.tenant) as NaiveTenant;
    if (cost <= (running.get(job) as Running).charged) return;
    this.#settle(job, cost);
    this.#touch(job.tenant);
  }

  complete(job: NaiveJob, cost: number, nowUs: number): void {
    this.#advance(nowUs);
    this.#settle(job, cost);
    this.#tenants.get(job.tenant)?.running.delete(job);
    this.#touch(job.tenant);
    this.#rest();
  }

  remove(job: NaiveJob, nowUs?: number): void {
    if (nowUs !== undefined) this.#advance(nowUs);
    const tenant = this.#tenants.get(job.tenant) as NaiveTenant;
    tenant.queue = tenant.queue.filter((each) => each.job !== job);
    if (tenant.queue.length === 0) this.#leaveRound(job.tenant);
    this.#touch(job.tenant);
    this.#rest();
  }

  resize(slots: number): void {
    this.#slots = slots;
  }

  forget(tenant: number): void {
    this.#tenants.delete(tenant);
  }

  #choose(slot: number): number | undefined {
    const waiting = [...this.#tenants].filter(([, { queue }]) => queue.length > 0).sort(([a], [b]) => a - b);
    if (waiting.length === 0) return undefined;
    const least = (of: (tenant: NaiveTenant) => number, among = waiting) =>
      among.reduce((best, each) => (of(each[1]) < of(best[1]) ? each : best))[0];
    const finish = (tenant: NaiveTenant) => tenant.start + this.#span(tenant);
    switch (this.#kind) {
      case "fifo":
        return least(({ queue }) => queue[0].order);
      case "round-robin":
        return this.#round[0];
      case "drr":
        return this.#nextTurn();
      case "sfq":
        return least((tenant) => Math.max(tenant.joined, tenant.finish));
      case "wfq":
        return least(finish);
      default: {
        const eligible = waiting.filter(([, tenant]) => tenant.start - this.#early(tenant, slot) <= this.#v);
        return least(finish, eligible.length > 0 ? eligible : waiting);
      }
    }
  }

  /** How much before v reaches its S a tenant may be served. */
  #early(tenant: NaiveTenant, slot: number): number {
    if (this.#kind === "wf2q") return 0;
    if (this.#kind === "2dfq") return (slot / this.#slots) * this.#span(tenant);
    let left = 0;
    for (const { charged, sinceUs } of tenant.running.values()) left += charged - (this.#now - sinceUs);
    return Math.max(0, left) / tenant.weight;
  }

  #span({ queue, weight }: NaiveTenant): number {
    const span = queue[0].job.cost / weight;
    return this.#kind === "2dfq" ? spanOfStratum(stratumOf(span)) : span;
  }

  #nextTurn(): number {
    for (;;) {
      const index = this.#round[0];
      const tenant = this.#tenants.get(index) as NaiveTenant;
      const { cost } = tenant.queue[0].job;
      this.#quantum = Math.max(this.#quantum, cost);
      if (!this.#begun) tenant.deficit += this.#quantum * this.#weightOf(index);
      this.#begun = true;
      if (tenant.deficit >= cost) return index;
      this.#round.push(this.#round.shift() as number);
      this.#begun = false;
    }
  }

  #leaveRound(index: number): void {
    if (this.#round[0] === index) this.#begun = false;
    this.#round = this.#round.filter((each) => each !== index);
    const tenant = this.#tenants.get(index) as NaiveTenant;
    tenant.deficit = Math.min(tenant.deficit, 0);
  }

  #settle(job: NaiveJob, cost: number): void {
    const tenant = this.#tenants.get(job.tenant) as NaiveTenant;
    const running = tenant.running.get(job) as Running;
    const difference = cost - running.charged;
    this.#quantum = Math.max(this.#quantum, cost);
    tenant.deficit -= difference;
    tenant.start += difference / running.weight;
    tenant.finish += difference / running.weight;
    running.charged = cost;
  }

  /** A waiting tenant of which something has changed counts with its weight of now, and its next job starts no earlier than it came. */
  #touch(index: number): void {
    const tenant = this.#tenants.get(index) as NaiveTenant;
    if (tenant.queue.length === 0) return;
    tenant.weight = this.#weightOf(index);
    tenant.start = Math.max(tenant.start, tenant.queue[0].joined);
  }

  #rest(): void {
    if (this.queued + this.#running > 0) return;
    this.#tenants.clear();
    this.#round = [];
    this.#begun = false;
    this.#v = 0;
  }

  /** The fluid server works for whom anything waits or runs, and for whom v has not yet reached: crossing by crossing. */
  #advance(nowUs: number): void {
    let left = nowUs - this.#now;
    this.#now = nowUs;
    if (left <= 0 || this.#running === 0 || this.#kind === "sfq") return;
    for (;;) {
      const tenants = [...this.#tenants.values()];
      const busy = tenants.filter((tenant) => tenant.queue.length + tenant.running.size > 0);
      const ahead = tenants.filter((tenant) => !busy.includes(tenant) && tenant.start > this.#v);
      const active = [...busy, ...ahead];
      const [slots, weight] = this.#rate(active);
      for (const tenant of tenants) if (!active.includes(tenant)) tenant.capped = false;
      const next = Math.min(...ahead.map((tenant) => tenant.start));
      const work = left * slots;
      const needed = (next - this.#v) * weight;
      if (needed > work) {
        this.#v += work / weight;
        return;
      }
      left = (work - needed) / slots;
      this.#v = next;
    }
  }

  /** v gains so much per µs, as a fraction: those who have too few jobs for their share are left out, fewest for their weight first. */
  #rate(active: NaiveTenant[]): [number, number] {
    const worth = ({ queue, running }: NaiveTenant) => Math.max(1, queue.length + running.size);
    const sum = (of: (tenant: NaiveTenant) => number, among: NaiveTenant[]) => among.reduce((sum, each) => sum + of(each), 0);
    const weight = (tenant: NaiveTenant) => tenant.weight;
    const rest = [...active].sort((a, b) => worth(a) / a.weight - worth(b) / b.weight);
    const last = rest[rest.length - 1];
    let left = this.#running;
    while (rest.length > 0 && worth(rest[0]) / rest[0].weight <= left / sum(weight, rest)) left -= worth(rest.shift()!);
    for (const tenant of active) {
      const capped = !rest.includes(tenant);
      if (tenant.capped && !capped) tenant.freed = this.#v;
      tenant.capped = capped;
    }
    return rest.length === 0 ? [worth(last), last.weight] : [sum(({ running }) => running.size, rest), sum(weight, rest)];
  }
}
