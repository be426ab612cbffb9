/**
 * How a request travels: legs, put together as a service is, and run for one request after another.
 *
 *   const rename = through(points.rename, holding(handlers, locking(namespace, "write", serving(cores, 200))));
 *   namenode.receive(new Journey("acme"), rename, done);
 *
 * A leg is a plain function that does its part and then calls `done`; there is no interpreter and nothing is allocated but
 * closures. What a leg uses it uses in the name of a visit: the journey as the instance it is at knows it, with that agent's
 * number for the tenant and for the points passed. `at` takes a journey to another instance, as a call with baggage would.
 */
import { type ControlPoint, Request, type TenantIndex, type ViaSet } from "../../enforcement/index.js";
import type { Lock, LockMode } from "./lock.js";
import type { Disk, Link, Pool, Station } from "./machines.js";
import type { ServiceNode } from "./service-node.js";

/** One request, from asking to answer. */
export class Journey {
  /** Whose it is. */
  readonly tenant: string;
  /** Time it was held back by throttles so far, µs. */
  heldUs = 0;
  /** Was it refused at a point? Then the rest of its way is left out. */
  refused = false;

  constructor(tenant: string) {
    this.tenant = tenant;
  }
}

/** A journey at one instance. */
export interface Visit {
  readonly journey: Journey;
  readonly node: ServiceNode;
  readonly tenant: TenantIndex;
  readonly via: ViaSet;
}

/** Part of a request's way; calls `done` exactly once, now or later. */
export type Leg = (visit: Visit, done: () => void) => void;

/** A number, or one drawn anew each time. */
export type Amount = number | (() => number);

const drawn = (amount: Amount) => (typeof amount === "number" ? amount : amount());

/** One leg after the other; what follows a refusal is left out. */
export function inOrder(...legs: readonly Leg[]): Leg {
  return (visit, done) => {
    const next = (i: number) => {
      if (i === legs.length || visit.journey.refused) done();
      else legs[i](visit, () => next(i + 1));
    };
    next(0);
  };
}

/** The same leg so many times: a long request that passes a point per chunk. */
export function times(count: number, leg: Leg): Leg {
  return inOrder(...new Array<Leg>(count).fill(leg));
}

/** A leg chosen anew each time: another replica, a cached row or one from disk. */
export function either(choose: () => Leg): Leg {
  return (visit, done) => choose()(visit, done);
}

/** Nothing but time that nobody else is in the way of: a hop over a network, a client's own work. */
export function pausing(us: Amount): Leg {
  return ({ node }, done) => {
    const { clock } = node;
    clock.at(clock.nowUs() + drawn(us), done);
  };
}

/** Enters by a control point; `leg` is what it admits. */
export function through(point: ControlPoint, leg: Leg, options: { api?: string; cost?: number } = {}): Leg {
  return (visit, done) => {
    const { journey, node, tenant, via } = visit;
    const { clock } = node;
    const askedUs = clock.nowUs();
    point.submit(
      new Request(
        { tenant, via, ...options },
        {
          onStart: (request) => {
            // Waiting for a slot, after the throttle, is not being held back.
            journey.heldUs += request.enteredUs - askedUs;
            leg({ journey, node, tenant, via: point.passed(via) }, () => {
              point.complete(request);
              done();
            });
          },
          onRefused: () => {
            journey.heldUs += clock.nowUs() - askedUs;
            journey.refused = true;
            done();
          },
        },
      ),
    );
  };
}

/** Goes on at another instance of this or another service, and comes back; it is told which points were passed. */
export function at(node: ServiceNode, leg: Leg): Leg {
  return ({ journey, node: from, via }, done) => leg(node.visit(journey, from.agent.vias, via), done);
}

/** Uses a station for so long, µs. */
export function serving(station: Station, us: Amount): Leg {
  return ({ tenant, via }, done) => station.serve({ tenant, via, done }, drawn(us));
}

/** Reads or writes so many bytes at a disk, in one operation. */
export function transferring(disk: Disk, bytes: Amount): Leg {
  return ({ tenant, via }, done) => disk.transfer({ tenant, via, done }, drawn(bytes));
}

/** Sends so many bytes over a link. */
export function sending(link: Link, bytes: Amount): Leg {
  return ({ tenant, via }, done) => link.send({ tenant, via, done }, drawn(bytes));
}

/** Holds a member of a pool meanwhile: a handler thread, a connection. */
export function holding(pool: Pool, leg: Leg): Leg {
  return (visit, done) => {
    const { tenant, via } = visit;
    pool.hold({ tenant, via }, (release) => {
      leg(visit, () => {
        release();
        done();
      });
    });
  };
}

/** Holds a lock meanwhile. */
export function locking(lock: Lock, mode: LockMode, leg: Leg): Leg {
  return (visit, done) => {
    const { tenant, via } = visit;
    lock.acquire({ tenant, via }, mode, (release) => {
      leg(visit, () => {
        release();
        done();
      });
    });
  };
}
