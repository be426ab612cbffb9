/**
 * What the rates in force do to whom: who is held back, because of what, and what each will put on a resource under them.
 *
 *   room(r,w)     = min over points p feeding r of  rate(p,w) / throughput(p,w)       how many times its use its rates allow
 *   expected(r,w) = load(r,w) · min(max(room, 1), 2)                                  where no rate bounds it: load(r,w)
 *
 * Use lags behind a rate that was just raised; what the rates allow does not.
 *
 * All of it follows from the view, whatever policy asks: the controller reckons it once a window and puts it into the view. What room
 * there is, is reckoned once for all resources that the same points lead to.
 */
import type { Point, Resource, View } from "./view.js";

/** What every policy of a window finds alike; read only. */
export interface Holds {
  /** As of `heldBack`. */
  readonly held: Uint8Array;
  /** As of `heldBecause`. */
  readonly because: Int32Array;
  /** By resource index: the points that feed it; the same list for resources that the same points feed. */
  readonly feeders: readonly (readonly Point[])[];
  /** By resource index, then tenant index: load, or of those held back what the rates let them put there. */
  readonly expected: readonly Float64Array[];
}

/** What the rates in force do: as the view tells it, or reckoned from its columns. */
export function holdsOf(view: View): Holds {
  if (view.holds !== undefined) return view.holds;
  const held = heldBack(view);
  const alike = new Map<string, { points: Point[]; rooms: Float64Array }>();
  const reached = view.resources.map((resource) => {
    const points = view.points.filter((point) => point.feeds(resource));
    const key = points.map(({ index }) => index).join();
    const found = alike.get(key) ?? { points, rooms: roomsAt(points, view.tenants.length) };
    alike.set(key, found);
    return found;
  });
  return {
    held,
    because: heldBecause(view),
    feeders: reached.map(({ points }) => points),
    expected: view.resources.map((resource, r) => within(resource, reached[r].rooms, held)),
  };
}

/**
 * By tenant index: what each will load `resource` with under the rates now in force: its load, or more where a rate in force at
 * a point that leads there leaves room (twice at the most). Use lags behind a rate that was just raised; this does not.
 *
 * @param points those that feed the resource
 * @param of     by tenant index, 1 for those to be looked at; of all others it is their load; absent: everybody
 */
export function expectedLoads(resource: Resource, points: readonly Point[], of?: Uint8Array): Float64Array {
  return within(resource, roomsAt(points, resource.loads.length), of);
}

function roomsAt(points: readonly Point[], tenants: number): Float64Array {
  const rooms = new Float64Array(tenants).fill(Number.POSITIVE_INFINITY);
  for (const { rates, throughputs } of points) {
    for (let i = 0; i < rooms.length; i++) if (rates[i] < rooms[i] * throughputs[i]) rooms[i] = rates[i] / throughputs[i];
  }
  return rooms;
}

function within({ loads }: Resource, rooms: Float64Array, of?: Uint8Array): Float64Array {
  const expected = new Float64Array(loads.length);
  for (let i = 0; i < expected.length; i++) {
    const unbounded = rooms[i] === Number.POSITIVE_INFINITY || (of !== undefined && of[i] === 0);
    expected[i] = loads[i] * (unbounded ? 1 : Math.min(Math.max(rooms[i], 1), 2));
  }
  return expected;
}

/**
 * By tenant index: 1 for those whom a rate holds back because a resource is short: as much of them waits at a throttle as gets
 * through in a twentieth of a second (less is the chance meeting of two requests), and the rate in force there is less than
 * twice what gets through (else it is not the rate that holds them, or they have left).
 *
 * One that a cap holds (a limit that is because of no resource) is not meant: there is nothing to grow into.
 */
export function heldBack(view: View): Uint8Array {
  const held = new Uint8Array(view.tenants.length);
  for (const { rates, waitings, throughputs, reasons } of view.points) {
    for (let i = 0; i < held.length; i++) {
      if (reasons[i] >= 0 && waitings[i] > 0.05 * throughputs[i] && rates[i] < 2 * throughputs[i]) held[i] = 1;
    }
  }
  return held;
}

/**
 * By tenant index: the resource each is held back because of by the rates now in force, that of the one which leaves least room.
 * −1: none holds it, or what holds it is about no resource.
 *
 * For a rule that lets go slowly: what bounds how fast a tenant may grow is not what it is held back because of.
 */
export function heldBecause(view: View): Int32Array {
  const because = new Int32Array(view.tenants.length).fill(-1);
  const rooms = new Float64Array(because.length).fill(Number.POSITIVE_INFINITY);
  for (const { rates, throughputs, reasons } of view.points) {
    for (let i = 0; i < because.length; i++) {
      // Where nothing gets through there is no room at all.
      const leaves = throughputs[i] > 0 ? rates[i] / throughputs[i] : 0;
      if (Number.isNaN(rates[i]) || leaves >= rooms[i]) continue;
      rooms[i] = leaves;
      because[i] = reasons[i];
    }
  }
  return because;
}
