/**
 * W3C Baggage (https://www.w3.org/TR/baggage/): the header in which a tenant travels from service to service, next to the
 * members of others.
 *
 *   baggage: tenant.id=acme,tenant.via=gateway/read,userTier=gold;ttl=30
 *
 * Members of others are kept as they came, byte for byte but for blanks around their parts, and never decoded: what is not
 * ours is not ours to rewrite. A member that breaks the grammar is dropped alone; its neighbours stay. Our own members are
 * decoded by whoever asks for them.
 */

/** One list member. `raw` is the value as it stands in the header (percent-encoded); properties follow as they came. */
export interface BaggageMember {
  readonly key: string;
  readonly raw: string;
  /** `key` or `key=value`, still encoded. */
  readonly properties: readonly string[];
}

const NONE: readonly never[] = Object.freeze([]);

/** Bytes of other people's members that are carried on; the specification asks for at least this much. */
export const MAX_BAGGAGE_BYTES = 8192;

// RFC 7230 token; baggage-octet: visible ASCII without blank, `"`, `,`, `;` and `\`.
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const OCTETS = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/**
 * Reads a header. Malformed members are dropped; `malformed`, when given, is called with the key (or what stands in its
 * place) of each. Never throws.
 *
 * @example parseBaggage("a=1;p, b = 2")  // [{ key: "a", raw: "1", properties: ["p"] }, { key: "b", raw: "2", properties: [] }]
 */
export function parseBaggage(header: string, malformed?: (key: string) => void): BaggageMember[] {
  const members: BaggageMember[] = [];
  if (header === "") return members;
  for (const text of header.split(",")) {
    const member = parseMember(text);
    if (typeof member !== "string") members.push(member);
    else if (member !== "" || text.trim() !== "") malformed?.(member);
  }
  return members;
}

function parseMember(text: string): BaggageMember | string {
  const semicolon = text.indexOf(";");
  const first = semicolon < 0 ? text : text.slice(0, semicolon);
  const at = first.indexOf("=");
  const key = trimBlanks(at < 0 ? first : first.slice(0, at));
  const raw = trimBlanks(at < 0 ? "" : first.slice(at + 1));
  if (at < 0 || !TOKEN.test(key) || !OCTETS.test(raw)) return key;
  if (semicolon < 0) return { key, raw, properties: NONE };
  const properties: string[] = [];
  for (const property of text.slice(semicolon + 1).split(";")) {
    const eq = property.indexOf("=");
    const name = trimBlanks(eq < 0 ? property : property.slice(0, eq));
    const value = eq < 0 ? undefined : trimBlanks(property.slice(eq + 1));
    if (!TOKEN.test(name) || (value !== undefined && !OCTETS.test(value))) return key;
    properties.push(value === undefined ? name : `${name}=${value}`);
  }
  return { key, raw, properties };
}

/** Optional white space of HTTP is blank and tab, nothing else. */
function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return to - from === text.length ? text : text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** One member as it stands in a header. */
function memberText(member: BaggageMember): string {
  const head = `${member.key}=${member.raw}`;
  return member.properties.length === 0 ? head : `${head};${member.properties.join(";")}`;
}

/** A whole header. Empty when there are no members. */
export function serializeBaggage(members: readonly BaggageMember[]): string {
  return members.map(memberText).join(",");
}

/** The members that together fit into `MAX_BAGGAGE_BYTES`, from the front; members are never cut. */
export function withinLimit(members: readonly BaggageMember[]): readonly BaggageMember[] {
  // One byte per character: the grammar admits ASCII alone. Commas count.
  let bytes = -1;
  for (let i = 0; i < members.length; i++) {
    bytes += memberText(members[i]).length + 1;
    if (bytes > MAX_BAGGAGE_BYTES) return members.slice(0, i);
  }
  return members;
}

/** Percent-decodes a value. Octets that are not UTF-8 become U+FFFD, as the specification says. */
export function decodeValue(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    const bytes: number[] = [];
    for (let i = 0; i < raw.length; i++) {
      const hex = raw[i] === "%" ? raw.slice(i + 1, i + 3) : "";
      if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
        bytes.push(Number.parseInt(hex, 16));
        i += 2;
      } else {
        bytes.push(raw.charCodeAt(i));
      }
    }
    return Buffer.from(bytes).toString("utf8");
  }
}

/** Percent-encodes a value: everything but letters, digits, `-`, `.`, `_` and `~`. */
export function encodeValue(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
