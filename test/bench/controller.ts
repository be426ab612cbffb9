/** The controller's two costs: taking reports in, and deciding once a window. */
import { performance } from "node:perf_hooks";
import { Controller, type ControllerConfig, memoryStore } from "../../controller/index.js";
import { POLICIES } from "../../policies/index.js";
import { decodeAgentMessage, encodeAgentMessage } from "../../proto/io/codec.js";
import { type Allocation, emptyRows, POINT, RESOURCE, type Report } from "../../proto/messages.js";
import type { PeerSession } from "../../proto/ports.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { type Comparison, compare, median } from "./measure.js";

const WINDOW_US = 1_000_000;

/** What one instance reports after a busy second: every tenant did a few operations of some milliseconds on every meter. */
function report(sequence: number, tenants: number, resources: number, points: number): Report {
  const names = sequence === 1;
  const message: Report = {
    sequence,
    baseSequence: sequence - 1,
    windowUs: WINDOW_US,
    heldEpoch: 0,
    heldSequence: 0,
    tenants: names ? Array.from({ length: tenants }, (_, index) => ({ index, name: `tenant-${index}` })) : [],
    meters: names
      ? Array.from({ length: resources + points }, (_, index) => ({
          index,
          name: `m${index}`,
          kind: index < resources ? RESOURCE : POINT,
          unit: index < resources ? "us" : "requests",
          slots: 0,
        }))
      : [],
    rows: [],
    feeds: names
      ? Array.from({ length: points * resources }, (_, i) => ({
          point: `service/m${resources + (i % points)}`,
          resource: Math.floor(i / points),
        }))
      : [],
  };
  for (let m = 0; m < resources + points; m++) {
    const rows = emptyRows(m);
    for (let t = 0; t < tenants; t++) {
      // Spread over three octaves, the same on every machine.
      const x = (Math.imul(t * 31 + m * 7 + sequence, 2654435761) >>> 8) / 2 ** 24;
      const count = 1 + Math.floor(x * 5);
      const us = Math.floor(count * (500 + 3_500 * x * x));
      rows.tenant.push(t === 0 ? 0 : 1);
      if (m >= resources) {
        rows.latencyRow.push(t);
        rows.latencyBucket.push(100 + Math.floor(x * 60));
        rows.latencyCount.push(count);
      }
      rows.count.push(count);
      rows.costSquared.push(Math.fround((us * us) / count));
      rows.serviceUs.push(us);
      rows.waitUs.push(Math.floor(us * x * 30));
      if (m >= resources) rows.cost.push(count);
      if (m >= resources) rows.throttled.push(t % 3 === 0 ? 4 : 0);
    }
    message.rows.push(rows);
  }
  return message;
}

function controllerWith(config: Partial<ControllerConfig>): { clock: VirtualClock; controller: Controller } {
  const clock = new VirtualClock();
  const controller = new Controller({ clock, chance: { next: () => 0.5 }, store: memoryStore(), config });
  controller.start((error) => {
    if (error) throw error;
  });
  return { clock, controller };
}

/** An agent's end of a session: it says with each report which allocation it holds, as agents do. */
interface Session extends PeerSession {
  holds: { epoch: number; sequence: number };
  /** Rows in the allocation that came last. */
  rows: number;
}

function connect(controller: Controller, instance: string): Session {
  const holds = { epoch: 0, sequence: 0 };
  const end = { holds, rows: 0 };
  const peer = {
    sendWelcome() {},
    sendAcknowledgement() {},
    sendAllocation({ epoch, sequence, point }: Allocation) {
      Object.assign(holds, { epoch, sequence });
      end.rows = point.length;
    },
    close(error: Error) {
      throw error;
    },
  };
  const session = controller.accept({ service: "service", instance, boot: "b", acknowledgedSequence: 0 }, peer);
  if (session instanceof Error) throw session;
  return Object.assign(end, session);
}

