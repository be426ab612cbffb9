/**
 * What instances held when they came. A new controller knows nothing of the load yet; for one window it sends back what is
 * held, so that a restart in the middle of a flood is not felt: the cluster's rate of a pair is what its holders hold
 * together, and a joiner gets of it what it would get of any rate. An instance that comes later is treated so until its own
 * first report is in.
 */
import type { Allocation } from "../proto/messages.js";
import { POINT } from "../proto/messages.js";
import { type Grant, pairKey, pointOf, seatOf } from "./grant-log.js";
import { LimitTable } from "./limit-table.js";
import type { LogicalMeter, MeterBook } from "./meter-book.js";
import { USABLE } from "./split.js";
import type { TenantSeats } from "./tenant-seats.js";

/** What an instance held when it came. */
export interface Held {
  readonly grant: Grant;
  /** By row of the grant: "policy|resource". */
  readonly reasons: readonly string[];
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
  const rows: { key: number; rate: number; fallback: number; reason: string }[] = [];
  held.point.forEach((point, i) => {
    const meter = points[point];
    if (meter === undefined) return;
    const key = pairKey(meter.index, seatOfTenant[held.tenant[i]]);
    rows.push({ key, rate: held.ratePerSec[i], fallback: held.fallbackPerSec[i], reason: held.reasons[held.reason[i]] ?? "" });
  });
  rows.sort((a, b) => a.key - b.key);
  // Several tenants may share the seat of "overflow": together they hold the sum.
  for (let i = rows.length - 1; i > 0; i--) {
    if (rows[i].key !== rows[i - 1].key) continue;
    rows[i - 1].rate += rows[i].rate;
    rows[i - 1].fallback += rows[i].fallback;
    rows.splice(i, 1);
  }
  const grant: Grant = {
    epoch: held.epoch,
    sequence: held.sequence,
    sentUs: nowUs,
    keys: Float64Array.from(rows, (row) => row.key),
    ratesPerSec: Float64Array.from(rows, (row) => row.rate),
    fallbacksPerSec: Float64Array.from(rows, (row) => row.fallback),
    clusterPerSec: new Float64Array(rows.length),
  };
  return { grant, reasons: rows.map((row) => row.reason), acquired };
}

/** Per pair, what the holders hold together, made up for the reserve that every split keeps. */
export function heldLimits(holders: Iterable<{ held: Held | undefined }>): LimitTable | undefined {
  let limits: LimitTable | undefined;
  for (const { held } of holders) {
    if (held === undefined) continue;
    limits ??= new LimitTable();
    const { keys, ratesPerSec } = held.grant;
    for (let i = 0; i < keys.length; i++) {
      const point = pointOf(keys[i]);
      const seat = seatOf(keys[i]);
      const before = limits.rate(point, seat);
      const rate = (Number.isNaN(before) ? 0 : before) + ratesPerSec[i] / USABLE;
      limits.set(point, seat, rate, -1, -1, held.reasons[i]);
    }
  }
  return limits;
}
