/**
 * A recorded trace under schedulers and estimators of one's choice: who waits how long, and how smoothly is everyone served?
 *
 * How fast a slot is follows from the trace unless it is given: all cost over the time from the first arrival to the last, divided by the number
 * of slots and by the utilisation one wants. Costs are known to a scheduler only when it is told so; the run ends when
 * everything is finished. A tenant is light when it asks for no more than the middle one of those with 20 requests or more.
 */
import { SCHEDULER_KINDS, type SchedulerKind } from "../../enforcement/index.js";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { meanOf, quantileOf } from "../measures.js";
import { boxOf } from "../pool/experiment.js";
import type { EstimatorKind } from "../pool/options.js";
import { SlotPool } from "../pool/slot-pool.js";
import type { Workload } from "../pool/workload.js";
import type { Box, Picture } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Findings, type Scenario } from "../scenario.js";
import { Trace } from "../world/trace.js";

/** What a trace is played against. */
export interface TraceSettings {
  /** Default 32. */
  slots?: number;
  /** Cost units one slot works off per second; default: from `utilisation`. */
  unitsPerSecPerSlot?: number;
  /** Part of the slots' time that the trace fills, above 0, at most 2. Default 0.9. */
  utilisation?: number;
  /** Default: fifo, wfq, wf2q, 2dfq. */
  schedulers?: readonly string[];
  /** Default: moving-average, pessimistic. */
  estimators?: readonly string[];
}

const ESTIMATORS: readonly EstimatorKind[] = ["known", "moving-average", "pessimistic"];
/** Tenants with fewer requests have no 99th percentile to speak of. */
const ENOUGH = 20;

/** What stands in the list: a trace needs its file. */
export const trace = defineScenario({
  name: "trace",
  title: "A recorded trace, FILE.csv or FILE.csv.gz with columns arrival_us,tenant,api,cost",
  run: () => {
    throw new TenantryError("BAD_ARGUMENT", 'scenario "trace" needs a file: tenantry simulate trace FILE.csv[.gz]');
  },
});

/**
 * The scenario of one trace.
 *
 * @param file how it is called in the report
 * @throws TenantryError BAD_ARGUMENT when a setting is out of range
 * @example conduct(traceScenario("monday.csv", workload, { slots: 16, schedulers: ["2dfq"] }), {})
 */
export function traceScenario(file: string, workload: Workload, settings: TraceSettings = {}): Scenario {
  const { slots = 32, utilisation = 0.9 } = settings;
  const schedulers = chosen("scheduler", settings.schedulers ?? ["fifo", "wfq", "wf2q", "2dfq"], SCHEDULER_KINDS);
  const estimators = chosen("estimator", settings.estimators ?? ["moving-average", "pessimistic"], ESTIMATORS);
  if (!(utilisation > 0 && utilisation <= 2)) {
    throw new TenantryError("BAD_ARGUMENT", `trace: utilisation is ${utilisation}; expected a number above 0, at most 2`);
  }
  const rate = settings.unitsPerSecPerSlot ?? offered(workload) / slots / utilisation;
  // The blind order of arrival asks no estimator.
  const contenders = schedulers.flatMap((scheduler) =>
    (scheduler === "fifo" || scheduler === "round-robin" ? estimators.slice(0, 1) : estimators).map((estimator) => ({
      name: scheduler === "fifo" || scheduler === "round-robin" ? scheduler : `${scheduler} ${SHORT[estimator]}`,
      scheduler,
      estimator,
    })),
  );
  return defineScenario({
    name: "trace",
    title: `${file}: ${workload.arrivals.count} requests of ${workload.tenants.length} tenants on ${slots} slots`,
    run: ({ onProgress }) => {
      const light = lightTenants(workload);
      const outcomes = contenders.map((contender, k) => {
        const outcome = measure(workload, { ...contender, slots, rate }, light);
        onProgress?.((k + 1) / contenders.length);
        return outcome;
      });
      return findings(workload, light.length, rate, outcomes);
    },
  });
}

