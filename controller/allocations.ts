/**
 * From rates over the whole cluster to one message per instance: split point by point (`split-point.ts`), note in each
 * instance's log what it is granted, write the columns.
 *
 * A message has a bound. While they fit, an instance is told of all limits of its service, also on tenants it has not met: one
 * that moves there finds its limit waiting. When they do not fit, it is told of those on tenants it has named; and if even those
 * are too many, of the first. What is not told is not limited there, so it is counted and said (`Dispatch.omitted`).
 */
import { type Allocation, emptyAllocation, POINT } from "../proto/messages.js";
import { ALLOCATION_BOUNDS, MAX_MESSAGE_BYTES } from "../proto/validate.js";
import type { Grant } from "./grant-log.js";
import type { LimitTable } from "./limit-table.js";
import type { Instance } from "./membership.js";
import type { MeterBook } from "./meter-book.js";
import { type Member, type PointLimits, PointSplitter } from "./split-point.js";
import { nameBytesOf, type TenantSeats } from "./tenant-seats.js";

export interface AllocateOptions {
  epoch: number;
  sequence: number;
  nowUs: number;
  ttlUs: number;
  windowUs: number;
  burstSeconds: number;
  seats: TenantSeats;
  meters: MeterBook;
  /** Rates over all instances. */
  limits: LimitTable;
  /** All there are. */
  instances: Iterable<Instance>;
  /** Who shall be sent something; the others keep what they have. */
  receives(instance: Instance): boolean;
  /** Names of policies, by index; and weights other than 1, by tenant. */
  policyNames: readonly string[];
  weights: ReadonlyMap<string, number>;
  /** Is what is decided enforced at this point (logical name)? Where not, its slots go to whoever came first. */
  enforcedAt(point: string): boolean;
}

export interface Dispatch {
  readonly instance: Instance;
  readonly allocation: Allocation;
  /** Limits of its service that did not fit. */
  readonly omitted: number;
}

/** Of a message, bytes for all but rows and names of tenants: points, reasons, weights, and what Hello adds when it is echoed. */
const OTHER_BYTES = 256 * 1_024;
/** Three floats, the point and the reason of a row. */
const ROW_BYTES = 3 * 4 + 2 + 2;
/** Indices of meters are below this. */
const MOST_METERS = 65_536;
const COLUMNS = ["point", "tenant", "reason", "ratePerSec", "burst", "fallbackPerSec"] as const;
/** Beyond this a float overflows; as a rate it is as good as none. */
const HIGHEST_RATE = 1e38;

/** Decides what each receiver is granted, notes it in its log, and writes the messages. Keeps its memory from call to call. */
export class Allocator {
  readonly #splitter = new PointSplitter();
  /** By seat: index in the dictionary of the message at hand; all −1 between messages. */
  #tenantAt = new Int32Array(0);

