/**
 * Writes the protobuf wire format into one buffer that grows by doubling and is used again for the next message: encoding is
 * synchronous, so one writer serves a process. The length of a nested part stands before it but is known after it: one byte is
 * kept free, and the part is moved up when that was not enough. Moving bytes is far cheaper than measuring everything first.
 */
import { TenantryError } from "../errors.js";

const VARINT = 0;
const BYTES = 2;

export class Writer {
  #bytes = new Uint8Array(4096);
  #data = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Begins a message, forgetting the one before. */
  reset(): this {
    this.#at = 0;
    return this;
  }

  /** The message, in bytes of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** A number of at most 53 bits; zero, the default, is left out. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.#room(20);
    this.#varint(field * 8 + VARINT);
    if (!Number.isSafeInteger(value) || value < 0) throw unfit(field, value);
    this.#varint(value);
  }

  /** Text; the empty text, the default, is left out. */
  string(field: number, value: string): void {
    if (value === "") return;
    const start = this.begin(field);
    this.#room(3 * value.length);
    this.#at += TEXT.encodeInto(value, this.#bytes.subarray(this.#at)).written;
    this.end(start);
  }

  /** A packed column of 32-bit numbers; the empty one is left out. */
  uint32s(field: number, column: readonly number[]): void {
    if (column.length === 0) return;
    const start = this.begin(field);
    this.#room(5 * column.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < column.length; i++) {
      let value = column[i] >>> 0;
      if (value !== column[i]) throw unfit(field, column[i]);
      while (value >= 0x80) {
        bytes[at++] = value | 0x80;
        value >>>= 7;
      }
      bytes[at++] = value;
    }
    this.#at = at;
    this.end(start);
  }

  /** A packed column of 32-bit floats; the empty one is left out. */
  floats(field: number, column: readonly number[]): void {
    if (column.length === 0) return;
    const start = this.begin(field);
    this.#room(4 * column.length);
    for (let i = 0; i < column.length; i++) this.#data.setFloat32(this.#at + 4 * i, column[i], true);
    this.#at += 4 * column.length;
    this.end(start);
  }

  /** Begins a nested part; hand what it returns to `end`. */
  begin(field: number): number {
    this.#room(8);
    this.#varint(field * 8 + BYTES);
    return this.#at++;
  }

  /** Ends a nested part: puts its length where `begin` left room. */
  end(start: number): void {
    const length = this.#at - start - 1;
    if (length >= 0x80) {
      let extra = 0;
      for (let left = length; left >= 0x80; left = Math.floor(left / 128)) extra++;
      this.#room(extra);
      this.#bytes.copyWithin(start + 1 + extra, start + 1, this.#at);
      this.#at = start;
      this.#varint(length);
      this.#at += length;
    } else {
      this.#bytes[start] = length;
    }
  }

  #varint(value: number): void {
    while (value >= 0x80) {
      this.#bytes[this.#at++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#at++] = value;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#data = new DataView(grown.buffer);
  }
}

const TEXT = new TextEncoder();

function unfit(field: number, value: number): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `field ${field} cannot carry ${value}; expected a whole number in its range`);
}
