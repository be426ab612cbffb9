/**
 * The messages of `tenantry.proto` as plain TypeScript, the way both halves hold them in memory: camelCase, sequences and
 * epochs as numbers (exact below 2^53), columns as arrays. `proto/io/codec.ts` turns them into bytes and back; simulations
 * pass them as they are. Every field's meaning, unit and range stands in the `.proto`, once.
 */

export const RESOURCE = 0;
export const POINT = 1;
export type MeterKind = typeof RESOURCE | typeof POINT;

export interface Hello {
  service: string;
  instance: string;
  boot: string;
  acknowledgedSequence: number;
  held?: Allocation | null;
}

export interface Report {
  sequence: number;
  baseSequence: number;
  windowUs: number;
  heldEpoch: number;
  heldSequence: number;
  tenants: Name[];
  meters: MeterName[];
  rows: Rows[];
  feeds: Feed[];
}

export interface Name {
  index: number;
  name: string;
}

export interface MeterName {
  index: number;
  name: string;
  kind: MeterKind;
  unit: string;
  /** Resources: operations that can be in service at once at this instance; 0: no bound, or not known. */
  slots: number;
}

export interface Feed {
  point: string;
  resource: number;
}

/** Columns of one meter. An empty column is all zero, except `cost`: empty means equal to `serviceUs`. */
export interface Rows {
  meter: number;
  tenant: number[];
  count: number[];
  cost: number[];
  costSquared: number[];
  waitUs: number[];
  serviceUs: number[];
  throttleUs: number[];
  waiting: number[];
  running: number[];
  throttled: number[];
  oldestUs: number[];
  refused: number[];
  latencyRow: number[];
  latencyBucket: number[];
  latencyCount: number[];
}

/** The columns of whole numbers with one entry per row, where each may be left empty. */
export const WHOLE_COLUMNS = [
  "count",
  "cost",
  "waitUs",
  "serviceUs",
  "throttleUs",
  "waiting",
  "running",
  "throttled",
  "oldestUs",
  "refused",
] as const satisfies readonly (keyof Rows)[];

export interface Welcome {
  epoch: number;
  appliedSequence: number;
  windowUs: number;
  maxTenants: number;
  maxMeters: number;
}

export interface Acknowledgement {
  sequence: number;
}

export interface Allocation {
  epoch: number;
  sequence: number;
  ttlUs: number;
  points: string[];
  tenants: string[];
  reasons: string[];
  point: number[];
  tenant: number[];
  ratePerSec: number[];
  burst: number[];
  fallbackPerSec: number[];
  reason: number[];
  weightTenants: string[];
  weights: number[];
  inArrivalOrder: string[];
}

/** Up the stream. Exactly one field is set. */
export interface AgentMessage {
  hello?: Hello | null;
  report?: Report | null;
}

/** Down the stream. Exactly one field is set. */
export interface ControllerMessage {
  welcome?: Welcome | null;
  acknowledgement?: Acknowledgement | null;
  allocation?: Allocation | null;
}

/** An allocation that limits nothing, to be filled in. */
export function emptyAllocation(epoch: number, sequence: number, ttlUs: number): Allocation {
  return {
    epoch,
    sequence,
    ttlUs,
    points: [],
    tenants: [],
    reasons: [],
    point: [],
    tenant: [],
    ratePerSec: [],
    burst: [],
    fallbackPerSec: [],
    reason: [],
    weightTenants: [],
    weights: [],
    inArrivalOrder: [],
  };
}

/** A meter's columns with no row, to be filled in. */
export function emptyRows(meter: number): Rows {
  return {
    meter,
    tenant: [],
    count: [],
    cost: [],
    costSquared: [],
    waitUs: [],
    serviceUs: [],
    throttleUs: [],
    waiting: [],
    running: [],
    throttled: [],
    oldestUs: [],
    refused: [],
    latencyRow: [],
    latencyBucket: [],
    latencyCount: [],
  };
}