  allocate(options: AllocateOptions): Dispatch[] {
    const { epoch, sequence, nowUs, instances, receives, seats, windowUs } = options;
    const points = pointsOf(options);
    const rows = new Map<string, number>();
    for (const { meter, seats: limited } of points) rows.set(meter.service, (rows.get(meter.service) ?? 0) + limited.length);
    const services = new Map<string, Member[]>();
    const receivers: Member[] = [];
    for (const instance of instances) {
      const receiver = instance.live && instance.peer !== undefined && instance.grants.open && receives(instance);
      if (!receiver && instance.grants.grants.length === 0) continue;
      const member = memberOf(instance, receiver, rows.get(instance.service) ?? 0, options);
      if (receiver) receivers.push(member);
      const members = services.get(instance.service);
      if (members === undefined) services.set(instance.service, [member]);
      else members.push(member);
    }
    for (const point of points) {
      const members = services.get(point.meter.service);
      if (members !== undefined) this.#splitter.split(point, members, windowUs, seats.capacity);
    }
    if (this.#tenantAt.length < seats.capacity) this.#tenantAt = new Int32Array(2 * seats.capacity).fill(-1);
    const weightOf = weightsBySeat(options);
    const observed = options.meters.list(POINT).filter((meter) => !options.enforcedAt(meter.name));
    return receivers.map(({ instance, granted, omitted }) => {
      const grant: Grant = { epoch, sequence, sentUs: nowUs, points: granted! };
      instance.grants.add(grant);
      const allocation = this.#messageOf(grant, instance, weightOf, options);
      for (const { service, name } of observed) if (service === instance.service) allocation.inArrivalOrder.push(name);
      return { instance, allocation, omitted };
    });
  }

  /** A grant as a message: names in dictionaries, columns by pair. */
  #messageOf(grant: Grant, instance: Instance, weightOf: Float64Array | undefined, options: AllocateOptions): Allocation {
    const { seats, meters, limits, policyNames, burstSeconds } = options;
    const tenantAt = this.#tenantAt;
    const message = emptyAllocation(grant.epoch, grant.sequence, options.ttlUs);
    const { tenants, reasons } = message;
    const rows = grant.points.reduce((sum, { seats }) => sum + seats.length, 0);
    // Made at their full length: to grow them row by row took four times as long.
    const [point, tenant, reason, ratePerSec, burst, fallbackPerSec] = COLUMNS.map((name) => {
      message[name] = new Array<number>(rows);
      return message[name];
    });
    let row = 0;
    const named: number[] = [];
    const reasonAt = new Map<number | string, number>();
    for (const granted of grant.points) {
      const index = message.points.push(meters.at(granted.point)!.name) - 1;
      const { policies, resources } = limits.at(granted.point)!;
      // Few reasons, many rows: those of one policy are found by resource.
      let policy = -1;
      let byResource: number[] = [];
      for (let i = 0; i < granted.seats.length; i++) {
        const seat = granted.seats[i];
        if (tenantAt[seat] < 0) {
          tenantAt[seat] = tenants.push(seats.name(seat)!) - 1;
          named.push(seat);
        }
        if (policies[seat] !== policy) {
          policy = policies[seat];
          byResource = [];
        }
        const resource = resources[seat] + 1;
        let because = policy < 0 ? undefined : byResource[resource];
        if (because === undefined) {
          const key = policy < 0 ? limits.get(granted.point, seat)!.note : policy * MOST_METERS + resource;
          because = reasonAt.get(key);
          if (because === undefined) {
            const text = typeof key === "string" ? key : `${policyNames[policy]}|${meters.at(resource - 1)?.name ?? ""}`;
            because = reasons.push(text) - 1;
            reasonAt.set(key, because);
          }
          byResource[resource] = because;
        }
        const rate = Math.min(granted.ratesPerSec[i], HIGHEST_RATE);
        point[row] = index;
        tenant[row] = tenantAt[seat];
        reason[row] = because;
        ratePerSec[row] = rate;
        burst[row] = Math.min(rate * burstSeconds, HIGHEST_RATE);
        fallbackPerSec[row++] = Math.min(granted.fallbacksPerSec[i], HIGHEST_RATE);
      }
    }
    for (const seat of named) tenantAt[seat] = -1;
    if (weightOf !== undefined) addWeights(message, instance, weightOf);
    return message;
  }
}

/** What is limited, point by point. */
function pointsOf({ limits, meters }: AllocateOptions): PointLimits[] {
  const points: PointLimits[] = [];
  limits.forEachPoint((index, columns) => {
    const meter = meters.at(index);
    if (meter === undefined) return;
    const seats = new Int32Array(columns.count);
    const rates = new Float64Array(columns.count);
    for (let seat = 0, k = 0; k < seats.length; seat++) {
      const rate = columns.rates[seat];
      if (Number.isNaN(rate)) continue;
      seats[k] = seat;
      rates[k++] = rate;
    }
    points.push({ meter, seats, rates, policies: columns.policies });
  });
  return points;
}

/** What of `rows` limits fits into one message to this instance. */
function memberOf(instance: Instance, receiver: boolean, rows: number, { seats, weights }: AllocateOptions): Member {
  const rowsFor = (names: number, nameBytes: number) => {
    // Who has a weight is named a second time, beside it.
    const weightBytes = weights.size === 0 ? 0 : nameBytes + names * 8;
    const left = MAX_MESSAGE_BYTES - OTHER_BYTES - nameBytes - weightBytes;
    return Math.min(Math.max(0, Math.floor(left / (ROW_BYTES + varintBytes(names)))), ALLOCATION_BOUNDS.rows);
  };
  const granted = receiver ? [] : undefined;
  if (rows <= rowsFor(seats.size, seats.nameBytes)) return { instance, granted, namedOnly: false, rowsLeft: rows, omitted: 0 };
  const { names } = instance.ledger;
  let nameBytes = 0;
  for (const name of names) if (name !== undefined) nameBytes += nameBytesOf(name);
  return { instance, granted, namedOnly: true, rowsLeft: rowsFor(names.length, nameBytes), omitted: 0 };
}

function varintBytes(below: number): number {
  return below <= 1 << 7 ? 1 : below <= 1 << 14 ? 2 : 3;
}

/** Weights by seat, when there are any other than 1. */
function weightsBySeat({ seats, weights }: AllocateOptions): Float64Array | undefined {
  if (weights.size === 0) return undefined;
  const bySeat = new Float64Array(seats.capacity).fill(1);
  for (const [id, weight] of weights) {
    const seat = seats.find(id);
    if (seat !== undefined) bySeat[seat] = weight;
  }
  return bySeat;
}

function addWeights(message: Allocation, { ledger }: Instance, weightOf: Float64Array): void {
  for (let i = 0; i < ledger.names.length; i++) {
    const seat = ledger.seats[i];
    if (seat < 0 || weightOf[seat] === 1) continue;
    message.weightTenants.push(ledger.names[i]!);
    message.weights.push(weightOf[seat]);
  }
}
