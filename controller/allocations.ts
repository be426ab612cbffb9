/**
 * From rates over the whole cluster to one message per instance: split, then only what may be granted now, then columns.
 *
 * All pairs are walked in ascending order of their key, point by point; the logs of what each instance may still be using are
 * sorted the same way, so that everything is merged in one pass without looking anything up.
 */
import { type Allocation, emptyAllocation } from "../proto/messages.js";
import { ALLOCATION_BOUNDS } from "../proto/validate.js";
import { heldBack } from "./figures.js";
import { type Grant, GrantWalk, pairKey, pointOf } from "./grant-log.js";
import type { LimitColumns, LimitTable } from "./limit-table.js";
import type { Instance } from "./membership.js";
import type { LogicalMeter, MeterBook } from "./meter-book.js";
import { AVERAGE, COST, COUNT, SUMS } from "./meter-rows.js";
import { EVEN_PART, FALLBACK_EVEN_PART, growWithin, JOINER, shareOut } from "./split.js";
import type { TenantSeats } from "./tenant-seats.js";

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
}

export interface Dispatch {
  readonly instance: Instance;
  readonly allocation: Allocation;
}

/** Members of one service, while its points are split. */
interface Member {
  readonly instance: Instance;
  readonly outstanding: GrantWalk;
  /** Filled for receivers: what they are granted. */
  readonly granted: GrantColumns | undefined;
  /** Of the point at hand, by position of its pairs; undefined: it takes no part in this point. */
  demands: Float64Array | undefined;
}

/** A grant while it is being written. */
class GrantColumns {
  size = 0;
  readonly keys: Float64Array;
  readonly rates: Float64Array;
  readonly fallbacks: Float64Array;
  readonly cluster: Float64Array;

  constructor(pairs: number) {
    const most = Math.min(pairs, ALLOCATION_BOUNDS.rows);
    this.keys = new Float64Array(most);
    this.rates = new Float64Array(most);
    this.fallbacks = new Float64Array(most);
    this.cluster = new Float64Array(most);
  }

  push(key: number, rate: number, fallback: number, cluster: number): void {
    const at = this.size;
    if (at === this.keys.length) return;
    this.keys[at] = key;
    this.rates[at] = rate;
    this.fallbacks[at] = fallback;
    this.cluster[at] = cluster;
    this.size = at + 1;
  }
}

/** Indices of meters are below this. */
const MOST_METERS = 65_536;

/** Decides what each receiver is granted, notes it in its log, and returns the messages. */
export function allocate(options: AllocateOptions): Dispatch[] {
  const { epoch, sequence, nowUs, instances, receives, limits, meters } = options;
  const services = new Map<string, Member[]>();
  const receivers: Member[] = [];
  for (const instance of instances) {
    const receiver = instance.live && instance.peer !== undefined && instance.grants.open && receives(instance);
    if (!receiver && instance.grants.grants.length === 0) continue;
    const member: Member = {
      instance,
      outstanding: new GrantWalk(instance.grants.grants),
      granted: receiver ? new GrantColumns(limits.size) : undefined,
      demands: undefined,
    };
    if (receiver) receivers.push(member);
    const members = services.get(instance.service);
    if (members === undefined) services.set(instance.service, [member]);
    else members.push(member);
  }
  const pairAt = new Int32Array(options.seats.capacity).fill(-1);
  let seats: number[] = [];
  let rates: number[] = [];
  let current = -1;
  const flush = () => {
    const meter = meters.at(current);
    const members = meter === undefined ? undefined : services.get(meter.service);
    if (meter !== undefined && members !== undefined) splitPoint(meter, members, seats, rates, options, pairAt);
    seats = [];
    rates = [];
  };
  limits.forEach((point, seat, rate) => {
    if (point !== current) {
      flush();
      current = point;
    }
    seats.push(seat);
    rates.push(rate);
  });
  flush();
  const weightOf = weightsBySeat(options);
  return receivers.map(({ instance, granted }) => {
    const grant: Grant = {
      epoch,
      sequence,
      sentUs: nowUs,
      keys: granted!.keys.slice(0, granted!.size),
      ratesPerSec: granted!.rates.slice(0, granted!.size),
      fallbacksPerSec: granted!.fallbacks.slice(0, granted!.size),
      clusterPerSec: granted!.cluster.slice(0, granted!.size),
    };
    instance.grants.add(grant);
    return { instance, allocation: messageOf(grant, instance, weightOf, pairAt, options) };
  });
}