/** @throws BAD_ARGUMENT, listing what there is, when one of `names` is not among `kinds` */
function chosen<K extends string>(what: string, names: readonly string[], kinds: readonly K[]): K[] {
  return names.map((name) => {
    const kind = kinds.find((each) => each === name);
    if (kind !== undefined) return kind;
    throw new TenantryError("BAD_ARGUMENT", `trace: there is no ${what} ${shown(name)}; choose of ${kinds.join(", ")}`);
  });
}

const SHORT: Record<EstimatorKind, string> = { known: "known", "moving-average": "mean", pessimistic: "pess." };

/** Cost units per second from the first arrival to the last. */
function offered({ arrivals }: Workload): number {
  let cost = 0;
  for (let k = 0; k < arrivals.count; k++) cost += arrivals.cost[k];
  const seconds = (arrivals.atUs[arrivals.count - 1] - arrivals.atUs[0]) / 1e6;
  if (cost > 0 && seconds > 0) return cost / seconds;
  throw new TenantryError(
    "BAD_ARGUMENT",
    `trace: ${cost} cost units in ${seconds} s do not tell how fast a slot is; give unitsPerSecPerSlot`,
  );
}

function lightTenants({ tenants, arrivals }: Workload): number[] {
  const requests = new Float64Array(tenants.length);
  const costs = new Float64Array(tenants.length);
  for (let k = 0; k < arrivals.count; k++) {
    requests[arrivals.tenant[k]] += 1;
    costs[arrivals.tenant[k]] += arrivals.cost[k];
  }
  const busy = [...requests.keys()].filter((tenant) => requests[tenant] >= ENOUGH);
  return busy.sort((a, b) => costs[a] - costs[b] || a - b).slice(0, Math.ceil(busy.length / 2));
}

interface Outcome {
  name: string;
  scheduler: SchedulerKind;
  estimator: EstimatorKind;
  hash: string;
  served: number;
  lost: number;
  endSec: number;
  all: Box;
  /** p50 and p99 of each light tenant, spread over them, ms. */
  lightP50: Box;
  lightP99: Box;
  lightSigmaSec: number;
  gini: number;
}

interface Contest {
  name: string;
  scheduler: SchedulerKind;
  estimator: EstimatorKind;
  slots: number;
  rate: number;
}

function measure(workload: Workload, { name, scheduler, estimator, slots, rate }: Contest, light: readonly number[]): Outcome {
  const { tenants, arrivals } = workload;
  const lastSec = arrivals.atUs[arrivals.count - 1] / 1e6;
  const pool = new SlotPool({
    workload,
    slots,
    unitsPerSecPerSlot: rate,
    scheduler,
    estimator,
    // Looked at 10,000 times, whatever the length.
    sampleUs: Math.max(10_000, Math.round(lastSec * 100)),
  });
  pool.run(Number.POSITIVE_INFINITY);
  const latencies = pool.latencies.byTenant(tenants.length);
  const spread = (q: number) =>
    boxOf(Float64Array.from(light, (tenant) => latencies[tenant][Math.ceil(q * latencies[tenant].length) - 1] / 1e3).sort());
  const every = new Float64Array(pool.latencies.count);
  let at = 0;
  for (const each of latencies) {
    every.set(each, at);
    at += each.length;
  }
  const sigma = pool.lag.deviations();
  let outstanding = 0;
  for (const count of pool.outstanding) outstanding += count;
  return {
    name,
    scheduler,
    estimator,
    hash: pool.trace.hash,
    served: pool.completed,
    lost: arrivals.count - pool.completed + outstanding,
    endSec: pool.nowUs / 1e6,
    all: boxOf(every.sort().map((us) => us / 1e3)),
    lightP50: spread(0.5),
    lightP99: spread(0.99),
    lightSigmaSec: quantileOf(
      light.map((tenant) => sigma[tenant]),
      0.5,
    ),
    gini: meanOf(pool.windows.gini),
  };
}

