/**
 * A controller's end of the stream, in memory: welcomes, acknowledges every report and keeps it, and sends what a test tells it to.
 */
import { type Allocation, emptyAllocation, type Hello, POINT, type Report } from "../../proto/messages.js";
import type { AgentSession, SessionHandlers, Transport } from "../../proto/ports.js";

export interface Limit {
  point: string;
  tenant: string;
  ratePerSec: number;
  burst?: number;
  reason?: string;
}

export class StandIn implements Transport {
  readonly hellos: Hello[] = [];
  readonly reports: Report[] = [];
  readonly #windowUs: number;
  readonly #awaited: (() => void)[] = [];
  #handlers: SessionHandlers | undefined;
  #sequence = 0;

  constructor(windowUs = 20_000) {
    this.#windowUs = windowUs;
  }

  open(hello: Hello, handlers: SessionHandlers): AgentSession {
    this.hellos.push(hello);
    this.#handlers = handlers;
    setImmediate(() => {
      handlers.onWelcome({ epoch: 1, appliedSequence: 0, windowUs: this.#windowUs, maxTenants: 10_000, maxMeters: 256 });
      this.#tell();
    });
    let closed = false;
    return {
      send: (report) => {
        this.reports.push(structuredClone(report));
        setImmediate(() => {
          if (!closed) handlers.onAcknowledgement({ sequence: report.sequence });
          this.#tell();
        });
      },
      close: () => {
        if (closed) return;
        closed = true;
        setImmediate(() => handlers.onClosed());
      },
    };
  }

  /** Puts these limits, and no others, in force. */
  limit(limits: Limit[], ttlUs = 60_000_000): void {
    const allocation: Allocation = emptyAllocation(1, ++this.#sequence, ttlUs);
    for (const { point, tenant, ratePerSec, burst = 1, reason = "test|disk" } of limits) {
      allocation.point.push(indexIn(allocation.points, point));
      allocation.tenant.push(indexIn(allocation.tenants, tenant));
      allocation.reason.push(indexIn(allocation.reasons, reason));
      allocation.ratePerSec.push(ratePerSec);
      allocation.burst.push(burst);
      allocation.fallbackPerSec.push(ratePerSec);
    }
    this.#handlers?.onAllocation(allocation);
  }

  /** Cuts the connection, as a controller that dies does. */
  cut(error: Parameters<SessionHandlers["onClosed"]>[0]): void {
    this.#handlers?.onClosed(error);
  }

  /** Resolves when `met` is true, looking again after everything that happens here. */
  async until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#awaited.push(resolve));
  }

  /** Sums of one column of one meter per tenant over all reports; keys are tenants. */
  sums(meter: string, column: "count" | "cost" | "waitUs" | "serviceUs" | "refused"): Record<string, number> {
    const tenants = new Map<number, string>();
    const meters = new Map<number, string>();
    const sums: Record<string, number> = {};
    for (const report of this.reports) {
      for (const { index, name } of report.tenants) tenants.set(index, name);
      for (const { index, name } of report.meters) meters.set(index, name);
      for (const rows of report.rows) {
        if (meters.get(rows.meter) !== meter) continue;
        const values = column === "cost" && rows.cost.length === 0 ? rows.serviceUs : rows[column];
        let tenant = 0;
        for (let i = 0; i < rows.tenant.length; i++) {
          tenant += rows.tenant[i];
          const name = tenants.get(tenant) ?? "?";
          sums[name] = (sums[name] ?? 0) + (values[i] ?? 0);
        }
      }
    }
    return sums;
  }

  /** "point → resource" pairs reported so far. */
  feeds(): string[] {
    const resources = new Map<number, string>();
    for (const report of this.reports) {
      for (const { index, name, kind } of report.meters) if (kind !== POINT) resources.set(index, name);
    }
    return this.reports.flatMap((report) => report.feeds.map((feed) => `${feed.point} → ${resources.get(feed.resource)}`)).sort();
  }

  #tell(): void {
    for (const resolve of this.#awaited.splice(0)) resolve();
  }
}

function indexIn(names: string[], name: string): number {
  const at = names.indexOf(name);
  return at >= 0 ? at : names.push(name) - 1;
}