/** Splits the rates of one point's pairs over the members of its service. */
function splitPoint(
  meter: LogicalMeter,
  members: Member[],
  seats: readonly number[],
  rates: readonly number[],
  options: AllocateOptions,
  pairAt: Int32Array,
): void {
  seats.forEach((seat, position) => {
    pairAt[seat] = position;
  });
  const sharing: Member[] = [];
  const lingering: Member[] = [];
  for (const member of members) {
    const { instance } = member;
    member.demands =
      instance.live && instance.peer !== undefined ? demandsAt(member, meter, seats.length, pairAt, options) : undefined;
    if (member.demands !== undefined) sharing.push(member);
    else if (!member.outstanding.empty) lingering.push(member);
  }
  for (const seat of seats) pairAt[seat] = -1;
  const n = sharing.length;
  const demands = new Float64Array(n);
  const shares = new Float64Array(n);
  const grants = new Float64Array(n);
  const fallbacks = new Float64Array(n);
  const outstanding = new Float64Array(n);
  const outstandingFallbacks = new Float64Array(n);
  for (let k = 0; k < seats.length; k++) {
    const key = pairKey(meter.index, seats[k]);
    const rate = rates[k];
    let ceiling = rate;
    let left = 0;
    let leftFallback = 0;
    for (const { outstanding: log } of lingering) {
      log.moveTo(key);
      left += Math.max(log.ratePerSec, 0);
      leftFallback += Math.max(log.fallbackPerSec, 0);
      ceiling = Math.max(ceiling, log.clusterPerSec);
    }
    for (let j = 0; j < n; j++) {
      const log = sharing[j].outstanding;
      log.moveTo(key);
      outstanding[j] = log.ratePerSec < 0 ? JOINER : log.ratePerSec;
      outstandingFallbacks[j] = log.fallbackPerSec < 0 ? JOINER : log.fallbackPerSec;
      ceiling = Math.max(ceiling, log.clusterPerSec);
      demands[j] = sharing[j].demands![k];
      // Its own figures are not known yet: what it held tells where the demand was.
      if (sharing[j].instance.held !== undefined && demands[j] === 0) demands[j] = Math.max(log.ratePerSec, 0);
    }
    shareOut(rate, demands, EVEN_PART, shares);
    growWithin({ rate, ceiling, lingering: left }, shares, outstanding, grants);
    shareOut(rate, demands, FALLBACK_EVEN_PART, shares);
    growWithin({ rate, ceiling, lingering: leftFallback }, shares, outstandingFallbacks, fallbacks);
    for (let j = 0; j < n; j++) {
      sharing[j].granted?.push(key, grants[j], fallbacks[j], rate);
    }
  }
}

/** What each pair of this point asks for at one instance, cost units per second; undefined: the instance has no such point. */
function demandsAt(
  { instance }: Member,
  meter: LogicalMeter,
  pairs: number,
  pairAt: Int32Array,
  { windowUs }: AllocateOptions,
): Float64Array | undefined {
  const { ledger } = instance;
  const entry = ledger.meters.find((each) => each?.meter === meter);
  // One that has not reported yet may have any point of its service.
  if (!entry) return ledger.reports === 0 ? new Float64Array(pairs) : undefined;
  const demands = new Float64Array(pairs);
  const { sums, seen, length } = entry.rows;
  for (let i = 0; i < length; i++) {
    if (seen[i] === 0 || ledger.seats[i] < 0) continue;
    const position = pairAt[ledger.seats[i]];
    if (position < 0) continue;
    const at = i * SUMS + AVERAGE;
    const cost = sums[at + COST];
    const costPerRequest = cost > 0 && sums[at + COUNT] > 0 ? cost / sums[at + COUNT] : 1;
    demands[position] += cost + (heldBack(entry.rows, i, ledger.reports) * costPerRequest * 1e6) / windowUs;
  }
  return demands;
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

/** A grant as a message: names in dictionaries, columns by pair. `tenantAt` is scratch by seat, all −1 before and after. */
function messageOf(
  grant: Grant,
  instance: Instance,
  weightOf: Float64Array | undefined,
  tenantAt: Int32Array,
  options: AllocateOptions,
): Allocation {
  const { seats, meters, limits, policyNames, burstSeconds } = options;
  const message = emptyAllocation(grant.epoch, grant.sequence, options.ttlUs);
  const { points, tenants, reasons } = message;
  const reasonAt = new Map<number | string, number>();
  const named: number[] = [];
  let point = -1;
  let columns: LimitColumns | undefined;
  // Most rows have the reason of the row before.
  let policy = -2;
  let resource = -2;
  let reason = -1;
  for (let i = 0; i < grant.keys.length; i++) {
    const index = pointOf(grant.keys[i]);
    const seat = grant.keys[i] - pairKey(index, 0);
    if (index !== point) {
      point = index;
      columns = limits.at(index);
      points.push(meters.at(index)!.name);
    }
    if (tenantAt[seat] < 0) {
      tenantAt[seat] = tenants.length;
      tenants.push(seats.name(seat)!);
      named.push(seat);
    }
    if (columns!.policies[seat] !== policy || columns!.resources[seat] !== resource || policy < 0) {
      policy = columns!.policies[seat];
      resource = columns!.resources[seat];
      const key = policy < 0 ? limits.get(index, seat)!.note : policy * MOST_METERS + resource + 1;
      reason = reasonAt.get(key) ?? -1;
      if (reason < 0) {
        reason = reasons.length;
        reasonAt.set(key, reason);
        reasons.push(typeof key === "string" ? key : `${policyNames[policy]}|${meters.at(resource)?.name ?? ""}`);
      }
    }
    message.point.push(points.length - 1);
    message.tenant.push(tenantAt[seat]);
    message.reason.push(reason);
    message.ratePerSec.push(grant.ratesPerSec[i]);
    message.burst.push(grant.ratesPerSec[i] * burstSeconds);
    message.fallbackPerSec.push(grant.fallbacksPerSec[i]);
  }
  for (const seat of named) tenantAt[seat] = -1;
  if (weightOf === undefined) return message;
  const { ledger } = instance;
  for (let i = 0; i < ledger.names.length; i++) {
    const seat = ledger.seats[i];
    if (seat < 0 || weightOf[seat] === 1) continue;
    message.weightTenants.push(ledger.names[i]!);
    message.weights.push(weightOf[seat]);
  }
  return message;
}
