/** The other end of the transport, for tests: does nothing by itself; says what it is told to say, remembers what it hears. */
import { type Allocation, emptyAllocation, type Hello, type Report } from "../../proto/messages.js";
import type { AgentSession, SessionHandlers, Transport } from "../../proto/ports.js";
import { validateReport } from "../../proto/validate.js";

export interface LimitRow {
  point: string;
  tenant: string;
  ratePerSec: number;
  burst?: number;
  fallbackPerSec?: number;
  reason?: string;
}

export class FakeSession implements AgentSession {
  readonly hello: Hello;
  readonly handlers: SessionHandlers;
  readonly reports: Report[] = [];
  closed = false;

  constructor(hello: Hello, handlers: SessionHandlers) {
    this.hello = hello;
    this.handlers = handlers;
  }

  send(report: Report): void {
    if (this.closed) throw new Error("sent on a closed session");
    validateReport(report);
    this.reports.push(structuredClone(report));
  }

  close(): void {
    this.closed = true;
  }

  get last(): Report {
    return this.reports[this.reports.length - 1];
  }
}

export class FakeController implements Transport {
  readonly sessions: FakeSession[] = [];
  sequence = 0;
  epoch = 1;
  windowUs = 1_000_000;
  maxTenants = 1_000;

  open(hello: Hello, handlers: SessionHandlers): AgentSession {
    const session = new FakeSession(structuredClone(hello), handlers);
    this.sessions.push(session);
    return session;
  }

  get session(): FakeSession {
    return this.sessions[this.sessions.length - 1];
  }

  welcome(appliedSequence = 0): void {
    const { epoch, windowUs, maxTenants } = this;
    this.session.handlers.onWelcome({ epoch, appliedSequence, windowUs, maxTenants, maxMeters: 100 });
  }

  acknowledge(sequence = this.session.last.sequence): void {
    this.session.handlers.onAcknowledgement({ sequence });
  }

  allocate(
    rows: LimitRow[],
    options: { ttlUs?: number; weights?: Record<string, number>; inArrivalOrder?: string[] } = {},
  ): Allocation {
    this.sequence += 1;
    const allocation = allocationOf(rows, { epoch: this.epoch, sequence: this.sequence, ...options });
    this.session.handlers.onAllocation(allocation);
    return allocation;
  }
}

export function allocationOf(
  rows: LimitRow[],
  {
    epoch,
    sequence,
    ttlUs = 3_000_000,
    weights = {},
    inArrivalOrder = [],
  }: { epoch: number; sequence: number; ttlUs?: number; weights?: Record<string, number>; inArrivalOrder?: string[] },
): Allocation {
  const allocation = emptyAllocation(epoch, sequence, ttlUs);
  for (const { point, tenant, ratePerSec, burst = 1, fallbackPerSec = ratePerSec, reason = "fairness|s/disk" } of rows) {
    allocation.points.push(point);
    allocation.tenants.push(tenant);
    allocation.reasons.push(reason);
    allocation.point.push(allocation.points.length - 1);
    allocation.tenant.push(allocation.tenants.length - 1);
    allocation.reason.push(allocation.reasons.length - 1);
    allocation.ratePerSec.push(ratePerSec);
    allocation.burst.push(burst);
    allocation.fallbackPerSec.push(fallbackPerSec);
  }
  allocation.weightTenants = Object.keys(weights);
  allocation.weights = Object.values(weights);
  allocation.inArrivalOrder = inArrivalOrder;
  return allocation;
}