function findings({ arrivals }: Workload, light: number, rate: number, outcomes: readonly Outcome[]): Findings {
  const hash = new Trace();
  for (const outcome of outcomes) hash.text(outcome.hash);
  const figures: Findings["figures"] = { requests: arrivals.count, lightTenants: light, unitsPerSecPerSlot: rate };
  for (const { name, all, lightP50, lightP99, lightSigmaSec, gini, endSec } of outcomes) {
    figures[`${name}: p50Ms`] = all.q50;
    figures[`${name}: p99Ms`] = all.high;
    figures[`${name}: lightP50Ms`] = lightP50.q50;
    figures[`${name}: lightP99Ms`] = lightP99.q50;
    figures[`${name}: lightSigmaSec`] = lightSigmaSec;
    figures[`${name}: meanGini`] = gini;
    figures[`${name}: endSec`] = endSec;
  }
  const best = [...outcomes].sort((a, b) => a.lightP99.q50 - b.lightP99.q50)[0];
  return {
    figures,
    expectations: outcomes.flatMap(({ name, served, lost }) => [
      atLeast(`${name}: requests served`, served, arrivals.count),
      atMost(`${name}: requests lost`, lost, 0),
    ]),
    traceHash: hash.hash,
    summary:
      light === 0
        ? [`No tenant has ${ENOUGH} requests.`]
        : [
            `The light half of the tenants waits least under ${best.name}: their 99th percentile is ${Number(best.lightP99.q50.toPrecision(3))} ms in the median.`,
          ],
    charts: light === 0 ? [] : pictures(outcomes),
    tables: [
      {
        title: "Latency, ms",
        caption: `Of all requests; and of ${light} light tenants: the median tenant's p50 and p99, and its σ(lag) in seconds of a slot.`,
        columns: ["", "p50", "p99", "light p50", "light p99", "light σ(lag), s", "Gini", "done at, s"],
        rows: outcomes.map((o) => [
          o.name,
          o.all.q50,
          o.all.high,
          o.lightP50.q50,
          o.lightP99.q50,
          o.lightSigmaSec,
          o.gini,
          o.endSec,
        ]),
      },
    ],
  };
}

function pictures(outcomes: readonly Outcome[]): Picture[] {
  const groups = [...new Set(outcomes.map(({ scheduler }) => scheduler))];
  // Who asks no estimator stands with the first.
  const series = (figure: (outcome: Outcome) => Box) =>
    [...new Set(outcomes.map(({ estimator }) => estimator))].map((estimator) => ({
      name: estimator,
      boxes: groups.map((group) => {
        const found = outcomes.find((outcome) => outcome.scheduler === group && outcome.estimator === estimator);
        return found === undefined ? undefined : figure(found);
      }),
    }));
  const axes = { kind: "boxes" as const, yScale: "log" as const, groups };
  const tenants = "boxes from the first to the third quartile of tenants, whiskers from p1 to p99 of them";
  return [
    {
      ...axes,
      title: "How long the light tenants wait at worst",
      caption: `A value per light tenant, the 99th percentile of its latency: ${tenants}.`,
      yLabel: "p99 of latency (ms)",
      series: series(({ lightP99 }) => lightP99),
    },
    {
      ...axes,
      title: "How long the light tenants wait as a rule",
      caption: `A value per light tenant, the median of its latency: ${tenants}.`,
      yLabel: "median of latency (ms)",
      series: series(({ lightP50 }) => lightP50),
    },
    {
      ...axes,
      title: "How long all requests take",
      caption: "Boxes from the first to the third quartile of requests, whiskers from p1 to p99.",
      yLabel: "latency (ms)",
      series: series(({ all }) => all),
    },
  ];
}
