/**
 * An instance of a service of any shape: control points and metered machines by name, put together by the legs of `journey.ts`.
 * A scenario makes one per machine, and its requests travel from one to the other.
 */
import type { Agent, ControlPoint, PointOptions, ViaSet, ViaTable } from "../../enforcement/index.js";
import type { Clock } from "../../proto/ports.js";
import type { Journey, Leg, Visit } from "./journey.js";
import { LOCK_UNIT, Lock } from "./lock.js";
import { Disk, Link, type OnServed, Pool, Station } from "./machines.js";
import type { Node, World } from "./world.js";

/** Told of every use of a machine that ended: whose, how long it waited and was served, µs. */
export type OnUsed = (tenant: string, waitUs: number, serviceUs: number) => void;

/** A simulated process of a service: a real agent, and the machines its requests use. */
export class ServiceNode {
  readonly node: Node;
  readonly agent: Agent;
  /** That of its process. */
  readonly clock: Clock;
  readonly #world: World;
  /** By table of another agent, by its set: the same set here. */
  readonly #known = new Map<ViaTable, ViaSet[]>();

  constructor(world: World, service: string, instance: string) {
    this.#world = world;
    this.node = world.node(service, instance);
    this.agent = this.node.agent;
    this.clock = this.node.process.clock;
  }

  point(name: string, options?: PointOptions): ControlPoint {
    return this.agent.controlPoint(name, options);
  }

  /** Processor cores, worker threads: so many serve at once. */
  station(name: string, slots: number, onUsed?: OnUsed): Station {
    return new Station(this.clock, this.agent.resource(name, { slots }), this.#told(onUsed));
  }

  /** A pool of so many members, held while something else is done. */
  pool(name: string, members: number): Pool {
    return new Pool(this.agent.resource(name, { slots: members }));
  }

  /** @param options mean seek, µs, and speed */
  disk(name: string, { seekUs, bytesPerSec }: { seekUs: number; bytesPerSec: number }, onUsed?: OnUsed): Disk {
    return new Disk({
      clock: this.clock,
      chance: this.#world.chance(`${name}/${this.node.name}`),
      meter: this.agent.resource(name, { slots: 1 }),
      seekUs,
      bytesPerSec,
      onServed: this.#told(onUsed),
    });
  }

  link(name: string, bytesPerSec: number): Link {
    return new Link({ clock: this.clock, meter: this.agent.resource(name, { slots: 1, unit: "bytes" }), bytesPerSec });
  }

  lock(name: string, onUsed?: OnUsed): Lock {
    return new Lock(this.clock, this.agent.resource(name, { unit: LOCK_UNIT }), this.#told(onUsed));
  }

  /** A request from outside, where nothing measures. */
  receive(journey: Journey, leg: Leg, done: () => void): void {
    leg({ journey, node: this, tenant: this.agent.tenant(journey.tenant), via: 0 }, done);
  }

  /** A journey that comes from an instance that knows the points it passed as `via` in `table`. */
  visit(journey: Journey, table: ViaTable, via: ViaSet): Visit {
    return { journey, node: this, tenant: this.agent.tenant(journey.tenant), via: this.#here(table, via) };
  }

  #here(table: ViaTable, via: ViaSet): ViaSet {
    if (table === this.agent.vias) return via;
    let known = this.#known.get(table);
    if (known === undefined) {
      known = [];
      this.#known.set(table, known);
    }
    known[via] ??= this.agent.vias.intern(table.names(via));
    return known[via];
  }

  #told(onUsed: OnUsed | undefined): OnServed | undefined {
    return onUsed && ((tenant, waitUs, serviceUs) => onUsed(this.agent.tenantName(tenant), waitUs, serviceUs));
  }
}
