/**
 * What happened, by windows of equal length: sums of what was counted in each, and what was read at the end of each.
 */
import { quantileOf } from "../measures.js";
import type { VirtualClock } from "./clock.js";
import type { Trace } from "./trace.js";

/** A sum that starts anew in each window. */
export class Tally {
  /** By window, complete ones only. */
  readonly values: number[] = [];
  #sum = 0;

  add(amount: number): void {
    this.#sum += amount;
  }

  /** For the recorder: the window is over. */
  turn(): number {
    const sum = this.#sum;
    this.values.push(sum);
    this.#sum = 0;
    return sum;
  }
}

/** Values that were seen in each window, such as latencies. */
export class Samples {
  /** By window, complete ones only; in no order. */
  readonly values: number[][] = [];
  #now: number[] = [];

  add(value: number): void {
    this.#now.push(value);
  }

  /** The q-quantile (0…1) of each window; NaN where nothing was seen. */
  quantiles(q: number): number[] {
    return this.values.map((window) => quantileOf(window, q));
  }

  /** For the recorder: the window is over. */
  turn(): number {
    const seen = this.#now;
    this.values.push(seen);
    this.#now = [];
    return seen.reduce((sum, value) => sum + value, seen.length);
  }
}

/** Counts what happens, by windows of the virtual clock. */
export class Recorder {
  readonly windowUs: number;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #tallies: (Tally | Samples)[] = [];
  readonly #gauges: { read: () => number; values: number[] }[] = [];
  /** Complete windows so far. */
  windows = 0;

  constructor(clock: VirtualClock, trace: Trace, windowUs = 1_000_000) {
    this.#clock = clock;
    this.#trace = trace;
    this.windowUs = windowUs;
    this.#wait();
  }

  /** Something to count. */
  tally(): Tally {
    const tally = new Tally();
    while (tally.values.length < this.windows) tally.values.push(0);
    this.#tallies.push(tally);
    return tally;
  }

  /** Something to see values of. */
  samples(): Samples {
    const samples = new Samples();
    while (samples.values.length < this.windows) samples.values.push([]);
    this.#tallies.push(samples);
    return samples;
  }

  /** Something to read at the end of each window; what it gave, by window. */
  gauge(read: () => number): number[] {
    const values = new Array<number>(this.windows).fill(Number.NaN);
    this.#gauges.push({ read, values });
    return values;
  }

  #wait(): void {
    this.#clock.at((this.windows + 1) * this.windowUs, () => {
      for (const tally of this.#tallies) this.#trace.number(tally.turn());
      for (const { read, values } of this.#gauges) {
        const value = read();
        this.#trace.number(value);
        values.push(value);
      }
      this.windows++;
      this.#wait();
    });
  }
}
