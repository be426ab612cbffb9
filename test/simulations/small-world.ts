/**
 * A small cluster for tests of conduct: a few instances of a service with one control point, clients that always want more, and a
 * policy that caps each tenant at a rate for the whole cluster. What is admitted, and what may be, is then known exactly.
 */
import { type ControlPoint, Request } from "../../enforcement/index.js";
import { definePolicy, Rates } from "../../policies/index.js";
import type { Allocation } from "../../proto/messages.js";
import { closedLoop, type Load } from "../../simulations/world/clients.js";
import { Recorder, type Tally } from "../../simulations/world/recorder.js";
import { type Node, World, type WorldOptions } from "../../simulations/world/world.js";

export const SECOND_US = 1_000_000;

/** Caps every tenant at every point at `ratePerSec` over all instances. */
export const cap = definePolicy({
  name: "cap",
  params: { ratePerSec: 100 },
  decide(view, { ratePerSec }) {
    const rates = new Rates(view);
    for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, ratePerSec);
    return rates;
  },
});

/** What an allocation grants the tenant at the point. */
export interface Grant {
  epoch: number;
  sequence: number;
  ratePerSec: number;
  fallbackPerSec: number;
  /** When its lease runs out, by the world's clock. */
  untilUs: number;
}

export interface Member {
  node: Node;
  point: ControlPoint;
  admitted: Tally;
  load: Load;
  /** Of the newest allocation that arrived; undefined: none yet. */
  grant: Grant | undefined;
}

export class SmallWorld {
  readonly world: World;
  readonly recorder: Recorder;
  readonly members: Member[] = [];
  /** Told of every new grant that arrived, and the one it replaces. */
  onGrant: (member: Member, before: Grant | undefined) => void = () => {};
  #count = 0;

  constructor(options: WorldOptions) {
    this.world = new World(options);
    this.recorder = new Recorder(this.world.clock, this.world.trace, SECOND_US);
    this.world.network.onDelivered = (name, { allocation }) => allocation && this.#see(name, allocation);
  }

  startController(ratePerSec = 100): void {
    this.world.startController({ policies: [cap], config: { policies: { cap: { mode: "enforce", params: { ratePerSec } } } } });
  }

  /** A new instance, with `clients` loops of tenant "busy" that never have enough; each request takes 5 ms. */
  join(clients: number): Member {
    const instance = `node-${++this.#count}`;
    const { world } = this;
    const node = world.node("service", instance);
    const point = node.agent.controlPoint("work");
    const admitted = this.recorder.tally();
    const load = closedLoop({
      clock: world.clock,
      chance: world.chance(`clients/${instance}`),
      clients,
      spreadUs: 100_000,
      ask: (_, done) => {
        if (!node.process.alive) return;
        const request = new Request(
          { tenant: node.agent.tenant("busy") },
          {
            onStart: () => {
              admitted.add(1);
              node.process.clock.at(node.process.clock.nowUs() + 5_000, () => {
                point.complete(request);
                done();
              });
            },
            onRefused: () => world.clock.at(world.clock.nowUs() + 100_000, done),
          },
        );
        point.submit(request);
      },
    });
    const member: Member = { node, point, admitted, load, grant: undefined };
    this.members.push(member);
    return member;
  }

  /** Kills an instance and its clients. */
  kill(member: Member): void {
    member.load.stop();
    this.world.killNode(member.node);
    this.members.splice(this.members.indexOf(member), 1);
  }

  /**
   * Σ of what is leased, over the instances that live and whose lease has not run out; with `epoch`, only by that controller.
   * What an instance uses after its lease has run out, on its way to the fallback, is not granted any more.
   */
  leased(epoch?: number): number {
    return this.#valid(epoch).reduce((sum, { ratePerSec }) => sum + ratePerSec, 0);
  }

  /** Σ of the fallbacks that come with these leases. */
  fallbacks(epoch?: number): number {
    return this.#valid(epoch).reduce((sum, { fallbackPerSec }) => sum + fallbackPerSec, 0);
  }

  #valid(epoch?: number): Grant[] {
    const nowUs = this.world.clock.nowUs();
    return this.members.flatMap(({ grant }) => {
      return grant === undefined || nowUs > grant.untilUs || (epoch !== undefined && grant.epoch !== epoch) ? [] : [grant];
    });
  }

  /** Σ admitted per window over all instances there ever were, as long as they were. */
  admitted(window: number): number {
    return this.members.reduce((sum, { admitted }) => sum + (admitted.values[window] ?? 0), 0);
  }

  /** Keeps what reaches a member: the newest allocation wins, as in the agent. */
  #see(name: string, allocation: Allocation): void {
    const member = this.members.find(({ node }) => node.name === name);
    if (member === undefined) return;
    const { epoch, sequence, ttlUs } = allocation;
    const held = member.grant;
    if (held !== undefined && (epoch < held.epoch || (epoch === held.epoch && sequence <= held.sequence))) return;
    const row = allocation.tenant.findIndex((index) => allocation.tenants[index] === "busy");
    member.grant = {
      epoch,
      sequence,
      // Not listed is unlimited, explicitly so.
      ratePerSec: row < 0 ? Number.POSITIVE_INFINITY : allocation.ratePerSec[row],
      fallbackPerSec: row < 0 ? Number.POSITIVE_INFINITY : allocation.fallbackPerSec[row],
      untilUs: this.world.clock.nowUs() + ttlUs,
    };
    this.onGrant(member, held);
  }
}
