/** Agents without a service, for tests of the controller: they say what they are told, and keep what they are sent. */
import { Controller, type ControllerConfig, type ControllerEvent, memoryStore, type StateStore } from "../../controller/index.js";
import { definePolicy, type Policy, Rates, type View } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import {
  type Acknowledgement,
  type Allocation,
  emptyRows,
  POINT,
  RESOURCE,
  type Report,
  type Rows,
  type Welcome,
  WHOLE_COLUMNS,
} from "../../proto/messages.js";
import type { PeerSession } from "../../proto/ports.js";
import { validateAllocation, validateReport } from "../../proto/validate.js";
import { VirtualClock } from "../../simulations/world/clock.js";

export const WINDOW_US = 1_000_000;

/** What happened at one meter to one tenant; whatever is left out is zero. */
export type Row = Partial<
  Record<Exclude<keyof Rows, "meter" | "tenant" | "latencyRow" | "latencyBucket" | "latencyCount">, number>
> & {
  latencies?: Record<number, number>;
};
export type Happenings = Record<string, Record<string, Row>>;

const COLUMNS = [...WHOLE_COLUMNS, "costSquared"] as const;

export function fixedChance(): { next(): number } {
  let state = 1;
  return {
    next: () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    },
  };
}

export interface Bench {
  clock: VirtualClock;
  controller: Controller;
  events: ControllerEvent[];
  store: StateStore;
  /** Lets so many windows pass. */
  run(windows: number): void;
}

export function bench(
  options: { config?: Partial<ControllerConfig>; policies?: readonly Policy[]; store?: StateStore; clock?: VirtualClock } = {},
): Bench {
  const clock = options.clock ?? new VirtualClock();
  const store = options.store ?? memoryStore();
  const events: ControllerEvent[] = [];
  const controller = new Controller({
    clock,
    chance: fixedChance(),
    store,
    config: options.config,
    policies: options.policies,
    onEvent: (event) => events.push(event),
  });
  controller.start((error) => {
    if (error) throw error;
  });
  return { clock, controller, events, store, run: (windows) => clock.run(clock.nowUs() + windows * WINDOW_US) };
}

export class FakeAgent {
  readonly service: string;
  readonly instance: string;
  boot: string;
  readonly controller: Controller;
  welcome: Welcome | undefined;
  acknowledgements: Acknowledgement[] = [];
  allocations: Allocation[] = [];
  closed: TenantryError | undefined;
  refused: TenantryError | undefined;
  session: PeerSession | undefined;
  sequence = 0;
  acknowledged = 0;
  /** Does it say at once that it holds what it was sent? */
  acknowledges = true;
  held: Allocation | undefined;
  #tenants = new Map<string, number>();
  #meters = new Map<string, number>();
  #named = { tenants: 0, meters: 0 };

  constructor(controller: Controller, service: string, instance: string, boot = "b1") {
    this.controller = controller;
    this.service = service;
    this.instance = instance;
    this.boot = boot;
  }

  connect(held: Allocation | undefined = this.held): this {
    this.#named = { tenants: 0, meters: 0 };
    const peer = {
      sendWelcome: (welcome: Welcome) => {
        this.welcome = welcome;
        this.acknowledged = welcome.appliedSequence;
      },
      sendAcknowledgement: (acknowledgement: Acknowledgement) => {
        this.acknowledgements.push(acknowledgement);
        this.acknowledged = Math.max(this.acknowledged, acknowledgement.sequence);
      },
      sendAllocation: (allocation: Allocation) => {
        validateAllocation(allocation);
        this.allocations.push(allocation);
        if (this.acknowledges) this.held = allocation;
      },
      close: (error: TenantryError) => {
        this.closed = error;
        this.session = undefined;
      },
    };
    const hello = {
      service: this.service,
      instance: this.instance,
      boot: this.boot,
      acknowledgedSequence: this.acknowledged,
      held,
    };
    const session = this.controller.accept(hello, peer);
    if (session instanceof TenantryError) this.refused = session;
    else this.session = session;
    return this;
  }

