/**
 * A toy service in virtual time that closes the loop: tenants with clients that wait for their answer before they ask again, a
 * throttle that obeys the controller, and one resource with a queue. Small enough to be seen through.
 */
import type { VirtualClock } from "../../simulations/world/clock.js";
import { type FakeAgent, fixedChance, type Happenings, WINDOW_US } from "./harness.js";

export interface Load {
  clients: number;
  /** Mean time between an answer and the next request, µs. */
  thinkUs: number;
  /** Mean time in service, µs. */
  serviceUs: number;
}

interface Job {
  tenant: string;
  sinceUs: number;
}

interface Tally {
  done: number;
  serviceUs: number;
  waitUs: number;
  throttleUs: number;
  waiting: number;
  running: number;
  throttled: number;
  touchedUs: number;
}

/** One instance: point "front" in front of resource "disk". */
export class Plant {
  readonly agent: FakeAgent;
  readonly clock: VirtualClock;
  readonly loads: Record<string, Load>;
  /** Requests done, by tenant, since the start. */
  readonly done: Record<string, number> = {};
  readonly #slots: number;
  readonly #chance = fixedChance();
  readonly #tallies = new Map<string, Tally>();
  readonly #queue: Job[] = [];
  readonly #held = new Map<string, Job[]>();
  readonly #credit = new Map<string, { tokens: number; atUs: number; armed: boolean }>();
  #busy = 0;
  busyUs = 0;
  #feeds: [string, string][] = [["svc/front", "r:disk"]];
  #reportedUs = 0;
  #generation = new Map<string, number>();

  constructor(clock: VirtualClock, agent: FakeAgent, options: { slots: number; loads: Record<string, Load>; phaseUs?: number }) {
    this.clock = clock;
    this.agent = agent;
    this.loads = options.loads;
    this.#slots = options.slots;
    for (const tenant of Object.keys(options.loads)) this.start(tenant);
    const tick = (whenUs: number) =>
      clock.at(whenUs, () => {
        this.#report();
        tick(whenUs + WINDOW_US);
      });
    tick(clock.nowUs() + WINDOW_US + (options.phaseUs ?? 300_000));
  }

  /** Starts a tenant's clients. */
  start(tenant: string, load = this.loads[tenant]): void {
    this.loads[tenant] = load;
    const generation = (this.#generation.get(tenant) ?? 0) + 1;
    this.#generation.set(tenant, generation);
    for (let i = 0; i < load.clients; i++) this.#think(tenant, generation);
  }

  /** Its clients ask no more. */
  halt(tenant: string): void {
    this.#generation.set(tenant, (this.#generation.get(tenant) ?? 0) + 1);
  }

  #think(tenant: string, generation: number): void {
    const waitUs = this.#exponential(this.loads[tenant].thinkUs);
    this.clock.at(this.clock.nowUs() + waitUs, () => {
      if (this.#generation.get(tenant) === generation) this.#arrive({ tenant, sinceUs: this.clock.nowUs() }, generation);
    });
  }

  #arrive(job: Job, generation: number): void {
    this.#touch(job.tenant).throttled++;
    (job as Job & { generation: number }).generation = generation;
    const held = this.#held.get(job.tenant);
    if (held === undefined) this.#held.set(job.tenant, [job]);
    else held.push(job);
    this.#release(job.tenant);
  }

  #release(tenant: string): void {
    const held = this.#held.get(tenant);
    if (held === undefined) return;
    const rate = this.agent.rate("svc/front", tenant);
    const nowUs = this.clock.nowUs();
    let credit = this.#credit.get(tenant);
    if (credit === undefined) {
      credit = { tokens: 1, atUs: nowUs, armed: false };
      this.#credit.set(tenant, credit);
    }
    const burst = Math.max(1, (rate ?? 0) * 0.1);
    credit.tokens = rate === undefined ? burst : Math.min(burst, credit.tokens + ((nowUs - credit.atUs) * rate) / 1e6);
    credit.atUs = nowUs;
    while (held.length > 0 && (rate === undefined || credit.tokens >= 1 - 1e-9)) {
      if (rate !== undefined) credit.tokens -= 1;
      const job = held.shift()!;
      const tally = this.#touch(tenant);
      tally.throttled--;
      tally.waiting++;
      this.#queue.push(job);
    }
    if (held.length > 0 && !credit.armed) {
      credit.armed = true;
      const waitUs = rate === undefined || rate <= 0 ? 50_000 : Math.min(50_000, Math.ceil(((1 - credit.tokens) / rate) * 1e6));
      this.clock.at(nowUs + waitUs, () => {
        credit.armed = false;
        this.#release(tenant);
      });
    }
    this.#serve();
  }

  #serve(): void {
    while (this.#busy < this.#slots && this.#queue.length > 0) {
      const job = this.#queue.shift()! as Job & { generation: number };
      const tally = this.#touch(job.tenant);
      tally.waiting--;
      tally.running++;
      this.#busy++;
      const serviceUs = this.#exponential(this.loads[job.tenant].serviceUs);
      this.clock.at(this.clock.nowUs() + serviceUs, () => {
        const end = this.#touch(job.tenant);
        end.running--;
        end.done++;
        this.done[job.tenant] = (this.done[job.tenant] ?? 0) + 1;
        this.#busy--;
        this.busyUs += serviceUs;
        if (this.#generation.get(job.tenant) === job.generation) this.#think(job.tenant, job.generation);
        this.#serve();
      });
    }
  }

  #touch(tenant: string): Tally {
    const nowUs = this.clock.nowUs();
    let tally = this.#tallies.get(tenant);
    if (tally === undefined) {
      tally = { done: 0, serviceUs: 0, waitUs: 0, throttleUs: 0, waiting: 0, running: 0, throttled: 0, touchedUs: nowUs };
      this.#tallies.set(tenant, tally);
    }
    const passedUs = nowUs - tally.touchedUs;
    tally.waitUs += tally.waiting * passedUs;
    tally.serviceUs += tally.running * passedUs;
    tally.throttleUs += tally.throttled * passedUs;
    tally.touchedUs = nowUs;
    return tally;
  }

  #report(): void {
    const disk: Happenings[string] = {};
    const front: Happenings[string] = {};
    for (const tenant of this.#tallies.keys()) {
      const tally = this.#touch(tenant);
      const { done, waitUs, serviceUs, throttleUs, waiting, running, throttled } = tally;
      disk[tenant] = { count: done, waitUs, serviceUs, waiting, running };
      front[tenant] = { count: done, cost: done, throttleUs, throttled };
      tally.done = tally.waitUs = tally.serviceUs = tally.throttleUs = 0;
    }
    const windowUs = this.clock.nowUs() - this.#reportedUs;
    this.#reportedUs = this.clock.nowUs();
    this.agent.report({ "r:disk": disk, "p:front": front }, { feeds: this.#feeds, windowUs });
    this.#feeds = [];
  }

  #exponential(mean: number): number {
    return Math.max(1, Math.round(-mean * Math.log(1 - this.#chance.next())));
  }
}
