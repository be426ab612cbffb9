/**
 * Chance that repeats: one independent stream per component, by name, from the seed of the run. A stream depends on nothing
 * but (seed, name), so adding a tenant or a node leaves every other one's luck as it was.
 *
 * The generator is sfc32 (Doty-Humphrey's small fast counting generator: 128 bits of state, passes PractRand and BigCrush),
 * its state filled by splitmix32 from the seed and the FNV-1a hash of the name: 32-bit integer arithmetic throughout.
 *
 * Variates avoid `Math.log`, `Math.exp` and `Math.pow`, whose last bit ECMAScript leaves to the engine: `naturalLog` uses + − × ÷
 * only, which IEEE 754 fixes to the last bit, and durations end as whole µs.
 */
import type { Chance } from "../../proto/ports.js";

/** The stream named `name` of run `seed`. */
export class SeededChance implements Chance {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, name: string) {
    let state = (fnv1a(name) ^ Math.imul(seed | 0, 0x9e3779b1)) | 0;
    const fill = () => {
      state = (state + 0x9e3779b9) | 0;
      let word = state ^ (state >>> 16);
      word = Math.imul(word, 0x21f0aaad);
      word ^= word >>> 15;
      word = Math.imul(word, 0x735a2d97);
      return word ^ (word >>> 15);
    };
    this.#a = fill();
    this.#b = fill();
    // The seed once more by itself: (seed, name) pairs that collide in the first 32 bits still part here.
    this.#c = (fill() + seed) | 0;
    // sfc32's author advises to discard the first outputs, which still show the seed.
    for (let i = 0; i < 12; i++) this.#word();
  }

  /** Uniform in [0, 1), with 53 random bits. */
  next(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  #word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** A whole number, 0 … `count` − 1, each as likely. */
export function pick(chance: Chance, count: number): number {
  return Math.floor(chance.next() * count);
}

/** Whole µs, uniform in [fromUs, toUs]. */
export function uniformUs(chance: Chance, fromUs: number, toUs: number): number {
  return Math.round(fromUs + chance.next() * (toUs - fromUs));
}

/** Whole µs, exponential with this mean: the gap to the next of events that come at any moment alike. */
export function exponentialUs(chance: Chance, meanUs: number): number {
  return Math.round(-naturalLog(1 - chance.next()) * meanUs);
}

/** Normal with mean 0 and variance 1, by Marsaglia's polar method: a point in the unit disc, one of its two variates used. */
export function standardNormal(chance: Chance): number {
  for (;;) {
    const x = 2 * chance.next() - 1;
    const y = 2 * chance.next() - 1;
    const square = x * x + y * y;
    if (square > 0 && square < 1) return x * Math.sqrt((-2 * naturalLog(square)) / square);
  }
}

/** ln x for 0 < x ≤ 1, the same bits everywhere, right to about 1e-16: halve into [√½, √2), then ln m = 2·atanh((m−1)/(m+1)). */
export function naturalLog(x: number): number {
  let halvings = 0;
  let m = x;
  while (m < Math.SQRT1_2) {
    m *= 2;
    halvings++;
  }
  const z = (m - 1) / (m + 1);
  const z2 = z * z;
  let sum = 0;
  for (let k = 19; k >= 1; k -= 2) sum = sum * z2 + 1 / k;
  return 2 * z * sum - halvings * Math.LN2;
}
