/**
 * Who is there. An instance is known by service and name; its boot tells a restart from a reconnect. One that has not reported
 * for some windows is dead: it leaves the view, and its share returns when its lease is over. It is remembered a while longer,
 * so that one that was only cut off goes on where it was.
 */
import { TenantryError } from "../proto/errors.js";
import type { Hello } from "../proto/messages.js";
import { shown } from "../proto/names.js";
import type { AgentPeer } from "../proto/ports.js";
import { GrantLog } from "./grant-log.js";
import type { Held } from "./held.js";
import type { Ledger } from "./ledger.js";

export class Instance {
  readonly service: string;
  readonly instance: string;
  readonly boot: string;
  readonly ledger: Ledger;
  readonly grants = new GrantLog();
  readonly joinedUs: number;
  /** −1: none yet. */
  lastReportUs = -1;
  /** Counted in the view? */
  live = true;
  /** Where its messages go; undefined: its stream has ended. */
  peer: AgentPeer | undefined;
  /** When it last said Hello, µs. */
  helloUs: number;
  /** What it held when it came, until its own figures are known here. */
  held: Held | undefined;
  /** Sequence of the allocation it last said it holds, of this epoch. */
  heldSequence = 0;

  constructor(hello: Hello, ledger: Ledger, nowUs: number) {
    this.service = hello.service;
    this.instance = hello.instance;
    this.boot = hello.boot;
    this.ledger = ledger;
    this.joinedUs = nowUs;
    this.helloUs = nowUs;
  }

  /** `service/instance`, for people. */
  get name(): string {
    return `${this.service}/${this.instance}`;
  }
}

export class Membership {
  readonly #max: number;
  readonly #instances = new Map<string, Instance>();
  /** Changes whenever somebody joins, dies, or comes back to life. */
  version = 0;

  /** @param max instances, dead ones that are remembered included */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#instances.size;
  }

  list(): IterableIterator<Instance> {
    return this.#instances.values();
  }

  /**
   * The instance that says Hello: known, or new, or new because it restarted (`before` is then its former life).
   *
   * @returns TOO_MANY when there is no room even after forgetting the dead
   */
  join(hello: Hello, nowUs: number, newLedger: () => Ledger): { instance: Instance; before?: Instance } | TenantryError {
    const key = `${hello.service}/${hello.instance}`;
    const before = this.#instances.get(key);
    if (before !== undefined && before.boot === hello.boot) return { instance: before };
    if (before === undefined && this.#instances.size >= this.#max && !this.#forgetOneDead()) {
      return new TenantryError(
        "TOO_MANY",
        `instance ${shown(key)} was refused: ${this.#max} instances are connected already; raise maxInstances or start another controller`,
      );
    }
    const instance = new Instance(hello, newLedger(), nowUs);
    this.#instances.set(key, instance);
    this.version++;
    before?.ledger.close();
    return { instance, before };
  }

  /**
   * Looks who has been silent for too long.
   *
   * @param deadSinceUs   silent since before this: dead
   * @param forgetSinceUs silent since before this, and without a stream: forgotten
   * @returns those that died now
   */
  sweep(deadSinceUs: number, forgetSinceUs: number): Instance[] {
    const died: Instance[] = [];
    for (const [key, instance] of this.#instances) {
      const heardUs = Math.max(instance.lastReportUs, instance.helloUs);
      if (instance.live && heardUs < deadSinceUs) {
        instance.live = false;
        this.version++;
        died.push(instance);
      }
      if (!instance.live && instance.peer === undefined && heardUs < forgetSinceUs) this.#forget(key, instance);
    }
    return died;
  }

  #forgetOneDead(): boolean {
    for (const [key, instance] of this.#instances) {
      if (instance.live || instance.peer !== undefined) continue;
      this.#forget(key, instance);
      return true;
    }
    return false;
  }

  #forget(key: string, instance: Instance): void {
    instance.ledger.close();
    this.#instances.delete(key);
  }
}
