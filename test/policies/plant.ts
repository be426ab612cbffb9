/**
 * A toy cluster in virtual time, to close the loop around a policy: tenants whose clients ask, wait for their answer, and ask
 * again; a point in front; behind it, resources with slots and a queue each, that a request visits one after another. The real
 * controller is told what happened, and the point obeys.
 */
import { latencyBucket } from "../../proto/histogram.js";
import type { VirtualClock } from "../../simulations/world/clock.js";
import { type FakeAgent, fixedChance, type Happenings, WINDOW_US } from "../controller/harness.js";

export interface Load {
  clients: number;
  /** Mean time between an answer and the next request, µs. */
  thinkUs: number;
  /** Mean time in service at each resource, µs, in order. */
  visits: Record<string, number>;
  /** The point it enters by; "front" when absent. */
  point?: string;
}

interface Job {
  tenant: string;
  point: string;
  generation: number;
  route: [resource: string, meanUs: number][];
  arrivedUs: number;
  admittedUs: number;
}

/** What one tenant did at one meter since the last report. */
class Tally {
  readonly row = { count: 0, cost: 0, waitUs: 0, serviceUs: 0, throttleUs: 0, waiting: 0, running: 0, throttled: 0 };
  latencies: Record<number, number> = {};
  #touchedUs: number;

  constructor(nowUs: number) {
    this.#touchedUs = nowUs;
  }

  /** Time passes: how long who waited, was served, was held back. */
  at(nowUs: number): this {
    const { row } = this;
    const passedUs = nowUs - this.#touchedUs;
    row.waitUs += row.waiting * passedUs;
    row.serviceUs += row.running * passedUs;
    row.throttleUs += row.throttled * passedUs;
    this.#touchedUs = nowUs;
    return this;
  }
}

export class Plant {
  readonly #clock: VirtualClock;
  readonly #agent: FakeAgent;
  readonly #loads: Record<string, Load>;
  readonly #chance = fixedChance();
  readonly #stations = new Map<string, { slots: number; busy: number; queue: Job[] }>();
  /** By meter, then tenant. */
  readonly #tallies = new Map<string, Map<string, Tally>>();
  readonly #held = new Map<string, Job[]>();
  readonly #credit = new Map<string, { tokens: number; atUs: number; armed: boolean }>();
  readonly #generation = new Map<string, number>();
  readonly #feeds = new Set<string>();
  /** Requests done since the start, and latencies (without the throttle's delay) of those done in this window, by tenant. */
  readonly done: Record<string, number> = {};
  latenciesUs: Record<string, number[]> = {};
  #reportedUs = 0;

  constructor(clock: VirtualClock, agent: FakeAgent, options: { slots: Record<string, number>; loads: Record<string, Load> }) {
    this.#clock = clock;
    this.#agent = agent;
    this.#loads = options.loads;
    for (const [name, slots] of Object.entries(options.slots)) this.#stations.set(name, { slots, busy: 0, queue: [] });
    for (const tenant of Object.keys(options.loads)) this.start(tenant);
    const tick = (whenUs: number) =>
      clock.at(whenUs, () => {
        this.#report();
        tick(whenUs + WINDOW_US);
      });
    tick(WINDOW_US + 300_000);
  }

  /** Starts a tenant's clients, anew if need be. */
  start(tenant: string, load = this.#loads[tenant]): void {
    this.halt(tenant);
    this.#loads[tenant] = load;
    for (let i = 0; i < load.clients; i++) this.#think(tenant, this.#generation.get(tenant)!);
  }

  /** Its clients ask no more. */
  halt(tenant: string): void {
    this.#generation.set(tenant, (this.#generation.get(tenant) ?? 0) + 1);
  }

