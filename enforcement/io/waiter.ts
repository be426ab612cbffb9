/**
 * From callbacks to a promise, for whoever has to wait: a request at a control point, an operation at a resource.
 *
 * Most never wait, and pay for nothing here: the `AbortSignal` listener (about 1 µs) and the promise exist only from the moment
 * it is certain that the request was not admitted at once. Whoever waited goes on in a continuation of its own promise, so that
 * every asynchronous context of the caller (tracing, other stores) is its own again and not that of whoever made room.
 */
import type { KeepAlive } from "./keep-alive.js";

/** What can be taken out of the queue it waits in. */
export interface Waiting {
  /** Takes it out; false when it has just been admitted. */
  withdraw(): boolean;
}

/** How many were told to start, and will in a continuation that has not run yet: who comes now must not overtake them. */
export interface Turns {
  due: number;
}

export class Waiter {
  readonly #turns: Turns | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #keepAlive: KeepAlive | undefined;
  #signal: AbortSignal | undefined;
  #onAbort: (() => void) | undefined;

  constructor(turns?: Turns) {
    this.#turns = turns;
  }

  /** Waits until `start` or `refuse` is called, or the signal aborts and `waiting` has been withdrawn. */
  wait(keepAlive: KeepAlive, waiting: Waiting, signal: AbortSignal | undefined): Promise<void> {
    this.#keepAlive = keepAlive;
    keepAlive.hold();
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (signal !== undefined) this.#listen(waiting, signal);
    });
  }

  start(): void {
    this.#settle();
    if (this.#turns !== undefined) this.#turns.due += 1;
    this.#resolve?.();
  }

  refuse(error: unknown): void {
    this.#settle();
    this.#reject?.(error);
  }

  #listen(waiting: Waiting, signal: AbortSignal): void {
    this.#signal = signal;
    this.#onAbort = () => {
      if (waiting.withdraw()) this.refuse(signal.reason);
    };
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  #settle(): void {
    this.#keepAlive?.release();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
