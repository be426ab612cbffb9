/**
 * What instances held when they came. A new controller knows nothing of the load yet; for one window it sends back what is
 * held, so that a restart in the middle of a flood is not felt: the cluster's rate of a pair is what its holders hold
 * together, and a joiner gets of it what it would get of any rate. An instance that comes later is treated so until its own
 * first report is in.
 */
import type { Allocation } from "../proto/messages.js";
import { POINT } from "../proto/messages.js";
import type { Grant, PointGrant } from "./grant-log.js";
import { LimitTable } from "./limit-table.js";
import type { LogicalMeter, MeterBook } from "./meter-book.js";
import { USABLE } from "./split.js";
import type { TenantSeats } from "./tenant-seats.js";

interface HeldPoint extends PointGrant {
  /** By pair: "policy|resource". */
  readonly reasons: readonly string[];
}

/** What an instance held when it came. */
export interface Held {
  readonly grant: Grant & { readonly points: readonly HeldPoint[] };
  /** Points kept for it; to be released once. */
  readonly acquired: readonly LogicalMeter[];
}

/** A held allocation as an entry of the grant log. Points of other services are ignored; `acquired` must be released once. */
export function readHeld(
  held: Allocation,
  service: string,
  nowUs: number,
  { seats, meters }: { seats: TenantSeats; meters: MeterBook },
): Held {
  const acquired: LogicalMeter[] = [];
  const points = held.points.map((name) => {
    if (!name.startsWith(`${service}/`)) return undefined;
    const meter = meters.acquire(POINT, service, name.slice(service.length + 1), "");
    if (meter !== undefined) acquired.push(meter);
    return meter;
  });
  const seatOfTenant = held.tenants.map((id) => seats.seat(id));
  // By point, by seat. Several tenants may share the seat of "overflow": together they hold the sum.
  const rows = new Map<number, Map<number, { rate: number; fallback: number; reason: string }>>();
  held.point.forEach((point, i) => {
    const meter = points[point];
    if (meter === undefined) return;
    const ofPoint = rows.get(meter.index) ?? new Map();
    rows.set(meter.index, ofPoint);
    const seat = seatOfTenant[held.tenant[i]];
    const row = ofPoint.get(seat) ?? { rate: 0, fallback: 0, reason: held.reasons[held.reason[i]] ?? "" };
    row.rate += held.ratePerSec[i];
    row.fallback += held.fallbackPerSec[i];
    ofPoint.set(seat, row);
  });
  const granted: HeldPoint[] = [];
  for (const [point, ofPoint] of rows) {
    const sorted = [...ofPoint].sort(([a], [b]) => a - b);
    granted.push({
      point,
      seats: Int32Array.from(sorted, ([seat]) => seat),
      ratesPerSec: Float64Array.from(sorted, ([, row]) => row.rate),
      fallbacksPerSec: Float64Array.from(sorted, ([, row]) => row.fallback),
      clusterPerSec: new Float64Array(sorted.length),
      reasons: sorted.map(([, row]) => row.reason),
    });
  }
  return { grant: { epoch: held.epoch, sequence: held.sequence, sentUs: nowUs, points: granted }, acquired };
}

/** Per pair, what the holders hold together, made up for the reserve that every split keeps. */
export function heldLimits(holders: Iterable<{ held: Held | undefined }>): LimitTable | undefined {
  let limits: LimitTable | undefined;
  for (const { held } of holders) {
    if (held === undefined) continue;
    limits ??= new LimitTable();
    for (const { point, seats, ratesPerSec, reasons } of held.grant.points) {
      for (let i = 0; i < seats.length; i++) {
        const before = limits.rate(point, seats[i]);
        const rate = (Number.isNaN(before) ? 0 : before) + ratesPerSec[i] / USABLE;
        limits.set(point, seats[i], rate, -1, -1, reasons[i]);
      }
    }
  }
  return limits;
}
