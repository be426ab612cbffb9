/**
 * What outlives a controller's process: a shared folder, in virtual time. Each process opens it anew; a write takes a while,
 * is atomic, and a process that dies before its end never hears of it. It can be made to fail.
 */
import type { State, StateStore } from "../../controller/index.js";
import { TenantryError } from "../../proto/errors.js";
import type { Life, VirtualClock } from "./clock.js";

export class VirtualStore {
  readonly #clock: VirtualClock;
  readonly #latencyUs: number;
  #kept: string | undefined;
  /** While true, every load and save fails. */
  failing = false;
  saves = 0;

  constructor(clock: VirtualClock, latencyUs = 2_000) {
    this.#clock = clock;
    this.#latencyUs = latencyUs;
  }

  /** What was saved last; undefined: nothing ever. */
  get state(): State | undefined {
    return this.#kept === undefined ? undefined : (JSON.parse(this.#kept) as State);
  }

  /** The store as one process sees it. */
  openedBy(life: Life): StateStore {
    const later = (act: () => void) => this.#clock.at(this.#clock.nowUs() + this.#latencyUs, act, life);
    const failure = () => new TenantryError("STORE_UNAVAILABLE", "the store does not answer; try again");
    return {
      load: (done) => {
        later(() => (this.failing ? done(failure(), undefined) : done(undefined, this.state)));
      },
      save: (state, done) => {
        const text = JSON.stringify(state);
        later(() => {
          if (this.failing) return done(failure());
          this.#kept = text;
          this.saves++;
          done();
        });
      },
    };
  }
}
