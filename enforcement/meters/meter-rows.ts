/**
 * From a meter's cells to the columns of a report, and back when the report is acknowledged.
 *
 * Drawing changes no sum. Committing subtracts exactly what the report said, so whatever was clipped to 32 bits, rounded to
 * whole units, or came after, stays in the cells and goes with the next report.
 */
import { LATENCY_BUCKETS } from "../../proto/histogram.js";
import { emptyRows, type Rows, WHOLE_COLUMNS } from "../../proto/messages.js";
import { OVERFLOW, type TenantIndex } from "../tenant-table.js";
import {
  COST,
  COST_SQUARED,
  COUNT,
  type Meter,
  REFUSED,
  RUNNING,
  SERVICE_US,
  STRIDE,
  THROTTLE_US,
  THROTTLED,
  WAIT_US,
  WAITING,
} from "./meter.js";

const UINT32_MAX = 2 ** 32 - 1;

type Column = "count" | "cost" | "costSquared" | "waitUs" | "serviceUs" | "throttleUs" | "refused";
const SUMS: readonly (readonly [Column, number])[] = [
  ["count", COUNT],
  ["cost", COST],
  ["costSquared", COST_SQUARED],
  ["waitUs", WAIT_US],
  ["serviceUs", SERVICE_US],
  ["throttleUs", THROTTLE_US],
  ["refused", REFUSED],
];

/**
 * The rows of what a meter has to tell, undefined if nothing. Tenants with nothing left to tell go off its list.
 * @param tenantLimit tenants from this index on are counted as `OVERFLOW`
 */
export function drawRows(meter: Meter, nowUs: number, tenantLimit: number): Rows | undefined {
  foldExcess(meter, nowUs, tenantLimit);
  const touched = meter.touched.subarray(0, meter.touchedCount).sort();
  const rows = emptyRows(meter.index);
  const idle: number[] = [];
  let previous = 0;
  for (let i = 0; i < touched.length; i++) {
    const tenant = touched[i];
    if (tenant >= tenantLimit) continue;
    const at = meter.advance(tenant, nowUs);
    if (!hasNews(meter.cells, at)) {
      idle.push(i);
      continue;
    }
    rows.tenant.push(tenant - previous);
    previous = tenant;
    addRow(rows, meter, tenant, at, nowUs, tenantLimit);
  }
  for (let i = idle.length - 1; i >= 0; i--) meter.untouch(idle[i]);
  if (rows.tenant.length === 0) return undefined;
  dropEmptyColumns(rows, meter.hasOwnCosts);
  return rows;
}

/** The other side has applied these rows: what they said is told. */
export function commitRows(meter: Meter, rows: Rows): void {
  const cells = meter.cells;
  let tenant = 0;
  let entry = 0;
  for (let row = 0; row < rows.tenant.length; row++) {
    tenant += rows.tenant[row];
    const at = tenant * STRIDE;
    for (const [name, field] of SUMS) {
      // An empty cost column said "equal to service".
      const column = name === "cost" && rows.cost.length === 0 ? rows.serviceUs : rows[name];
      if (column.length > 0) cells[at + field] = Math.max(0, cells[at + field] - column[row]);
    }
    const counts = meter.latencies[tenant];
    for (; entry < rows.latencyRow.length && rows.latencyRow[entry] === row; entry++) {
      if (counts !== undefined) counts[rows.latencyBucket[entry]] -= rows.latencyCount[entry];
    }
  }
}

function addRow(rows: Rows, meter: Meter, tenant: TenantIndex, at: number, nowUs: number, tenantLimit: number): void {
  const { cells } = meter;
  rows.count.push(whole(cells[at + COUNT]));
  rows.cost.push(whole(cells[at + COST]));
  rows.costSquared.push(Math.min(Math.fround(cells[at + COST_SQUARED]), 3e38));
  rows.waitUs.push(whole(cells[at + WAIT_US]));
  rows.serviceUs.push(whole(cells[at + SERVICE_US]));
  rows.throttleUs.push(whole(cells[at + THROTTLE_US]));
  rows.refused.push(whole(cells[at + REFUSED]));
  const gauges = tenant === OVERFLOW ? withExcess(meter, tenantLimit, nowUs) : undefined;
  rows.waiting.push(begun(gauges?.waiting ?? cells[at + WAITING]));
  rows.running.push(begun(gauges?.running ?? cells[at + RUNNING]));
  rows.throttled.push(begun(gauges?.throttled ?? cells[at + THROTTLED]));
  const sinceUs = gauges?.oldestSinceUs ?? meter.oldestSinceUs(tenant);
  rows.oldestUs.push(whole(sinceUs <= nowUs ? nowUs - sinceUs : 0));
  const counts = meter.latencies[tenant];
  if (counts === undefined) return;
  for (let b = 0; b < LATENCY_BUCKETS; b++) {
    if (counts[b] === 0) continue;
    rows.latencyRow.push(rows.tenant.length - 1);
    rows.latencyBucket.push(b);
    rows.latencyCount.push(counts[b]);
  }
}

function hasNews(cells: Float64Array, at: number): boolean {
  for (let field = COUNT; field < WAITING; field++) if (field !== COST_SQUARED && cells[at + field] >= 1) return true;
  // Of an operation that tenants share, each has less than one under way.
  return cells[at + WAITING] + cells[at + RUNNING] + cells[at + THROTTLED] > 0;
}

/** Sums of tenants the other side has no room for become the overflow tenant's. */
function foldExcess(meter: Meter, nowUs: number, tenantLimit: number): void {
  for (let i = meter.touchedCount - 1; i >= 0; i--) {
    const tenant = meter.touched[i];
    if (tenant < tenantLimit) continue;
    meter.fold(tenant, OVERFLOW, nowUs);
    if (meter.isIdle(tenant, false)) meter.untouch(i);
  }
}

/** What is in progress for the overflow tenant and all that count as it. */
function withExcess(meter: Meter, tenantLimit: number, nowUs: number) {
  const sum = { waiting: 0, running: 0, throttled: 0, oldestSinceUs: Number.POSITIVE_INFINITY };
  for (let i = 0; i < meter.touchedCount; i++) {
    const tenant = meter.touched[i];
    if (tenant !== OVERFLOW && tenant < tenantLimit) continue;
    const at = meter.advance(tenant, nowUs);
    sum.waiting += meter.cells[at + WAITING];
    sum.running += meter.cells[at + RUNNING];
    sum.throttled += meter.cells[at + THROTTLED];
    sum.oldestSinceUs = Math.min(sum.oldestSinceUs, meter.oldestSinceUs(tenant));
  }
  return sum;
}

function dropEmptyColumns(rows: Rows, hasOwnCosts: boolean): void {
  if (!hasOwnCosts) rows.cost = [];
  for (const name of COLUMNS) if (rows[name].every((value) => value === 0)) rows[name] = [];
  // An empty cost column means "equal to service", so costs that are all zero must be said where services are not.
  if (hasOwnCosts && rows.cost.length === 0 && rows.serviceUs.length > 0) rows.cost = rows.tenant.map(() => 0);
}

const COLUMNS = [...WHOLE_COLUMNS, "costSquared"] as const;

/** A part of an operation under way is one that is under way. */
function begun(gauge: number): number {
  return whole(Math.ceil(gauge));
}

function whole(value: number): number {
  return value < UINT32_MAX ? Math.floor(value) : UINT32_MAX;
}
