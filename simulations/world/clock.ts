/**
 * Virtual time: a binary heap of calls to make, in order of time and, at equal times, in order of asking. Time jumps from one
 * call to the next; nothing ever waits.
 *
 * Time is whole µs. With fractions, `now + wait === now` happens in doubles and virtual time stands still; so what is asked for
 * between two µs happens at the later one. Keys lie in typed arrays beside the heap, so that sifting compares numbers that
 * are next to each other and follows no pointers. A cancelled call stays where it is until its time comes, or until
 * cancelled ones outnumber the others, when the heap is rebuilt without them: a thousand deadlines that never pass cost nothing.
 */
import { TenantryError } from "../../proto/errors.js";
import type { Alarm, Clock } from "../../proto/ports.js";
import type { Trace } from "./trace.js";

/** Something that can end, and with it every call it asked for. */
export interface Life {
  readonly alive: boolean;
}

/** Cancelled calls that are worth a rebuild, at the least. */
const FEW = 1024;

class VirtualAlarm implements Alarm {
  act: (() => void) | undefined;
  readonly clock: VirtualClock;
  readonly life: Life | undefined;

  constructor(clock: VirtualClock, act: () => void, life: Life | undefined) {
    this.clock = clock;
    this.act = act;
    this.life = life;
  }

  cancel(): void {
    if (this.act === undefined) return;
    this.act = undefined;
    this.clock.forgotten();
  }
}

/** Time that passes only when nothing else is left to do at the present moment, and takes none to pass. */
export class VirtualClock implements Clock {
  #nowUs = 0;
  #size = 0;
  #asked = 0;
  #cancelled = 0;
  #whenUs = new Float64Array(1024);
  #order = new Float64Array(1024);
  #alarms: VirtualAlarm[] = [];
  readonly #trace: Trace | undefined;
  /** Calls made so far. */
  events = 0;

  constructor(trace?: Trace) {
    this.#trace = trace;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  /** Calls that are still to be made. */
  get pending(): number {
    return this.#size - this.#cancelled;
  }

  /**
   * Calls `act` at `whenUs`, or at once after what is due now when that has passed; never when it is Infinity.
   * With `life`, only if that is alive then.
   */
  at(whenUs: number, act: () => void, life?: Life): Alarm {
    if (Number.isNaN(whenUs)) throw new TenantryError("BAD_ARGUMENT", "clock.at: whenUs is NaN; expected whole µs");
    const alarm = new VirtualAlarm(this, act, life);
    if (whenUs === Number.POSITIVE_INFINITY) {
      alarm.act = undefined;
      return alarm;
    }
    this.#push(Math.max(Math.ceil(whenUs), this.#nowUs), this.#asked++, alarm);
    return alarm;
  }

  /** Makes every call due up to and including `untilUs`; the time is then `untilUs`. */
  run(untilUs: number): void {
    while (this.#size > 0 && this.#whenUs[0] <= untilUs) this.#next();
    this.#nowUs = Math.max(this.#nowUs, untilUs);
  }

  /** Makes the next call that is due up to `untilUs`; false when there is none. */
  step(untilUs = Number.POSITIVE_INFINITY): boolean {
    while (this.#size > 0 && this.#whenUs[0] <= untilUs) if (this.#next()) return true;
    return false;
  }

  /** For alarms: one more was cancelled. */
  forgotten(): void {
    this.#cancelled++;
    if (this.#cancelled > FEW && this.#cancelled * 2 > this.#size) this.#rebuild();
  }

  #next(): boolean {
    const whenUs = this.#whenUs[0];
    const alarm = this.#alarms[0];
    this.#pop();
    const act = alarm.act;
    if (act === undefined) {
      this.#cancelled--;
      return false;
    }
    alarm.act = undefined;
    if (alarm.life !== undefined && !alarm.life.alive) return false;
    this.#nowUs = whenUs;
    this.events++;
    this.#trace?.time(whenUs);
    act();
    return true;
  }

  #push(whenUs: number, order: number, alarm: VirtualAlarm): void {
    if (this.#size === this.#whenUs.length) this.#grow();
    const when = this.#whenUs;
    const orders = this.#order;
    const alarms = this.#alarms;
    let hole = this.#size++;
    while (hole > 0) {
      const parent = (hole - 1) >>> 1;
      // The newcomer was asked for last: at equal times it stays below.
      if (when[parent] < whenUs || (when[parent] === whenUs && orders[parent] < order)) break;
      when[hole] = when[parent];
      orders[hole] = orders[parent];
      alarms[hole] = alarms[parent];
      hole = parent;
    }
    when[hole] = whenUs;
    orders[hole] = order;
    alarms[hole] = alarm;
  }

  #pop(): void {
    const size = --this.#size;
    const when = this.#whenUs;
    const orders = this.#order;
    const alarms = this.#alarms;
    const lastWhen = when[size];
    const lastOrder = orders[size];
    const last = alarms.pop();
    if (size === 0 || last === undefined) return;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && (when[right] < when[child] || (when[right] === when[child] && orders[right] < orders[child]))) {
        child = right;
      }
      if (lastWhen < when[child] || (lastWhen === when[child] && lastOrder < orders[child])) break;
      when[hole] = when[child];
      orders[hole] = orders[child];
      alarms[hole] = alarms[child];
      hole = child;
    }
    when[hole] = lastWhen;
    orders[hole] = lastOrder;
    alarms[hole] = last;
  }

  #rebuild(): void {
    const kept: { whenUs: number; order: number; alarm: VirtualAlarm }[] = [];
    for (let i = 0; i < this.#size; i++) {
      const alarm = this.#alarms[i];
      if (alarm.act !== undefined) kept.push({ whenUs: this.#whenUs[i], order: this.#order[i], alarm });
    }
    this.#size = 0;
    this.#cancelled = 0;
    this.#alarms = [];
    for (const { whenUs, order, alarm } of kept) this.#push(whenUs, order, alarm);
  }

  #grow(): void {
    const wider = (column: Float64Array<ArrayBuffer>) => {
      const copy = new Float64Array(column.length * 2);
      copy.set(column);
      return copy;
    };
    this.#whenUs = wider(this.#whenUs);
    this.#order = wider(this.#order);
  }
}
