/** A clock for tests that moves when told to: a plain sorted list, dumber than the simulation's heap on purpose. */
import type { Alarm, Chance, Clock } from "../../proto/ports.js";

export class FakeClock implements Clock {
  #nowUs: number;
  #asked = 0;
  #alarms: { whenUs: number; order: number; act: () => void }[] = [];
  /** The highest number of alarms pending at once since it was last set. */
  mostPending = 0;

  constructor(nowUs = 1_000_000) {
    this.#nowUs = nowUs;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  get pending(): number {
    return this.#alarms.length;
  }

  at(whenUs: number, act: () => void): Alarm {
    if (Number.isNaN(whenUs)) throw new Error("an alarm at NaN");
    const alarm = { whenUs, order: this.#asked++, act };
    this.#alarms.push(alarm);
    this.mostPending = Math.max(this.mostPending, this.#alarms.length);
    return {
      cancel: () => {
        this.#alarms = this.#alarms.filter((each) => each !== alarm);
      },
    };
  }

  /** Moves on by `us`, ringing what is due on the way, `lateUs` after its time. */
  advance(us: number, lateUs = 0): void {
    const untilUs = this.#nowUs + us;
    for (;;) {
      this.#alarms.sort((a, b) => a.whenUs - b.whenUs || a.order - b.order);
      const next = this.#alarms[0];
      if (next === undefined || next.whenUs + lateUs > untilUs) break;
      this.#alarms.shift();
      this.#nowUs = Math.max(this.#nowUs, next.whenUs + lateUs);
      next.act();
    }
    this.#nowUs = untilUs;
  }
}

/** Chance that always says the same. */
export function steady(value = 0): Chance {
  return { next: () => value };
}
