/**
 * What may be called what. Checked wherever a name enters: the service's code, a request header, the wire, a config.
 */
import { TenantryError } from "./errors.js";

/** The tenant of a request that named none. Visible, and limited like any other. */
export const UNKNOWN_TENANT = "unknown";
/** The tenant all others share once a bound on the number of tenants is reached. */
export const OVERFLOW_TENANT = "overflow";

const MAX_TENANT_LENGTH = 128;
const MAX_NAME_LENGTH = 64;

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const LOGICAL_NAME = /^[A-Za-z0-9._-]{1,64}\/[A-Za-z0-9._-]{1,64}$/;
// Control characters, line and paragraph separators, byte-order mark, bidi overrides and lone surrogates: what could forge a
// log line, or look like another tenant while not being it.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\uFEFF\u202A-\u202E\u2066-\u2069]/u;

/** Is this a tenant id: 1..128 UTF-16 units, no control characters or lone surrogates, no blank at either end? */
export function isTenantId(id: unknown): id is string {
  return typeof id === "string" && tenantFault(id) === undefined;
}

/** Throws BAD_TENANT, saying what is wrong with the id, unless it is one. */
export function checkTenantId(id: unknown): asserts id is string {
  const fault = typeof id === "string" ? tenantFault(id) : `is ${id === null ? "null" : typeof id}, not a string`;
  if (fault !== undefined) {
    throw new TenantryError(
      "BAD_TENANT",
      `tenant id ${shown(id)} ${fault}; expected 1 to ${MAX_TENANT_LENGTH} printable characters without blanks at the ends`,
    );
  }
}

function tenantFault(id: string): string | undefined {
  if (id.length === 0) return "is empty";
  if (id.length > MAX_TENANT_LENGTH) return `has ${id.length} characters`;
  if (UNPRINTABLE.test(id)) return "has control characters";
  if (id !== id.trim()) return "begins or ends with a blank";
  return undefined;
}

/** Is this the name of a service, resource or control point: 1..64 of letters, digits, `.`, `_`, `-`? */
export function isName(name: unknown): name is string {
  return typeof name === "string" && NAME.test(name);
}

/** Throws BAD_NAME unless `name` is one; `what` says what is being named, e.g. "resource". */
export function checkName(what: string, name: unknown): asserts name is string {
  if (!isName(name)) {
    throw new TenantryError(
      "BAD_NAME",
      `${what} name ${shown(name)} is not a name; expected 1 to ${MAX_NAME_LENGTH} letters, digits, ".", "_" or "-"`,
    );
  }
}

/** Is this `service/name`, as the controller and its policies call resources and points? */
export function isLogicalName(name: unknown): name is string {
  return typeof name === "string" && LOGICAL_NAME.test(name);
}

/** Is this 1..`max` printable characters, as instance and boot identifiers must be? */
export function isLabel(label: unknown, max: number): label is string {
  return typeof label === "string" && label.length >= 1 && label.length <= max && !UNPRINTABLE.test(label);
}

/** A value as it may be quoted in a message: short, on one line, and printable. */
export function shown(value: unknown): string {
  if (typeof value !== "string") {
    try {
      return String(value).slice(0, 40);
    } catch {
      return "an object"; // one that cannot be told as text, such as { toString: 0 }
    }
  }
  const text = JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return text.replace(new RegExp(UNPRINTABLE, "gu"), (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