  #think(tenant: string, generation: number): void {
    this.#clock.at(this.#clock.nowUs() + this.#exponential(this.#loads[tenant].thinkUs), () => {
      if (this.#generation.get(tenant) !== generation) return;
      const { visits, point = "front" } = this.#loads[tenant];
      const arrivedUs = this.#clock.nowUs();
      const job = { tenant, point, generation, route: Object.entries(visits), arrivedUs, admittedUs: 0 };
      this.#tally(`p:${point}`, tenant).row.throttled++;
      const held = this.#held.get(tenant);
      if (held === undefined) this.#held.set(tenant, [job]);
      else held.push(job);
      this.#release(tenant, point);
    });
  }

  /** A token bucket of a tenth of a second. */
  #release(tenant: string, point: string): void {
    const held = this.#held.get(tenant) ?? [];
    const nowUs = this.#clock.nowUs();
    const rate = this.#agent.rate(`svc/${point}`, tenant);
    const credit = this.#credit.get(tenant) ?? { tokens: 1, atUs: nowUs, armed: false };
    this.#credit.set(tenant, credit);
    const burst = Math.max(1, (rate ?? 0) * 0.1);
    credit.tokens = rate === undefined ? burst : Math.min(burst, credit.tokens + ((nowUs - credit.atUs) * rate) / 1e6);
    credit.atUs = nowUs;
    while (held.length > 0 && (rate === undefined || credit.tokens >= 1 - 1e-9)) {
      if (rate !== undefined) credit.tokens -= 1;
      const job = held.shift()!;
      job.admittedUs = nowUs;
      this.#tally(`p:${job.point}`, tenant).row.throttled--;
      this.#visit(job);
    }
    if (held.length === 0 || credit.armed) return;
    credit.armed = true;
    const waitUs = rate === undefined || rate <= 0 ? 50_000 : Math.min(50_000, Math.ceil(((1 - credit.tokens) / rate) * 1e6));
    this.#clock.at(nowUs + waitUs, () => {
      credit.armed = false;
      this.#release(tenant, point);
    });
  }

  #visit(job: Job): void {
    const next = job.route[0];
    if (next === undefined) {
      this.#finish(job);
      return;
    }
    this.#feeds.add(`svc/${job.point} r:${next[0]}`);
    this.#tally(`r:${next[0]}`, job.tenant).row.waiting++;
    this.#stations.get(next[0])!.queue.push(job);
    this.#serve(next[0]);
  }

  #serve(name: string): void {
    const station = this.#stations.get(name)!;
    while (station.busy < station.slots && station.queue.length > 0) {
      const job = station.queue.shift()!;
      const [, meanUs] = job.route.shift()!;
      const { row } = this.#tally(`r:${name}`, job.tenant);
      row.waiting--;
      row.running++;
      station.busy++;
      this.#clock.at(this.#clock.nowUs() + this.#exponential(meanUs), () => {
        const end = this.#tally(`r:${name}`, job.tenant).row;
        end.running--;
        end.count++;
        station.busy--;
        this.#visit(job);
        this.#serve(name);
      });
    }
  }

  #finish({ tenant, point, generation, admittedUs }: Job): void {
    const latencyUs = this.#clock.nowUs() - admittedUs;
    const { row, latencies } = this.#tally(`p:${point}`, tenant);
    row.count++;
    row.cost++;
    const bucket = latencyBucket(latencyUs);
    latencies[bucket] = (latencies[bucket] ?? 0) + 1;
    this.done[tenant] = (this.done[tenant] ?? 0) + 1;
    const told = this.latenciesUs[tenant];
    if (told === undefined) this.latenciesUs[tenant] = [latencyUs];
    else told.push(latencyUs);
    if (this.#generation.get(tenant) === generation) this.#think(tenant, generation);
  }

  #tally(meter: string, tenant: string): Tally {
    const nowUs = this.#clock.nowUs();
    let tenants = this.#tallies.get(meter);
    if (tenants === undefined) {
      tenants = new Map();
      this.#tallies.set(meter, tenants);
    }
    let tally = tenants.get(tenant);
    if (tally === undefined) {
      tally = new Tally(nowUs);
      tenants.set(tenant, tally);
    }
    return tally.at(nowUs);
  }

  #report(): void {
    const nowUs = this.#clock.nowUs();
    const happenings: Happenings = {};
    for (const [meter, tenants] of this.#tallies) {
      const rows: Happenings[string] = {};
      for (const [tenant, tally] of tenants) {
        const { row, latencies } = tally.at(nowUs);
        const oldest = meter.startsWith("p:") ? this.#held.get(tenant)?.[0] : undefined;
        rows[tenant] = { ...row, latencies, ...(oldest !== undefined && { oldestUs: nowUs - oldest.arrivedUs }) };
        row.count = row.cost = row.waitUs = row.serviceUs = row.throttleUs = 0;
        tally.latencies = {};
      }
      happenings[meter] = rows;
    }
    const feeds = [...this.#feeds].map((each) => each.split(" ") as [string, string]);
    this.#agent.report(happenings, { feeds, windowUs: nowUs - this.#reportedUs });
    this.#reportedUs = nowUs;
  }

  #exponential(mean: number): number {
    return Math.max(1, Math.round(-mean * Math.log(1 - this.#chance.next())));
  }
}
