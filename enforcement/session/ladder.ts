/**
 * What becomes of rates when the controller is lost: a ladder, one place, each step told once.
 *
 *   open ──allocation──▶ leased ──ttl passed──▶ decaying ──ten windows──▶ fallback ──endAfterUs──▶ open | floor | closed
 *                          ▲                        │                        │                            │
 *                          └────────────────────── the next allocation, from anywhere ────────────────────┘
 *
 * The lease is a duration on our own monotonic clock, counted from receipt. While it decays the rate is
 *
 *   rate(k) = held + (fallback − held) · k / 10       in window k = 1 … 10 after the lease
 *
 * so that the sum over all instances moves from Σ held to Σ fallback, both within the cluster's rate, and so is every step
 * between. Linear, because a geometric decay never leaves or reaches zero.
 */
import type { Alarm, Clock } from "../../proto/ports.js";

export type LadderState = "open" | "leased" | "decaying" | "fallback" | "floor" | "closed";
export type EndState = "open" | "floor" | "closed";

const DECAY_WINDOWS = 10;

export interface LadderOptions {
  clock: Clock;
  endState: EndState;
  endAfterUs: number;
  /** The state or the decay changed: rates are different now. */
  onStep(state: LadderState, before: LadderState): void;
}

export class Ladder {
  state: LadderState = "open";
  /** How far from the held rate (0) to the fallback (1). */
  decay = 0;
  /** Length of a window, µs. */
  windowUs = 1_000_000;
  /** Length of the last lease, µs; 0: there was none. */
  leaseUs = 0;
  readonly #options: LadderOptions;
  #leaseEndUs = 0;
  #alarm: Alarm | undefined;

  constructor(options: LadderOptions) {
    this.#options = options;
  }

  /** Time until the lease runs out, µs; 0 when it has or there is none. */
  leaseLeftUs(nowUs: number): number {
    return this.state === "leased" ? Math.max(0, this.#leaseEndUs - nowUs) : 0;
  }

  /** A new allocation with this lease; 0: go to the fallback now. */
  lease(ttlUs: number): void {
    const nowUs = this.#options.clock.nowUs();
    this.leaseUs = ttlUs;
    this.#leaseEndUs = nowUs + ttlUs;
    if (ttlUs === 0) {
      this.#fallBack();
      return;
    }
    this.#step("leased", 0);
    this.#at(this.#leaseEndUs, () => this.#decayStep(1));
  }

  /** No alarm of this ladder rings any more. */
  close(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #decayStep(window: number): void {
    if (window >= DECAY_WINDOWS) {
      this.#fallBack();
      return;
    }
    this.#step("decaying", window / DECAY_WINDOWS);
    this.#at(this.#options.clock.nowUs() + this.windowUs, () => this.#decayStep(window + 1));
  }

  #fallBack(): void {
    this.#step("fallback", 1);
    this.#at(this.#options.clock.nowUs() + this.#options.endAfterUs, () => this.#step(this.#options.endState, 1));
  }

  #step(state: LadderState, decay: number): void {
    const before = this.state;
    this.close();
    this.state = state;
    this.decay = decay;
    this.#options.onStep(state, before);
  }

  #at(whenUs: number, act: () => void): void {
    this.#alarm = this.#options.clock.at(whenUs, act);
  }
}
