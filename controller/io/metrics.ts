/**
 * Figures for Prometheus. Nothing is counted here: the controller and the wire keep plain numbers, which are read when somebody
 * scrapes. Tenants are unbounded, labels must not be: the top few have their names, the rest are "others".
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { PolicyOrigin } from "../../policies/index.js";
import type { Controller } from "../controller.js";
import type { Counters, ViewSnapshot } from "../snapshot.js";
import type { WireCounters } from "./grpc-server.js";

export interface MetricsOptions {
  controller: Controller;
  wire(): Readonly<WireCounters>;
  /** Tenants with a label of their own: those with the largest shares. */
  topTenants: number;
}

export interface Metrics {
  readonly contentType: string;
  /** Everything, in Prometheus's text format. */
  text(): Promise<string>;
}

/** Counters of the controller, by the names they are exported under. */
const COUNTERS: readonly (readonly [keyof Counters, string, string])[] = [
  ["reports", "reports", "Reports applied"],
  ["tuples", "tuples", "(tenant, meter) rows applied"],
  ["duplicateReports", "duplicate_reports", "Reports that had been applied before"],
  ["badSequences", "bad_sequences", "Reports that did not follow what was applied before"],
  ["droppedRows", "dropped_rows", "Rows of meters beyond the bounds, ignored"],
  ["limitsLeftOut", "limits_left_out", "Limits that did not fit into a message, and so are not in force at its receiver"],
  ["sessionsAccepted", "sessions_accepted", "Sessions of agents accepted"],
  ["sessionsRefused", "sessions_refused", "Sessions of agents refused"],
  ["instancesDied", "instances_died", "Instances that stopped reporting"],
  ["allocations", "allocations", "Allocations sent"],
  ["ticks", "ticks", "Windows decided"],
  ["lateTicks", "late_ticks", "Windows decided more than half a window late"],
  ["decisions", "decisions", "Decisions of policies taken"],
  ["overflows", "overflows", "Tenants that found the table full and share one entry"],
  ["storeFailures", "store_failures", "Failures of the state store"],
];

/** The process's own figures, once per process: prom-client starts observers for them that it cannot stop. */
let processRegistry: Registry | undefined;

function processMetrics(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}

