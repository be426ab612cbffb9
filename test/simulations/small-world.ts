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
/** How long an instance that came back from a partition may surprise its controller. */
const SURPRISE_US = 8 * SECOND_US;

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
  /** When it arrived, and when its lease runs out, by the world's clock. */
  atUs: number;
  untilUs: number;
  /** When its instance came back, after its lease had run out, and brought a use the controller could not know of. */
  returnedUs: number;
}

export interface Member {
  node: Node;
  point: ControlPoint;
  admitted: Tally;
  load: Load;
  /** Of the allocations that arrived and were not outdated, in order. */
  grants: Grant[];
}

export class SmallWorld {
  readonly world: World;
  readonly recorder: Recorder;
  readonly members: Member[] = [];
  /**
   * May instances come back from beyond the knowledge of their controller? Only where there are partitions: who could reach
   * a successor all the time has found it before it decides.
   */
  surprises = false;
  /** Told of every member's new grant, the last of its `grants`. */
  onGrant: (member: Member) => void = () => {};
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
    const member: Member = { node, point, admitted, load, grants: [] };
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
   * Leases that have not run out, of instances that live, whichever controller gave them. What an instance uses after its
   * lease has run out, on its way to the fallback, is not leased any more. Left out are instances that came back lately, and
   * those that met a controller which knew of no limit yet.
   */
  leases(): Grant[] {
    const nowUs = this.world.clock.nowUs();
    return this.members.flatMap(({ grants }) => {
      const grant = grants.at(-1);
      if (grant === undefined || nowUs > grant.untilUs || nowUs < grant.returnedUs + SURPRISE_US) return [];
      return grant.ratePerSec === Number.POSITIVE_INFINITY ? [] : [grant];
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
    const held = member.grants.at(-1);
    if (held !== undefined && (epoch < held.epoch || (epoch === held.epoch && sequence <= held.sequence))) return;
    const row = allocation.tenant.findIndex((index) => allocation.tenants[index] === "busy");
    const nowUs = this.world.clock.nowUs();
    member.grants.push({
      epoch,
      sequence,
      // Not listed is unlimited, explicitly so.
      ratePerSec: row < 0 ? Number.POSITIVE_INFINITY : allocation.ratePerSec[row],
      fallbackPerSec: row < 0 ? Number.POSITIVE_INFINITY : allocation.fallbackPerSec[row],
      atUs: nowUs,
      untilUs: nowUs + ttlUs,
      returnedUs:
        this.surprises && held !== undefined && nowUs > held.untilUs ? nowUs : (held?.returnedUs ?? Number.NEGATIVE_INFINITY),
    });
    this.onGrant(member);
  }
}
