/**
 * The tenants the controller knows, each with a seat: a small number under which all columns hold it. Seats are bounded; when
 * all are taken, newcomers share the seat of "overflow", visibly, until one becomes free. A tenant that used nothing for long
 * gives its seat back; its settings are kept elsewhere and find it again by name.
 */
import { OVERFLOW_TENANT } from "../proto/names.js";

/** Seat of the tenant "overflow"; always taken. */
export const OVERFLOW_SEAT = 0;

export class TenantSeats {
  readonly #max: number;
  readonly #seats = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  readonly #free: number[] = [];
  #lastUsed = new Float64Array(64);
  #version = 0;
  /** Bytes that all names of those seated take in a message. */
  nameBytes = 0;
  /** Names that found no seat, since the start. */
  overflows = 0;

  /** @param max seats in all, "overflow" included; ≥ 2 */
  constructor(max: number) {
    this.#max = max;
    this.seat(OVERFLOW_TENANT);
  }

  /** Seats are numbers below this. */
  get capacity(): number {
    return this.#names.length;
  }

  /** Tenants seated, "overflow" included. */
  get size(): number {
    return this.#seats.size;
  }

  /** Changes whenever a seat is taken or given back, or "overflow" is first of use. */
  get version(): number {
    return this.#version;
  }

  /** The seat of a tenant, taken now if need be; that of "overflow" when none is left. */
  seat(name: string): number {
    const known = this.#seats.get(name);
    if (known !== undefined) return known;
    let seat = this.#free.pop();
    if (seat === undefined) {
      if (this.#names.length >= this.#max) {
        this.overflows++;
        return OVERFLOW_SEAT;
      }
      seat = this.#names.length;
    }
    this.#names[seat] = name;
    this.#seats.set(name, seat);
    this.nameBytes += nameBytesOf(name);
    this.#version++;
    if (seat >= this.#lastUsed.length) {
      const grown = new Float64Array(this.#lastUsed.length * 2);
      grown.set(this.#lastUsed);
      this.#lastUsed = grown;
    }
    this.#lastUsed[seat] = -1;
    return seat;
  }

  /** The seat of a tenant; undefined when it has none. */
  find(name: string): number | undefined {
    return this.#seats.get(name);
  }

  /** Was this seat ever of use? That of "overflow" is taken from the start, but shown only when it is. */
  used(seat: number): boolean {
    return this.#lastUsed[seat] >= 0;
  }

  /** Who sits here; undefined: nobody. */
  name(seat: number): string | undefined {
    return this.#names[seat];
  }

  /** Notes that the tenant was of use in this tick. */
  touch(seat: number, tick: number): void {
    if (seat === OVERFLOW_SEAT && this.#lastUsed[seat] < 0) this.#version++;
    this.#lastUsed[seat] = tick;
  }

  /** Gives back the seats of all that were not touched since `tick`; returns them, marked 1 by seat. Undefined: none. */
  collect(tick: number): Uint8Array | undefined {
    let gone: Uint8Array | undefined;
    for (let seat = OVERFLOW_SEAT + 1; seat < this.#names.length; seat++) {
      const name = this.#names[seat];
      if (name === undefined || this.#lastUsed[seat] >= tick) continue;
      if (this.#lastUsed[seat] < 0) {
        // Seated but not touched yet: it gets one full term from now.
        this.#lastUsed[seat] = tick;
        continue;
      }
      gone ??= new Uint8Array(this.#names.length);
      gone[seat] = 1;
      this.#seats.delete(name);
      this.nameBytes -= nameBytesOf(name);
      this.#names[seat] = undefined;
      this.#free.push(seat);
      this.#version++;
    }
    return gone;
  }
}

/** Bytes a name takes in a message, at most: itself as UTF-8, its tag and its length. */
export function nameBytesOf(name: string): number {
  let bytes = 3;
  for (let i = 0; i < name.length; i++) bytes += name.charCodeAt(i) < 0x80 ? 1 : 3;
  return bytes;
}
