/**
 * The little of RFC 8941 structured fields that rate-limit headers are made of: a list of strings with parameters, each an
 * integer, a string or a byte sequence. Writing only; what cannot be written is refused rather than bent.
 */
import { TenantryError } from "../../proto/errors.js";

/** A bare item: an integer, a string of printable ASCII, or bytes. */
export type BareItem = number | string | Uint8Array;

/** One member of a list: a string with parameters, in the order they are to be written. */
export interface Item {
  value: string;
  parameters: Readonly<Record<string, BareItem | undefined>>;
}

/** Structured-field integers have at most 15 digits. */
const LARGEST = 999_999_999_999_999;
const KEY = /^[a-z*][a-z0-9_.*-]*$/;
const PRINTABLE = /^[\x20-\x7e]*$/;

/** `"a";q=1, "b";q=2`. Parameters that are undefined are left out. */
export function serializeList(items: readonly Item[]): string {
  return items.map((item) => serializeBare(item.value) + serializeParameters(item.parameters)).join(", ");
}

function serializeParameters(parameters: Item["parameters"]): string {
  let text = "";
  for (const [key, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (!KEY.test(key)) throw fault(`parameter key "${key}"`, "a lower-case letter or *, then letters, digits, _ - . *");
    text += `;${key}=${serializeBare(value)}`;
  }
  return text;
}

/** One bare item as it stands in a header. */
export function serializeBare(value: BareItem): string {
  if (typeof value === "number") {
    if (!Number.isInteger(value) || Math.abs(value) > LARGEST) throw fault(`number ${value}`, "an integer of at most 15 digits");
    return String(value === 0 ? 0 : value);
  }
  if (typeof value === "string") {
    if (!PRINTABLE.test(value)) throw fault("string", "printable ASCII only; send anything else as bytes");
    return `"${value.replace(/[\\"]/g, "\\$&")}"`;
  }
  return `:${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")}:`;
}

function fault(what: string, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `${what} cannot stand in a structured header field; expected ${expected}`);
}
