/**
 * Bounds on everything that comes over the wire, in both directions, checked before any state is touched. A message passes
 * whole or is refused whole, with the field, its value and what was expected.
 *
 * Only what a message shows by itself is checked here. Whether it names a tenant index that was bound before on its stream, or
 * follows the report applied last, is known to whoever keeps that state.
 */
import { TenantryError } from "./errors.js";
import { LATENCY_BUCKETS } from "./histogram.js";
import {
  type Acknowledgement,
  type AgentMessage,
  type Allocation,
  type ControllerMessage,
  type Feed,
  type Hello,
  type MeterName,
  type Name,
  type Report,
  type Rows,
  type Welcome,
  WHOLE_COLUMNS,
} from "./messages.js";
import { isLabel, isLogicalName, isName, isTenantId, shown } from "./names.js";

/** The largest message either side takes, bytes: a report of ten thousand tenants at forty meters, or that many limited at twenty points. */
export const MAX_MESSAGE_BYTES = 4 * 2 ** 20;
/** How many entries a report's lists may have: ten times what a generous service needs, and small enough to hold in memory. */
export const REPORT_BOUNDS = { tenants: 100_000, meters: 4_096, rows: 4_096, feeds: 65_536 } as const;
/** The same for an allocation. `rows` bounds its columns. */
export const ALLOCATION_BOUNDS = { points: 4_096, tenants: 100_000, reasons: 65_536, rows: 400_000 } as const;
/** A tenant's weight: schedulers divide costs by it, and tags beyond this range would lose their order. */
export const WEIGHT_BOUNDS = { least: 1e-9, most: 1e9 } as const;

/** What one stream may name; the controller tells an agent in Welcome. */
export interface StreamLimits {
  /** Tenant indices run from 0 to `maxTenants` − 1. */
  maxTenants: number;
  /** Meter indices run from 0 to `maxMeters` − 1. */
  maxMeters: number;
}

/** The most any controller may grant a stream. */
export const WIDEST_LIMITS: Readonly<StreamLimits> = { maxTenants: 1_000_000, maxMeters: 65_536 };

const UINT32_MAX = 2 ** 32 - 1;
const LONGEST_WINDOW_US = 600_000_000;

/** @throws TenantryError BAD_MESSAGE unless exactly one field is set and what it holds is within bounds. */
export function validateAgentMessage(message: AgentMessage, limits: StreamLimits = WIDEST_LIMITS): void {
  if (message.hello && !message.report) validateHello(message.hello);
  else if (message.report && !message.hello) validateReport(message.report, limits);
  else failSize("message", message.hello ? "both a hello and a report" : "neither a hello nor a report", "one of them");
}

/** @throws TenantryError BAD_MESSAGE unless exactly one field is set and what it holds is within bounds. */
export function validateControllerMessage(message: ControllerMessage): void {
  const { welcome, acknowledgement, allocation } = message;
  const fields = (welcome ? 1 : 0) + (acknowledgement ? 1 : 0) + (allocation ? 1 : 0);
  if (fields !== 1) failSize("message", `${fields} of its fields`, "one of welcome, acknowledgement and allocation");
  if (welcome) validateWelcome(welcome);
  if (acknowledgement) validateAcknowledgement(acknowledgement);
  if (allocation) validateAllocation(allocation);
}

/** @throws TenantryError BAD_MESSAGE naming the first field that is out of bounds. */
export function validateHello(hello: Hello): void {
  if (!isName(hello.service)) fail("hello.service", hello.service, NAME);
  if (!isLabel(hello.instance, 128)) fail("hello.instance", hello.instance, "1 to 128 printable characters");
  if (!isLabel(hello.boot, 64)) fail("hello.boot", hello.boot, "1 to 64 printable characters");
  sequence("hello.acknowledgedSequence", hello.acknowledgedSequence, 0);
  if (hello.held) validateAllocation(hello.held, "hello.held");
}

/**
 * @param limits what Welcome granted this stream.
 * @throws TenantryError BAD_MESSAGE naming the first field that is out of bounds.
 */
export function validateReport(report: Report, limits: StreamLimits = WIDEST_LIMITS): void {
  sequence("report.sequence", report.sequence, 1);
  sequence("report.baseSequence", report.baseSequence, 0);
  if (report.baseSequence >= report.sequence) {
    fail("report.baseSequence", report.baseSequence, `less than report.sequence (${report.sequence})`);
  }
  whole("report.windowUs", report.windowUs, 1, LONGEST_WINDOW_US);
  sequence("report.heldEpoch", report.heldEpoch, 0);
  sequence("report.heldSequence", report.heldSequence, 0);
  each("report.tenants", report.tenants, REPORT_BOUNDS.tenants, (name, at) => validateName(name, at, limits));
  each("report.meters", report.meters, REPORT_BOUNDS.meters, (meter, at) => validateMeterName(meter, at, limits));
  const seen = new Set<number>();
  each("report.rows", report.rows, REPORT_BOUNDS.rows, (rows, at) => {
    validateRows(rows, at, limits);
    if (seen.has(rows.meter)) fail(`${at}.meter`, rows.meter, "a meter that has no rows yet in this report");
    seen.add(rows.meter);
  });
  each("report.feeds", report.feeds, REPORT_BOUNDS.feeds, (feed, at) => validateFeed(feed, at, limits));
}

