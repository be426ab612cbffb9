/**
 * Errors across gRPC: a status everybody understands, with our own code beside it in the trailing metadata, so that an error
 * raised on one side is the same error on the other. The numbers are gRPC's; they stand here so that an agent without a
 * controller in reach never loads the gRPC library for them.
 */
import { type ErrorCode, TenantryError } from "../errors.js";

/** Metadata key under which our code travels. */
export const CODE_METADATA = "tenantry-code";

const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const STATUS: Readonly<Record<ErrorCode, number>> = {
  BAD_TENANT: INVALID_ARGUMENT,
  BAD_NAME: INVALID_ARGUMENT,
  BAD_ARGUMENT: INVALID_ARGUMENT,
  BAD_MESSAGE: INVALID_ARGUMENT,
  BAD_SEQUENCE: ABORTED,
  BAD_CONFIG: INVALID_ARGUMENT,
  BAD_POLICY: INVALID_ARGUMENT,
  POLICY_STOPPED: FAILED_PRECONDITION,
  BAD_JOB: INVALID_ARGUMENT,
  BAD_TRACE: INVALID_ARGUMENT,
  STORE_CORRUPT: INTERNAL,
  STORE_UNAVAILABLE: UNAVAILABLE,
  STORE_IN_USE: FAILED_PRECONDITION,
  NOT_ALLOWED: PERMISSION_DENIED,
  UNAVAILABLE,
  ADDRESS_IN_USE: FAILED_PRECONDITION,
  TOO_MANY: RESOURCE_EXHAUSTED,
  UNKNOWN: NOT_FOUND,
  CLOSED: UNAVAILABLE,
  QUEUE_FULL: RESOURCE_EXHAUSTED,
  DEADLINE: RESOURCE_EXHAUSTED,
  RATE_ZERO: RESOURCE_EXHAUSTED,
  SHUTTING_DOWN: UNAVAILABLE,
};

/** What our errors are called when the other side is not ours, or not told. */
const CODES = new Map<number, ErrorCode>([
  [CANCELLED, "CLOSED"],
  [INVALID_ARGUMENT, "BAD_MESSAGE"],
  [NOT_FOUND, "UNKNOWN"],
  [RESOURCE_EXHAUSTED, "TOO_MANY"],
  [PERMISSION_DENIED, "NOT_ALLOWED"],
  [UNAUTHENTICATED, "BAD_ARGUMENT"],
]);

/** The gRPC status number for an error; INTERNAL for one that is not ours. */
export function statusOf(error: unknown): number {
  return error instanceof TenantryError ? STATUS[error.code] : INTERNAL;
}

/**
 * The error a gRPC status stands for.
 *
 * @param status   gRPC's number
 * @param details  its text
 * @param code     what came under `CODE_METADATA`, if anything
 */
export function errorOf(status: number, details: string, code: unknown): TenantryError {
  const known = typeof code === "string" && Object.hasOwn(STATUS, code) ? (code as ErrorCode) : CODES.get(status);
  return new TenantryError(
    known ?? "UNAVAILABLE",
    details === "" ? `the other side answered with gRPC status ${status}` : details,
  );
}