/** Figures of a controller, for as long as it lives. */
export function createMetrics({ controller, wire, topTenants }: MetricsOptions): Metrics {
  const registers = [new Registry()];
  const shared = processMetrics();

  for (const [key, name, help] of COUNTERS) {
    counter(`tenantry_controller_${name}_total`, help, (metric) => metric.inc(controller.counters[key] as number));
  }
  counter("tenantry_controller_bad_messages_total", "Messages that broke the contract", (metric) =>
    metric.inc(controller.counters.badMessages + wire().badMessages),
  );
  counter("tenantry_controller_oversized_messages_total", "Messages over the size limit: not taken in, or not sent", (metric) =>
    metric.inc(wire().oversizedMessages),
  );
  counter("tenantry_controller_streams_refused_total", "Streams refused because there were too many", (metric) =>
    metric.inc(wire().streamsRefused),
  );
  metric(Counter, "tenantry_controller_guard_refusals_total", "Decisions refused by the guard", ["cause"], (metric) => {
    for (const [cause, count] of Object.entries(controller.counters.refusals)) metric.inc({ cause }, count);
  });
  gauge("tenantry_controller_streams", "Streams of agents open", [], (metric) => metric.set(wire().streams));
  gauge("tenantry_controller_tick_seconds", "Time the last window took to decide", [], (metric) =>
    metric.set(controller.counters.tickUs / 1e6),
  );
  gauge("tenantry_controller_epoch", "The controller's term", [], (metric) => metric.set(controller.epoch));

  // One snapshot serves the whole scrape.
  let view: ViewSnapshot;
  const top = () => new Set(view.tenants.slice(0, topTenants).map((tenant) => tenant.id));
  gauge("tenantry_tenants", "Tenants seen lately", [], (metric) => metric.set(view.tenantCount));
  gauge("tenantry_instances", "Instances that report", ["service"], (metric) => {
    for (const { service, live } of view.instances) metric.inc({ service }, live ? 1 : 0);
  });
  const ofFiles = (figure: (origin: PolicyOrigin) => number) => (metric: Gauge | Counter) => {
    for (const { name, origin } of view.policies) if (origin !== null) metric.inc({ policy: name }, figure(origin));
  };
  gauge(
    "tenantry_policy_version",
    "Version of a policy from a file that runs",
    ["policy"],
    ofFiles(({ version }) => version),
  );
  metric(
    Counter,
    "tenantry_policy_rejections_total",
    "Changes of a policy's file that were not taken over",
    ["policy"],
    ofFiles(({ rejections }) => rejections),
  );
  metric(
    Counter,
    "tenantry_policy_stops_total",
    "Times a policy from a file was stopped",
    ["policy"],
    ofFiles(({ stops }) => stops),
  );
  gauge("tenantry_resource_slowdown", "Slowdown relative to calm; 1 is calm", ["resource"], (metric) => {
    for (const { name, slowdown } of view.resources) metric.set({ resource: name }, slowdown);
  });
  gauge("tenantry_resource_load", "Use per second, in the resource's unit", ["resource", "tenant"], (metric) => {
    const named = top();
    for (const { name, load, tenants } of view.resources) {
      let rest = load;
      for (const [tenant, figures] of Object.entries(tenants)) {
        if (!named.has(tenant)) continue;
        metric.set({ resource: name, tenant }, figures.load);
        rest -= figures.load;
      }
      metric.set({ resource: name, tenant: OTHERS }, Math.max(rest, 0));
    }
  });
  policyGauge("tenantry_policy_limits", "Limits the policy wants, (point, tenant) pairs", (policy) => policy.limits);
  policyGauge("tenantry_policy_tenants", "Tenants the policy wants limited", (policy) => policy.tenants);
  policyGauge("tenantry_policy_decisive", "Limits in force that are the policy's", (policy) => policy.decisive);
  policyGauge(
    "tenantry_policy_apart_tenants",
    "Tenants the policy would hold to less than they are held to now",
    (policy) => policy.apart.tenants,
  );
  gauge(
    "tenantry_policy_apart_rate",
    "Cost units per second that get through now and that the policy would not let through",
    ["policy", "point"],
    (metric) => {
      for (const { name: policy, apart } of view.policies) {
        for (const { name: point } of view.points) metric.set({ policy, point }, apart.lessPerSec[point] ?? 0);
      }
    },
  );
  pointGauge("tenantry_point_throughput", "Cost units per second that get through", (figures) => figures.throughputPerSec);
  pointGauge("tenantry_point_waiting", "Requests held back by the throttle now", (figures) => figures.waiting);
  pointGauge("tenantry_point_queued", "Requests that wait for a slot now", (figures) => figures.queued);
  gauge("tenantry_point_rate", "Rate in force, cost units per second; absent: unlimited", ["point", "tenant"], (metric) => {
    const named = top();
    for (const { name, tenants } of view.points) {
      for (const [tenant, { ratePerSec }] of Object.entries(tenants)) {
        if (named.has(tenant) && ratePerSec !== null) metric.set({ point: name, tenant }, ratePerSec);
      }
    }
  });

  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    async text() {
      view = controller.view();
      return (await registers[0].metrics()) + (await shared.metrics());
    },
  };

  function counter(name: string, help: string, set: (metric: Counter) => void): void {
    metric(Counter, name, help, [], set);
  }

  function gauge(name: string, help: string, labelNames: string[], set: (metric: Gauge) => void): void {
    metric(Gauge, name, help, labelNames, set);
  }

  /** A metric that is filled anew whenever somebody looks. */
  function metric<T extends Counter | Gauge>(
    Kind: new (configuration: MetricConfiguration) => T,
    name: string,
    help: string,
    labelNames: string[],
    set: (metric: T) => void,
  ): void {
    const made: T = new Kind({
      name,
      help,
      labelNames,
      registers,
      collect() {
        made.reset();
        set(made);
      },
    });
  }

  function policyGauge(name: string, help: string, figure: (policy: ViewSnapshot["policies"][number]) => number): void {
    gauge(name, help, ["policy", "mode"], (metric) => {
      for (const policy of view.policies) metric.set({ policy: policy.name, mode: policy.mode }, figure(policy));
    });
  }

  function pointGauge(name: string, help: string, figure: (figures: PointFigures) => number): void {
    gauge(name, help, ["point", "tenant"], (metric) => {
      const named = top();
      for (const point of view.points) {
        for (const [tenant, figures] of Object.entries(point.tenants)) {
          metric.inc({ point: point.name, tenant: named.has(tenant) ? tenant : OTHERS }, figure(figures));
        }
      }
    });
  }
}

interface MetricConfiguration {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
  collect(): void;
}

/** A tenant that happens to be called so shares the label. */
const OTHERS = "others";
type PointFigures = ViewSnapshot["points"][number]["tenants"][string];