function validateName(name: Name, at: string, limits: StreamLimits): void {
  whole(`${at}.index`, name.index, 0, limits.maxTenants - 1);
  if (!isTenantId(name.name)) fail(`${at}.name`, name.name, TENANT);
}

function validateMeterName(meter: MeterName, at: string, limits: StreamLimits): void {
  whole(`${at}.index`, meter.index, 0, limits.maxMeters - 1);
  if (!isName(meter.name)) fail(`${at}.name`, meter.name, NAME);
  whole(`${at}.kind`, meter.kind, 0, 1);
  if (meter.unit !== "" && !isLabel(meter.unit, 32)) fail(`${at}.unit`, meter.unit, "at most 32 printable characters");
  whole(`${at}.slots`, meter.slots, 0, UINT32_MAX);
}

function validateFeed(feed: Feed, at: string, limits: StreamLimits): void {
  if (!isLogicalName(feed.point)) fail(`${at}.point`, feed.point, "service/name");
  whole(`${at}.resource`, feed.resource, 0, limits.maxMeters - 1);
}

function validateRows(rows: Rows, at: string, limits: StreamLimits): void {
  whole(`${at}.meter`, rows.meter, 0, limits.maxMeters - 1);
  const { tenant } = rows;
  if (!Array.isArray(tenant)) fail(`${at}.tenant`, tenant, COLUMN);
  if (tenant.length > limits.maxTenants) failSize(`${at}.tenant`, `${tenant.length} rows`, `at most ${limits.maxTenants}`);
  let index = 0;
  for (let i = 0; i < tenant.length; i++) {
    const step = tenant[i];
    if (isUint32(step)) index += step;
    if (!isUint32(step) || (step === 0 && i > 0) || index >= limits.maxTenants) {
      fail(`${at}.tenant[${i}]`, step, `steps that strictly increase to at most ${limits.maxTenants - 1} (here ${shown(index)})`);
    }
  }
  for (const column of WHOLE_COLUMNS) wholes(at, column, rows[column], tenant.length);
  amounts(at, "costSquared", rows.costSquared, tenant.length, AMOUNTS, false);
  validateLatencies(rows, at);
}

function validateLatencies(rows: Rows, at: string): void {
  const { latencyRow, latencyBucket, latencyCount } = rows;
  if (!Array.isArray(latencyRow)) fail(`${at}.latencyRow`, latencyRow, COLUMN);
  const most = rows.tenant.length * LATENCY_BUCKETS;
  if (latencyRow.length > most) failSize(`${at}.latencyRow`, `${latencyRow.length} entries`, `at most ${most}`);
  wholes(at, "latencyBucket", latencyBucket, latencyRow.length, true, LATENCY_BUCKETS - 1);
  wholes(at, "latencyCount", latencyCount, latencyRow.length, true);
  let before = 0;
  for (let i = 0; i < latencyRow.length; i++) {
    const row = latencyRow[i];
    if (!isUint32(row) || row < before || row >= rows.tenant.length) {
      fail(`${at}.latencyRow[${i}]`, row, `non-decreasing rows from ${before} to ${rows.tenant.length - 1}`);
    }
    before = row;
  }
}

/** @throws TenantryError BAD_MESSAGE naming the first field that is out of bounds. */
export function validateWelcome(welcome: Welcome): void {
  sequence("welcome.epoch", welcome.epoch, 1);
  sequence("welcome.appliedSequence", welcome.appliedSequence, 0);
  whole("welcome.windowUs", welcome.windowUs, 1_000, LONGEST_WINDOW_US);
  whole("welcome.maxTenants", welcome.maxTenants, 1, WIDEST_LIMITS.maxTenants);
  whole("welcome.maxMeters", welcome.maxMeters, 1, WIDEST_LIMITS.maxMeters);
}

/** @throws TenantryError BAD_MESSAGE naming the first field that is out of bounds. */
export function validateAcknowledgement(acknowledgement: Acknowledgement): void {
  sequence("acknowledgement.sequence", acknowledgement.sequence, 1);
}

