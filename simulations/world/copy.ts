/**
 * A message as it would come out at the other end of a wire: equal, and shared with nobody. What a wire would not carry, such
 * as a function or a Map, is refused, so that a simulation cannot pass what production could not.
 */
import { TenantryError } from "../../proto/errors.js";

export function copied<T>(message: T): T {
  return copyOf(message) as T;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null) {
    if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint") throw refused(typeof value);
    return value;
  }
  if (Array.isArray(value)) {
    // Columns are long arrays of numbers: one native copy.
    return typeof value[0] === "object" ? value.map(copyOf) : value.slice();
  }
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(prototype.constructor?.name ?? "an object of a class");
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key]);
  return copy;
}

function refused(kind: string): TenantryError {
  return new TenantryError(
    "BAD_MESSAGE",
    `a message holds a ${kind}; the wire carries numbers, strings, arrays and plain objects`,
  );
}
