/**
 * A lock, held by one writer or by any number of readers, in order of arrival: a reader that comes after a waiting writer
 * waits for it, so nobody starves (Java's fair ReentrantReadWriteLock, which HDFS puts around its namespace).
 *
 * What a holder uses is time that nobody else can have. A writer uses all the time it holds the lock; readers that hold it
 * together share theirs: each uses its part of 1/n while there are n. So the uses of all add up to the time the lock was
 * held, and capacity is one second per second, whoever comes. That is the paper's load rate / T(f,w,r) [Retro §3.2] with the
 * T of a lock that costs nothing by itself, and it needs no benchmark. The shares are had as generalized processor sharing has
 * its virtual time: V grows by dt/n, and a reader has used V now − V when it came.
 *
 * Slowdown is request→release / acquire→release, as the paper has it.
 */
import type { ResourceMeter, TenantIndex, ViaSet } from "../../enforcement/index.js";
import type { Clock } from "../../proto/ports.js";
import type { OnServed } from "./machines.js";

/** Alone, or together with other readers. */
export type LockMode = "read" | "write";

/** µs of the lock that nobody else could have; not "us", which is time in service, and would count every reader whole. */
export const LOCK_UNIT = "us of lock";

interface Waiter {
  readonly tenant: TenantIndex;
  readonly via: ViaSet;
  readonly mode: LockMode;
  readonly arrivedUs: number;
  readonly onHeld: (release: () => void) => void;
}

/** A fair lock for readers and writers, with a queue of its own. */
export class Lock {
  readonly #clock: Clock;
  readonly #meter: ResourceMeter;
  readonly #onServed: OnServed | undefined;
  /** Those who wait, in order; the first `#taken` have been served. */
  #queue: Waiter[] = [];
  #taken = 0;
  #readers = 0;
  #writing = false;
  #granting = false;
  /** V: what a reader that was there all along would have used, µs; and when that was so. */
  #sharedUs = 0;
  #asOfUs = 0;

  /** @param meter of unit `LOCK_UNIT`; the lock queues by itself, so its slots are not used */
  constructor(clock: Clock, meter: ResourceMeter, onServed?: OnServed) {
    this.#clock = clock;
    this.#meter = meter;
    this.#onServed = onServed;
  }

  /** Those who wait for it now. */
  get waiting(): number {
    return this.#queue.length - this.#taken;
  }

  /** Calls `onHeld` once it is held, now or later; who holds it must call `release` exactly once. */
  acquire(who: { tenant: TenantIndex; via: ViaSet }, mode: LockMode, onHeld: (release: () => void) => void): void {
    const waiter: Waiter = { ...who, mode, arrivedUs: this.#clock.nowUs(), onHeld };
    if (this.waiting === 0 && this.#free(mode)) {
      this.#hold(waiter, false);
      return;
    }
    this.#meter.arrive(who.tenant);
    this.#queue.push(waiter);
  }

  #free(mode: LockMode): boolean {
    return !this.#writing && (mode === "read" || this.#readers === 0);
  }

  #hold({ tenant, via, mode, arrivedUs, onHeld }: Waiter, waited: boolean): void {
    const nowUs = this.#clock.nowUs();
    this.#share(nowUs);
    if (mode === "write") this.#writing = true;
    else this.#readers++;
    const startedUs = this.#meter.begin(tenant, via, waited);
    const sharedUs = this.#sharedUs;
    onHeld(() => {
      const endUs = this.#clock.nowUs();
      this.#share(endUs);
      const heldUs = endUs - nowUs;
      if (mode === "write") this.#writing = false;
      else this.#readers--;
      this.#meter.end(tenant, startedUs, mode === "write" ? heldUs : this.#sharedUs - sharedUs);
      this.#onServed?.(tenant, nowUs - arrivedUs, heldUs);
      this.#grant();
    });
  }

  #share(nowUs: number): void {
    if (this.#readers > 0) this.#sharedUs += (nowUs - this.#asOfUs) / this.#readers;
    this.#asOfUs = nowUs;
  }

  /** Whoever is first goes in, and readers behind readers: a loop, not recursion, however many release within `onHeld`. */
  #grant(): void {
    if (this.#granting) return;
    this.#granting = true;
    while (this.waiting > 0 && this.#free(this.#queue[this.#taken].mode)) this.#hold(this.#queue[this.#taken++], true);
    this.#granting = false;
    if (this.#taken > 1_024 && this.#taken * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
  }
}