/** Ingest: one report decoded, checked and added up, against decoding it alone. */
export async function ingestRow(): Promise<{
  name: string;
  comparison: Comparison;
  bytesPerTuple: number;
  tuplesPerSec: number;
}> {
  const tenants = 1_000;
  const resources = 10;
  const tuples = tenants * resources;
  const first = report(1, tenants, resources, 0);
  const { controller } = controllerWith({ policyBudgetWindows: 10 });
  const session = connect(controller, "i0");
  session.onReport(first);
  const next = report(2, tenants, resources, 0);
  const bytes = encodeAgentMessage({ report: next });
  let sequence = 1;
  const comparison = await compare(
    {
      name: "decode, validate, add up",
      run(count) {
        for (let i = 0; i < count; i++) {
          const message = decodeAgentMessage(bytes).report;
          if (!message) throw new Error("no report");
          // The same bytes every time; only the sequence must move on, or it would be taken for a duplicate.
          message.baseSequence = sequence;
          message.sequence = ++sequence;
          session.onReport(message);
        }
      },
    },
    [
      {
        name: "floor: decode alone",
        run(count) {
          for (let i = 0; i < count; i++) decodeAgentMessage(bytes);
        },
      },
    ],
  );
  if (controller.view().instances.length === 0) throw new Error("nothing was taken in, so nothing was measured");
  return {
    name: "controller ingest, one report of 1,000 tenants × 10 resources",
    comparison,
    bytesPerTuple: bytes.length / tuples,
    tuplesPerSec: (tuples * 1e9) / comparison.ours.nsPerOp,
  };
}

/** Of a hundred tenants, how many have a latency target, a cap at every point, a guarantee at every point. */
const TERMS_PERCENT = 2;

function agreed(tenants: number, points: number[]): ControllerConfig["tenants"] {
  const entries = Array.from({ length: Math.floor((tenants * TERMS_PERCENT) / 100) }, (_, i) => {
    const at = (rate: number) => Object.fromEntries(points.map((m) => [`service/m${m}`, rate]));
    const first = (i * 100) / TERMS_PERCENT;
    return [
      [`tenant-${first}`, { p99TargetUs: 10_000 }],
      [`tenant-${first + 1}`, { caps: at(3) }],
      [`tenant-${first + 2}`, { guarantees: at(1) }],
    ] as const;
  });
  return Object.fromEntries(entries.flat());
}

/**
 * One tick: view, policies, guard, split, allocations, all of it.
 *
 * @param stack "fairness": nothing is agreed, so of the stack it alone acts; "all": each of the stack has something to act on;
 *   "every": so has every policy of the package
 */
export function tickRow(
  tenants: number,
  stack: "fairness" | "all" | "every",
  { resources = 10, points = 20 } = {},
): {
  name: string;
  tenants: number;
  limits: number;
  rows: number;
  medianMs: number;
  spreadMs: [number, number];
} {
  const perInstance = Math.min(tenants, 10_000);
  const instances = tenants / perInstance;
  const { clock, controller } = controllerWith({
    maxTenants: tenants + 8,
    maxTenantsPerInstance: perInstance + 8,
    viewTenants: 100,
    policyBudgetWindows: 10,
    policies: { "bottleneck-fairness": { params: { threshold: 5 } } },
    ...(stack === "every" && { stack: POLICIES.map(({ name }) => name) }),
    tenants:
      stack === "fairness"
        ? {}
        : agreed(
            tenants,
            Array.from({ length: points }, (_, p) => resources + p),
          ),
  });
  const sessions = Array.from({ length: instances }, (_, i) => connect(controller, `i${i}`));
  const times: number[] = [];
  // A controller runs for weeks: what is measured is code that the engine has seen for a while.
  const warm = Math.max(3, Math.round(40_000 / tenants));
  // Made once and said in turn: what making reports leaves behind would be cleared away in the tick's time.
  const said = [report(2, perInstance, resources, points), report(3, perInstance, resources, points)];
  for (let window = 1; window <= warm + 7; window++) {
    for (const [i, session] of sessions.entries()) {
      const message = window === 1 ? report(1, perInstance, resources, points) : said[window % 2];
      for (const name of message.tenants) name.name = `tenant-${i * perInstance + name.index}`;
      Object.assign(message, { sequence: window, baseSequence: window - 1 });
      Object.assign(message, { heldEpoch: session.holds.epoch, heldSequence: session.holds.sequence });
      session.onReport(message);
    }
    const start = performance.now();
    clock.run(clock.nowUs() + WINDOW_US);
    if (window > warm) times.push(performance.now() - start);
  }
  const limits = controller.view().policies.reduce((sum, policy) => sum + policy.limits, 0);
  const rows = sessions.reduce((sum, session) => sum + session.rows, 0);
  return {
    name: `${{ fairness: "fairness", all: "whole stack", every: "all six policies" }[stack]}, ${tenants.toLocaleString("en")} tenants × ${resources} resources × ${points} points, ${instances} instance(s)`,
    tenants,
    limits,
    rows,
    medianMs: median(times),
    spreadMs: [Math.min(...times), Math.max(...times)],
  };
}
