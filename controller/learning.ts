/**
 * How long a new controller learns before it decides. What its predecessor granted is still in use, and only those who hold it can
 * tell; to decide on those who came first would grant to them what others still use. So it echoes what is held until
 *
 *   everybody who was alive has come back, and a window has passed since, in which they report;
 *   or the last lease the predecessor can have given has run out for certain: ttl + 2 windows after this one began (one for
 *   the way of a message, one for clocks that run slow).
 *
 * Where nobody is remembered, a window after the first has come. Agents look for a controller at least once a lease, so of those
 * that can be reached all are back in time. Who is not is cut off or dead, and past its lease: it falls back as it would
 * have done under the predecessor, and what it uses then was never part of anybody's lease.
 *
 * A new instance that comes before any holder is as free meanwhile as it is without a controller: nobody here knows a limit.
 */
export interface LearningOptions {
  windowUs: number;
  ttlWindows: number;
  /** Who was alive, `service/instance`. */
  remembered: Iterable<string>;
  nowUs: number;
}

export class Learning {
  readonly #windowUs: number;
  readonly #latestUs: number;
  /** Remembered, and not back yet. */
  readonly missing: Set<string>;
  #foundUs = -1;

  constructor({ windowUs, ttlWindows, remembered, nowUs }: LearningOptions) {
    this.#windowUs = windowUs;
    this.missing = new Set(remembered);
    this.#latestUs = nowUs + (ttlWindows + 2) * windowUs;
  }

  /** An instance has come. */
  found(name: string, nowUs: number): void {
    const awaited = this.missing.delete(name);
    if (awaited || this.#foundUs < 0) this.#foundUs = nowUs;
  }

  /** Is enough known to decide? */
  done(nowUs: number): boolean {
    if (this.#foundUs < 0) return false;
    const heard = nowUs >= this.#foundUs + this.#windowUs;
    return this.missing.size === 0 ? heard : nowUs >= this.#latestUs;
  }
}