  cut(): void {
    this.session?.onClosed();
    this.session = undefined;
  }

  get last(): Allocation | undefined {
    return this.allocations.at(-1);
  }

  /** The rate last sent for a pair; undefined: unlimited. */
  rate(point: string, tenant: string, column: "ratePerSec" | "fallbackPerSec" | "burst" = "ratePerSec"): number | undefined {
    return rateIn(this.last, point, tenant, column);
  }

  /** Builds a report; meters are "r:name", "r:name:unit" or "p:name". */
  build(
    happenings: Happenings,
    options: { windowUs?: number; feeds?: [string, string][]; base?: number; sequence?: number } = {},
  ): Report {
    const report: Report = {
      sequence: options.sequence ?? ++this.sequence,
      baseSequence: options.base ?? this.acknowledged,
      windowUs: options.windowUs ?? WINDOW_US,
      heldEpoch: this.held?.epoch ?? 0,
      heldSequence: this.held?.sequence ?? 0,
      tenants: [],
      meters: [],
      rows: [],
      feeds: [],
    };
    for (const [meter, tenants] of Object.entries(happenings)) {
      const rows = emptyRows(this.#index(this.#meters, meter));
      const sorted = Object.entries(tenants).map(([id, row]) => ({ index: this.#index(this.#tenants, id), row }));
      sorted.sort((a, b) => a.index - b.index);
      let before = 0;
      sorted.forEach(({ index, row }, i) => {
        rows.tenant.push(i === 0 ? index : index - before);
        before = index;
        for (const column of COLUMNS) rows[column].push(Math.round(row[column] ?? 0));
        for (const [bucket, count] of Object.entries(row.latencies ?? {})) {
          rows.latencyRow.push(i);
          rows.latencyBucket.push(Number(bucket));
          rows.latencyCount.push(count);
        }
      });
      for (const column of COLUMNS) if (rows[column].every((value) => value === 0)) rows[column] = [];
      report.rows.push(rows);
    }
    for (const [point, resource] of options.feeds ?? []) {
      report.feeds.push({ point, resource: this.#index(this.#meters, resource) });
    }
    const tenants = [...this.#tenants].slice(this.#named.tenants);
    report.tenants = tenants.map(([name, index]) => ({ index, name }));
    report.meters = [...this.#meters].slice(this.#named.meters).map(([meter, index]) => {
      const [kind, name, unit, slots] = meter.split(":");
      const point = kind === "p";
      const unitOr = unit ?? (point ? "requests" : "us");
      return { index, name, kind: point ? POINT : RESOURCE, unit: unitOr, slots: Number(slots ?? 0) };
    });
    this.#named = { tenants: this.#tenants.size, meters: this.#meters.size };
    validateReport(report);
    return report;
  }

  report(happenings: Happenings = {}, options: Parameters<FakeAgent["build"]>[1] = {}): void {
    this.send(this.build(happenings, options));
  }

  send(report: Report): void {
    this.session?.onReport(report);
  }

  #index(table: Map<string, number>, key: string): number {
    let index = table.get(key);
    if (index === undefined) {
      index = table.size;
      table.set(key, index);
    }
    return index;
  }
}

/** A rate in an allocation; undefined: unlimited. */
export function rateIn(
  allocation: Allocation | null | undefined,
  point: string,
  tenant: string,
  column: "ratePerSec" | "fallbackPerSec" | "burst" = "ratePerSec",
): number | undefined {
  if (!allocation) return undefined;
  for (let i = 0; i < allocation.point.length; i++) {
    if (allocation.points[allocation.point[i]] === point && allocation.tenants[allocation.tenant[i]] === tenant) {
      return allocation[column][i];
    }
  }
  return undefined;
}

/** A policy that limits nobody and keeps what it was shown last. */
export function spying(): { spy: Policy; seen: () => View | undefined } {
  let view: View | undefined;
  const spy = definePolicy({
    name: "spy",
    params: {},
    decide: (shown) => {
      view = shown;
      return new Rates(shown);
    },
  });
  return { spy: spy as unknown as Policy, seen: () => view };
}