/** @throws TenantryError BAD_MESSAGE naming the first field that is out of bounds. */
export function validateAllocation(allocation: Allocation, at = "allocation"): void {
  sequence(`${at}.epoch`, allocation.epoch, 0);
  sequence(`${at}.sequence`, allocation.sequence, 0);
  sequence(`${at}.ttlUs`, allocation.ttlUs, 0);
  const { points, tenants, reasons, point, weightTenants } = allocation;
  each(`${at}.points`, points, ALLOCATION_BOUNDS.points, (name, where) => {
    if (!isLogicalName(name)) fail(where, name, "service/name");
  });
  each(`${at}.tenants`, tenants, ALLOCATION_BOUNDS.tenants, (id, where) => {
    if (!isTenantId(id)) fail(where, id, TENANT);
  });
  each(`${at}.reasons`, reasons, ALLOCATION_BOUNDS.reasons, (reason, where) => {
    if (!isLabel(reason, 256)) fail(where, reason, "1 to 256 printable characters");
  });
  if (!Array.isArray(point)) fail(`${at}.point`, point, COLUMN);
  const count = point.length;
  if (count > ALLOCATION_BOUNDS.rows) failSize(`${at}.point`, `${count} rows`, `at most ${ALLOCATION_BOUNDS.rows}`);
  wholes(at, "point", point, count, true, points.length - 1);
  wholes(at, "tenant", allocation.tenant, count, true, tenants.length - 1);
  wholes(at, "reason", allocation.reason, count, true, reasons.length - 1);
  amounts(at, "ratePerSec", allocation.ratePerSec, count, AMOUNTS);
  amounts(at, "burst", allocation.burst, count, AMOUNTS);
  amounts(at, "fallbackPerSec", allocation.fallbackPerSec, count, AMOUNTS);
  each(`${at}.weightTenants`, weightTenants, ALLOCATION_BOUNDS.tenants, (id, where) => {
    if (!isTenantId(id)) fail(where, id, TENANT);
  });
  amounts(at, "weights", allocation.weights, weightTenants.length, WEIGHTS);
  each(`${at}.inArrivalOrder`, allocation.inArrivalOrder, ALLOCATION_BOUNDS.points, (name, where) => {
    if (!isLogicalName(name)) fail(where, name, "service/name");
  });
}

const NAME = '1 to 64 letters, digits, ".", "_" or "-"';
const TENANT = "a tenant id: 1 to 128 printable characters without blanks at the ends";
const COLUMN = "a column (an array)";
const AMOUNT = "a finite number, 0 or more";

/** A range of finite numbers, and how it is called in messages. */
interface Range {
  least: number;
  most: number;
  expected: string;
}
const AMOUNTS: Range = { least: 0, most: Number.MAX_VALUE, expected: AMOUNT };
const WEIGHTS: Range = { ...WEIGHT_BOUNDS, expected: "a number from 1e-9 to 1e9" };

function fail(field: string, value: unknown, expected: string): never {
  throw new TenantryError("BAD_MESSAGE", `${field} is ${shown(value)}; expected ${expected}`);
}

function failSize(field: string, size: string, expected: string): never {
  throw new TenantryError("BAD_MESSAGE", `${field} has ${size}; expected ${expected}`);
}

function each<T>(field: string, list: readonly T[], most: number, check: (entry: T, at: string) => void): void {
  if (!Array.isArray(list)) fail(field, list, "a list");
  if (list.length > most) failSize(field, `${list.length} entries`, `at most ${most}`);
  for (let i = 0; i < list.length; i++) {
    const at = `${field}[${i}]`;
    if (list[i] === undefined || list[i] === null) fail(at, list[i], "an entry");
    check(list[i], at);
  }
}

function whole(field: string, value: number, least: number, most: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= most)) {
    fail(field, value, `a whole number from ${least} to ${most}`);
  }
}

function sequence(field: string, value: number, least: number): void {
  whole(field, value, least, Number.MAX_SAFE_INTEGER);
}

/** Operators throw on some values of other types (a symbol, `{ toString: 0 }`), so the type is asked first. */
function isUint32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

function length(at: string, name: string, column: readonly number[], rows: number, required = false): void {
  if (!Array.isArray(column)) fail(`${at}.${name}`, column, COLUMN);
  if (column.length !== rows && (required || column.length !== 0)) {
    failSize(`${at}.${name}`, `${column.length} entries`, `${required ? "" : "0 or "}${rows}, one for each row`);
  }
}

function wholes(at: string, name: string, column: readonly number[], rows: number, required = false, most = UINT32_MAX): void {
  length(at, name, column, rows, required);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (!isUint32(value) || value > most) fail(`${at}.${name}[${i}]`, value, `a whole number from 0 to ${most}`);
  }
}

function amounts(at: string, name: string, column: readonly number[], rows: number, range: Range, required = true): void {
  const { least, most, expected } = range;
  length(at, name, column, rows, required);
  for (let i = 0; i < column.length; i++) {
    const value = column[i];
    if (!(typeof value === "number" && value >= least && value <= most)) fail(`${at}.${name}[${i}]`, value, expected);
  }
}
