/**
 * Headers come as plain objects (Node), as `Headers` (fetch), as maps, as gRPC metadata. This reads and writes one header in
 * any of them, whatever the case of its name.
 */

/** Anything headers can be read from: a plain object of strings, or something with `get(name)`. */
export type IncomingHeaders =
  | { readonly [name: string]: unknown }
  | { get(name: string): string | null | undefined | readonly unknown[] };

/** Anything a header can be written to: a plain object, or something with `get(name)` and `set(name, value)`. */
export type OutgoingHeaders =
  | { [name: string]: unknown }
  | { get(name: string): string | null | undefined | readonly unknown[]; set(name: string, value: string): unknown };

/** A header's text; several lines of it joined by commas, as HTTP says; undefined when absent. */
export function headerText(headers: IncomingHeaders | OutgoingHeaders, name: string): string | undefined {
  return text(hasGet(headers) ? headers.get(name) : headers[keyOf(headers, name)]);
}

/** Writes a header, in place of one whose name differs only in case. */
export function setHeader(headers: OutgoingHeaders, name: string, value: string): void {
  if (hasGet(headers)) (headers as { set(name: string, value: string): unknown }).set(name, value);
  else headers[keyOf(headers, name)] = value;
}

function hasGet(headers: object): headers is { get(name: string): string | null | undefined | readonly unknown[] } {
  return typeof (headers as { get?: unknown }).get === "function";
}

/** Node gives lower-case names, so the scan is rarely reached. */
function keyOf(headers: { readonly [name: string]: unknown }, name: string): string {
  if (Object.hasOwn(headers, name)) return name;
  return Object.keys(headers).find((key) => key.length === name.length && key.toLowerCase() === name) ?? name;
}

function text(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(String).join(",");
  return String(value);
}
