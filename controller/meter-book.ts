/**
 * The logical resources and control points the controller knows: the same-named meters of all instances of a service are one.
 * Bounded; a meter lives as long as some instance has it.
 */
import { type MeterKind, POINT, RESOURCE } from "../proto/messages.js";
import { Capacity } from "./capacity.js";
import { CalmFloor } from "./floor.js";

export class LogicalMeter {
  /** Its place in every column by meter; below the bound on meters. */
  readonly index: number;
  readonly kind: MeterKind;
  readonly service: string;
  /** `service/name`. */
  readonly name: string;
  /** Unit of cost; "us" for time. */
  unit: string;
  /** Instances (and leases held by them) that name it. */
  users = 0;
  /** Resources: logical names of the points whose requests were seen to use it. */
  readonly feeders = new Set<string>();
  /** Resources: what calm looks like. */
  readonly floor = new CalmFloor();
  /** Resources: what it can carry. */
  readonly capacity = new Capacity();

  constructor(index: number, kind: MeterKind, service: string, name: string, unit: string) {
    this.index = index;
    this.kind = kind;
    this.service = service;
    this.name = name;
    this.unit = unit;
  }
}

/** Points that may be remembered as feeding one resource. */
const MOST_FEEDERS = 1_024;

export class MeterBook {
  readonly #max: number;
  readonly #byKey = new Map<string, LogicalMeter>();
  readonly #all: (LogicalMeter | undefined)[] = [];
  readonly #free: number[] = [];
  #retired: number[] = [];
  #version = 0;

  /** @param max meters in all */
  constructor(max: number) {
    this.#max = max;
  }

  /** Changes whenever a meter comes or goes. */
  get version(): number {
    return this.#version;
  }

  /** The meter of this name, one user more; undefined when there is no room. `release` it once. */
  acquire(kind: MeterKind, service: string, name: string, unit: string): LogicalMeter | undefined {
    const logical = `${service}/${name}`;
    const key = keyOf(kind, logical);
    let meter = this.#byKey.get(key);
    if (meter === undefined) {
      const index = this.#free.pop() ?? this.#all.length;
      if (index >= this.#max) return undefined;
      meter = new LogicalMeter(index, kind, service, logical, unit);
      this.#byKey.set(key, meter);
      this.#all[index] = meter;
      this.#version++;
    }
    if (unit !== "") meter.unit = unit;
    meter.users++;
    return meter;
  }

  /** One user less; the meter is forgotten with its last. */
  release(meter: LogicalMeter): void {
    meter.users--;
    if (meter.users > 0) return;
    this.#byKey.delete(keyOf(meter.kind, meter.name));
    this.#all[meter.index] = undefined;
    this.#retired.push(meter.index);
    this.#version++;
  }

  /** Indices of meters that are gone may be used again: call it once nothing is kept under them any more. */
  recycle(): void {
    this.#free.push(...this.#retired);
    this.#retired = [];
  }

  /** Remembers that requests admitted by the point of this logical name went on to use the resource. */
  feed(resource: LogicalMeter, pointName: string): void {
    if (resource.feeders.size < MOST_FEEDERS) resource.feeders.add(pointName);
  }

  /** The point or resource of this logical name; undefined: not known now. */
  find(kind: MeterKind, logicalName: string): LogicalMeter | undefined {
    return this.#byKey.get(keyOf(kind, logicalName));
  }

  /** Indices are below this. */
  get capacity(): number {
    return this.#all.length;
  }

  /** The meter at this index; undefined: none. */
  at(index: number): LogicalMeter | undefined {
    return this.#all[index];
  }

  /** All of one kind, in order of index. */
  list(kind: MeterKind): LogicalMeter[] {
    return this.#all.filter((meter): meter is LogicalMeter => meter !== undefined && meter.kind === kind);
  }
}

function keyOf(kind: MeterKind, logicalName: string): string {
  return (kind === POINT ? "p:" : kind === RESOURCE ? "r:" : "?:") + logicalName;
}
