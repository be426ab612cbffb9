/**
 * The trace of a run, boiled down to 64 bits: every event the clock runs, every message delivered and everything a scenario
 * records is folded in, so two runs with the same hash did the same things at the same times.
 *
 * Two 32-bit lanes in the manner of FNV-1a (xor, multiply by an odd number), by words rather than bytes, each step ended by a
 * shift that lets high bits reach low ones. Only 32-bit integer arithmetic and the IEEE bits of numbers enter: no
 * machine and no engine computes these differently.
 */
const PRIME_A = 0x01000193;
const PRIME_B = 0x85ebca6b;

/** Everything that happened, as one hash: two runs are the same when their hashes are. */
export class Trace {
  #a = 0x811c9dc5 | 0;
  #b = 0x9e3779b9 | 0;
  readonly #bits = new DataView(new ArrayBuffer(8));

  /** Folds one 32-bit word in. */
  word(word: number): void {
    const a = Math.imul(this.#a ^ word, PRIME_A);
    this.#a = a ^ (a >>> 15);
    const b = Math.imul(this.#b ^ word, PRIME_B);
    this.#b = b ^ (b >>> 13);
  }

  /** Folds a whole number of µs in. */
  time(us: number): void {
    this.word(us | 0);
    if (us >= 2 ** 32) this.word((us / 2 ** 32) | 0);
  }

  /** Folds any number in, by its bits; all NaN count as one, and −0 as 0. */
  number(value: number): void {
    this.#bits.setFloat64(0, Number.isNaN(value) ? Number.NaN : value + 0, true);
    this.word(this.#bits.getInt32(0, true));
    this.word(this.#bits.getInt32(4, true));
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
    this.word(text.length);
  }

  /** 16 hex digits. */
  get hash(): string {
    return (this.#a >>> 0).toString(16).padStart(8, "0") + (this.#b >>> 0).toString(16).padStart(8, "0");
  }
}
