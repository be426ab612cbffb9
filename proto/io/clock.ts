/**
 * The real clock and real chance, for both halves: what `io/` passes where a simulation passes virtual ones.
 *
 * Time is read from `performance.now()`, which is monotonic and unaffected by changes of the time of day, in whole µs rounded
 * down. Waits are rounded up to whole milliseconds, and an alarm that Node fires early (its timers count whole milliseconds of
 * another clock) goes back to sleep: an alarm never acts before its time, so `now + wait` is never in the future of the act.
 * Waits beyond 2^31 ms, which `setTimeout` would turn into 1 ms, are slept in pieces.
 */
import { performance } from "node:perf_hooks";
import type { Alarm, Chance, Clock } from "../ports.js";

/** Longest wait `setTimeout` takes, ms. */
const LONGEST_MS = 2 ** 31 - 1;

/** µs on the process's monotonic clock, whole. */
function nowUs(): number {
  return Math.floor(performance.now() * 1000);
}

class SystemAlarm implements Alarm {
  readonly #whenUs: number;
  #act: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(whenUs: number, act: () => void) {
    this.#whenUs = whenUs;
    this.#act = act;
    this.#sleep();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#act = undefined;
  }

  #sleep(): void {
    const waitMs = Math.ceil((this.#whenUs - nowUs()) / 1000);
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(waitMs, 0), LONGEST_MS));
    // A pending alarm is no reason for a process to stay: an idle agent must never keep one alive.
    this.#timer.unref();
  }

  #wake(): void {
    if (nowUs() < this.#whenUs) {
      this.#sleep();
      return;
    }
    const act = this.#act;
    this.#act = undefined;
    act?.();
  }
}

/**
 * The process's monotonic clock. Alarms never keep the process alive.
 *
 * @example
 * const clock = systemClock();
 * clock.at(clock.nowUs() + 100_000, () => console.log("a tenth of a second later"));
 */
export function systemClock(): Clock {
  return { nowUs, at: (whenUs, act) => new SystemAlarm(whenUs, act) };
}

/** Chance as the platform gives it; for jitter, never for secrets. */
export function systemChance(): Chance {
  return { next: Math.random };
}
