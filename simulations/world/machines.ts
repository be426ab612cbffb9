/**
 * Things that take time. A machine computes how long an operation is in service; queueing and measuring are left to the resource
 * meter of the library, as in a real service.
 */
import { Operation, type ResourceMeter, type TenantIndex, type ViaSet } from "../../enforcement/index.js";
import type { Chance, Clock } from "../../proto/ports.js";
import { uniformUs } from "./chance.js";

/** One use of a machine. */
export interface Use {
  tenant: TenantIndex;
  via: ViaSet;
  done: () => void;
}

/** Told of every use that ended: whose, how long it waited and was served, µs. */
export type OnServed = (tenant: TenantIndex, waitUs: number, serviceUs: number) => void;

/** Serves as many at once as its meter has slots; the rest wait in order of arrival. */
export class Station {
  readonly #clock: Clock;
  readonly #meter: ResourceMeter;
  readonly #onServed: OnServed | undefined;

  constructor(clock: Clock, meter: ResourceMeter, onServed?: OnServed) {
    this.#clock = clock;
    this.#meter = meter;
    this.#onServed = onServed;
  }

  /** @param serviceUs whole µs in service; `cost` in the meter's unit, default: the time */
  serve({ tenant, via, done }: Use, serviceUs: number, cost?: number): void {
    const clock = this.#clock;
    const meter = this.#meter;
    const arrivedUs = clock.nowUs();
    const operation = new Operation({ tenant, via }, () => {
      const startedUs = clock.nowUs();
      clock.at(startedUs + serviceUs, () => {
        this.#onServed?.(tenant, startedUs - arrivedUs, serviceUs);
        meter.finish(operation, cost);
        done();
      });
    });
    meter.use(operation);
  }
}

/** Members that are held while something else is done: handler threads, connections. Who finds none free waits in order. */
export class Pool {
  readonly #meter: ResourceMeter;

  /** @param meter its slots are the members */
  constructor(meter: ResourceMeter) {
    this.#meter = meter;
  }

  /** Calls `onHeld` once a member is free, now or later; who holds it must call `release` exactly once. */
  hold(who: { tenant: TenantIndex; via: ViaSet }, onHeld: (release: () => void) => void): void {
    const operation = new Operation(who, () => onHeld(() => this.#meter.finish(operation)));
    this.#meter.use(operation);
  }
}

/** How fast a disk seeks and reads. */
export interface DiskOptions {
  clock: Clock;
  chance: Chance;
  meter: ResourceMeter;
  /** Mean time to bring the head there, µs; actual ones are uniform from half to one and a half of it. */
  seekUs: number;
  bytesPerSec: number;
  onServed?: OnServed | undefined;
}

/** A disk with one head: each operation is a seek, then bytes [Retro §3.2: n·Ts + b/B]. */
export class Disk {
  readonly #station: Station;
  readonly #chance: Chance;
  readonly #seekUs: number;
  readonly #bytesPerUs: number;

  constructor({ clock, chance, meter, seekUs, bytesPerSec, onServed }: DiskOptions) {
    this.#station = new Station(clock, meter, onServed);
    this.#chance = chance;
    this.#seekUs = seekUs;
    this.#bytesPerUs = bytesPerSec / 1_000_000;
  }

  transfer(use: Use, bytes: number): void {
    const seekUs = uniformUs(this.#chance, this.#seekUs / 2, (3 * this.#seekUs) / 2);
    this.#station.serve(use, seekUs + Math.ceil(bytes / this.#bytesPerUs));
  }
}

/** A network interface: one message after the other, at line speed. What it counts is bytes. */
export class Link {
  readonly #station: Station;
  readonly #bytesPerUs: number;

  constructor({ clock, meter, bytesPerSec }: { clock: Clock; meter: ResourceMeter; bytesPerSec: number }) {
    this.#station = new Station(clock, meter);
    this.#bytesPerUs = bytesPerSec / 1_000_000;
  }

  send(use: Use, bytes: number): void {
    this.#station.serve(use, Math.ceil(bytes / this.#bytesPerUs), bytes);
  }
}
