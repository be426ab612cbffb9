/**
 * A process in virtual time: it has a clock of its own and can die. Its clock starts anywhere and may run fast or slow, as
 * those of real machines do, so that code which compared the clocks of two machines would be found out. When it is
 * killed nothing it asked for happens any more: no farewell, no last write, as with SIGKILL.
 */
import type { Alarm, Clock } from "../../proto/ports.js";
import type { Life, VirtualClock } from "./clock.js";

/** What a simulated process is. */
export interface ProcessOptions {
  /** What its clock shows when the world's shows 0, µs. */
  offsetUs?: number;
  /** How much faster than the world's its clock runs, as a fraction: 100e-6 is a bad quartz. */
  drift?: number;
}

/** A simulated process: a real agent on the virtual clock, that can be killed and started anew. */
export class Process implements Life {
  readonly name: string;
  readonly clock: Clock;
  alive = true;

  constructor(name: string, clock: VirtualClock, options: ProcessOptions = {}) {
    this.name = name;
    this.clock = new ProcessClock(clock, this, options);
  }

  /** Ends it, now and without a word. */
  kill(): void {
    this.alive = false;
  }
}

class ProcessClock implements Clock {
  readonly #world: VirtualClock;
  readonly #life: Life;
  readonly #offsetUs: number;
  readonly #speed: number;

  constructor(world: VirtualClock, life: Life, { offsetUs = 0, drift = 0 }: ProcessOptions) {
    this.#world = world;
    this.#life = life;
    this.#offsetUs = Math.floor(offsetUs);
    this.#speed = 1 + drift;
  }

  nowUs(): number {
    return this.#read(this.#world.nowUs());
  }

  at(whenUs: number, act: () => void): Alarm {
    let worldUs = Math.ceil((whenUs - this.#offsetUs) / this.#speed);
    // Rounding must not let it act before its own clock shows `whenUs`.
    while (this.#read(worldUs) < whenUs) worldUs++;
    return this.#world.at(worldUs, act, this.#life);
  }

  #read(worldUs: number): number {
    return this.#offsetUs + Math.floor(worldUs * this.#speed);
  }
}
