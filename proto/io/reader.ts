/**
 * Reads the protobuf wire format: varints, packed columns, strings. It bounds itself by the bytes it was given and by the
 * counts its caller allows, and throws BAD_MESSAGE instead of reading past an end or allocating more than the bytes can hold.
 *
 * A column is counted before it is read (a varint ends at each byte below 128), so that its array is made once, at its size.
 */
import { TenantryError } from "../errors.js";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

export class Reader {
  readonly #bytes: Uint8Array;
  readonly #data: DataView;
  #at: number;
  /** Where the message now being read ends. */
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Is there another field in the message being read? */
  more(): boolean {
    return this.#at < this.#end;
  }

  /** The next field's number and wire type: `number * 8 + type`. */
  tag(): number {
    const tag = this.uint32();
    if (tag < 8) throw malformed("a field has number 0");
    return tag;
  }

  /** Reads a nested message: `body` reads its fields and nothing beyond. */
  nested<T>(tag: number, body: (reader: Reader) => T): T {
    const outer = this.#end;
    this.#end = this.#boundOf(tag);
    const value = body(this);
    this.#end = outer;
    return value;
  }

  /** The bytes of the message being read that are still unread; they count as read. */
  rest(): Uint8Array {
    const bytes = this.#bytes.subarray(this.#at, this.#end);
    this.#at = this.#end;
    return bytes;
  }

  /** A varint of at most 32 bits. Longer ones, which a correct sender does not send, keep their low 32 bits as protobuf asks. */
  uint32(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw malformed("it ends inside a number");
      const byte = bytes[this.#at++];
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw malformed("a number has more than ten bytes");
  }

  /** A varint of at most 53 bits, exactly; what is larger is refused rather than rounded. */
  uint53(tag: number, field: string): number {
    if ((tag & 7) !== VARINT) throw malformed(`${field} is not a number`);
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.#at >= this.#end) throw malformed(`it ends inside ${field}`);
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed(`${field} is beyond 2^53-1`);
        return value;
      }
    }
    throw malformed(`${field} has more than ten bytes`);
  }

  /** A 32-bit number field. */
  number(tag: number, field: string): number {
    if ((tag & 7) !== VARINT) throw malformed(`${field} is not a number`);
    return this.uint32();
  }

  string(tag: number): string {
    const end = this.#boundOf(tag);
    const text = TEXT.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }

  /** A column of 32-bit numbers, packed or (as protobuf allows) one by one: appended to `column`, or a new one in its place. */
  uint32s(tag: number, column: number[]): number[] {
    if ((tag & 7) === VARINT) {
      column.push(this.uint32());
      return column;
    }
    const bytes = this.#bytes;
    const end = this.#boundOf(tag);
    let at = this.#at;
    let count = 0;
    for (let i = at; i < end; i++) count += bytes[i] < 0x80 ? 1 : 0;
    if (end > at && bytes[end - 1] >= 0x80) throw malformed("a column ends inside a number");
    const before = column.length;
    const values: number[] = before === 0 ? new Array(count) : column;
    for (let i = before; i < before + count; i++) {
      let byte = bytes[at++];
      if (byte < 0x80) {
        values[i] = byte;
        continue;
      }
      let value = byte & 0x7f;
      byte = bytes[at++];
      value |= (byte & 0x7f) << 7;
      if (byte >= 0x80) {
        byte = bytes[at++];
        value |= (byte & 0x7f) << 14;
        if (byte >= 0x80) {
          byte = bytes[at++];
          value |= (byte & 0x7f) << 21;
          if (byte >= 0x80) {
            byte = bytes[at++];
            value |= byte << 28;
            for (let extra = 5; byte >= 0x80; extra++) {
              if (extra === 10) throw malformed("a number in a column has more than ten bytes");
              byte = bytes[at++];
            }
          }
        }
      }
      values[i] = value >>> 0;
    }
    this.#at = end;
    return values;
  }

  /** A column of 32-bit floats, packed or one by one. */
  floats(tag: number, column: number[]): number[] {
    if ((tag & 7) === FIXED32) {
      if (this.#at + 4 > this.#end) throw malformed("it ends inside a number");
      column.push(this.#data.getFloat32(this.#at, true));
      this.#at += 4;
      return column;
    }
    const end = this.#boundOf(tag);
    if ((end - this.#at) % 4 !== 0) throw malformed("a column of floats has a length that is no multiple of 4");
    const before = column.length;
    const count = (end - this.#at) / 4;
    const values: number[] = before === 0 ? new Array(count) : column;
    for (let i = 0; i < count; i++) values[before + i] = this.#data.getFloat32(this.#at + 4 * i, true);
    this.#at = end;
    return values;
  }

  /** Passes over a field this version does not know. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === VARINT) this.uint32();
    else if (type === FIXED64) this.#at += 8;
    else if (type === BYTES) this.#at = this.#boundOf(tag);
    else if (type === FIXED32) this.#at += 4;
    else throw malformed(`a field has the unknown wire type ${type}`);
    if (this.#at > this.#end) throw malformed("it ends inside a field");
  }

  /** Reads the length of a field of bytes; where it ends. */
  #boundOf(tag: number): number {
    if ((tag & 7) !== BYTES) throw malformed(`field ${tag >>> 3} has wire type ${tag & 7}`);
    const end = this.uint32() + this.#at;
    if (end > this.#end) throw malformed(`field ${tag >>> 3} is longer than the message that holds it`);
    return end;
  }
}

const TEXT = new TextDecoder();

/** The error for bytes that are not the message they should be. */
export function malformed(what: string): TenantryError {
  return new TenantryError("BAD_MESSAGE", `the message is malformed: ${what}; expected tenantry.proto's wire format`);
}
