/**
 * Every scheduler with every estimator: what does each of the two buy? The population of `2dfq/unpredictable`, with none and with
 * two thirds of its tenants unpredictable; besides, the schedulers that keep a virtual time with one that moves every 5 ms only.
 *
 * "known" is what could be had if requests declared what they cost: the bound an estimator is to be judged by. FIFO and round
 * robin ask none. An overall figure must not be won by a few tenants: it is the geometric mean, over T1 … T12 and t1 … t5, of
 * the 99th percentile divided by the one under 2DFQ with the pessimistic estimate, so that each tenant counts alike. A tenant of whom
 * nothing is served for a whole run, as it happens under FIFO and DRR, counts with the length of the run.
 */
import { meanOf } from "../measures.js";
import { type Contender, p99Ms, runContender, SHOWN_TENANTS } from "../pool/experiment.js";
import type { EstimatorKind } from "../pool/options.js";
import { population } from "../pool/population.js";
import type { Box, BoxChart, Table } from "../report/index.js";
import { atLeast, atMost, defineInParts, type Findings } from "../scenario.js";
import { Trace } from "../world/trace.js";

const RUNS = 3;
const REPLAYED = 300;
/** How many per cent of them are unpredictable; the first is what a quick run does, and what pictures show. */
const LEVELS = [66, 0];
const WILD = 0;
const SLOTS = 32;
const RATE = 1e6;
const WARM_SEC = 3;
const END_SEC = 9;
const COARSE_US = 5_000;

const ESTIMATORS: readonly EstimatorKind[] = ["known", "moving-average", "pessimistic"];
const SCHEDULERS = ["drr", "wfq", "sfq", "wf2q", "msf2q", "2dfq"] as const;
/** Those whose v moves every 5 ms in a run of its own. */
const VIRTUAL = ["wfq", "wf2q", "2dfq"] as const;

interface Entry extends Contender {
  clockGrainUs?: number;
}

const ENTRIES: readonly Entry[] = [
  { name: "fifo", scheduler: "fifo", estimator: "known" },
  { name: "round-robin", scheduler: "round-robin", estimator: "known" },
  ...SCHEDULERS.flatMap((scheduler) =>
    ESTIMATORS.map((estimator) => ({ name: `${scheduler} ${estimator}`, scheduler, estimator })),
  ),
  ...VIRTUAL.map((scheduler) => ({
    name: `${scheduler} pessimistic, v every 5 ms`,
    scheduler,
    estimator: "pessimistic" as const,
    clockGrainUs: COARSE_US,
  })),
];
/** Of t6 and t7 too few requests are done in a run to speak of a 99th percentile. */
const COUNTED = SHOWN_TENANTS.filter((name) => name !== "t6" && name !== "t7");
const OURS = placeOf("2dfq pessimistic");
/** What a service could use: nobody tells it costs. */
const USABLE = ENTRIES.flatMap(({ name, estimator, clockGrainUs }, k) =>
  (estimator !== "known" || name === "fifo" || name === "round-robin") && clockGrainUs === undefined ? [k] : [],
);

interface Measured {
  hash: string;
  /** Of `SHOWN_TENANTS`. */
  latencyUs: Box[];
  t1SigmaSec: number;
  gini: number;
}

export const matrix = defineInParts<Measured[]>({
  name: "2dfq/matrix",
  title: "Every scheduler with every estimator: what each of the two buys",
  count: RUNS * LEVELS.length,
  quickCount: 1,
  run(seed, part) {
    const level = part % LEVELS.length;
    const run = Math.floor(part / LEVELS.length);
    const wild = Math.round((LEVELS[level] / 100) * REPLAYED);
    const workload = population({ seed, run: `run-${run}`, replayed: REPLAYED, unpredictable: wild, untilUs: END_SEC * 1e6 });
    return ENTRIES.map(({ clockGrainUs, ...contender }): Measured => {
      const { hash, latencyUs, sigmaSec, gini } = runContender(workload, contender, {
        slots: SLOTS,
        unitsPerSecPerSlot: RATE,
        warmUpSec: WARM_SEC,
        endSec: END_SEC,
        ...(clockGrainUs === undefined ? {} : { clockGrainUs }),
      });
      return { hash, latencyUs, t1SigmaSec: sigmaSec[workload.tenants.indexOf("t1")], gini: meanOf(gini) };
    });
  },
  findings,
});

function placeOf(name: string): number {
  return ENTRIES.findIndex((entry) => entry.name === name);
}

/** A latency in ms; of who has none, the run's length. */
function orWhole(ms: number): number {
  return Number.isNaN(ms) ? END_SEC * 1e3 : ms;
}

/** Means over the runs of a level. */
class Means {
  readonly #parts: Measured[][];

  constructor(parts: Measured[][]) {
    this.#parts = parts;
  }

  get runs(): number {
    return Math.ceil(this.#parts.length / LEVELS.length);
  }

  get levels(): number[] {
    return LEVELS.slice(0, this.#parts.length);
  }

  of(level: number, k: number, figure: (measured: Measured) => number): number {
    return meanOf(this.#parts.filter((_, part) => part % LEVELS.length === level).map((part) => figure(part[k])));
  }

  p99(level: number, k: number, tenant: string): number {
    return this.of(level, k, (measured) => orWhole(p99Ms(measured, tenant)));
  }

  /** By tenant of `COUNTED`: p99 as a multiple of what it is under 2DFQ with the pessimistic estimate, sorted. */
  multiples(level: number, k: number): number[] {
    return COUNTED.map((tenant) => this.p99(level, k, tenant) / this.p99(level, OURS, tenant)).sort((a, b) => a - b);
  }

  /** Their geometric mean. */
  overall(level: number, k: number): number {
    return Math.exp(meanOf(this.multiples(level, k).map((multiple) => Math.log(multiple))));
  }

  box(level: number, k: number, tenant: string): Box {
    const at = SHOWN_TENANTS.indexOf(tenant);
    const ms = (end: keyof Box) => this.of(level, k, ({ latencyUs }) => orWhole(latencyUs[at][end] / 1e3));
    return { low: ms("low"), q25: ms("q25"), q50: ms("q50"), q75: ms("q75"), high: ms("high") };
  }
}

function findings(parts: Measured[][]): Findings {
  const trace = new Trace();
  for (const part of parts) for (const { hash } of part) trace.text(hash);
  const means = new Means(parts);
  const { levels } = means;
  const figures: Findings["figures"] = { unpredictablePercent: levels };
  for (const [k, { name }] of ENTRIES.entries()) {
    for (const tenant of ["T1", "T10", "t1"]) figures[`${name}: ${tenant} p99Ms`] = levels.map((_, l) => means.p99(l, k, tenant));
    figures[`${name}: t1 sigmaSec`] = levels.map((_, level) => means.of(level, k, (m) => m.t1SigmaSec));
    figures[`${name}: overall`] = levels.map((_, level) => means.overall(level, k));
  }
  const wild = (name: string, tenant: string) => means.p99(WILD, placeOf(name), tenant);
  const percent = LEVELS[WILD];
  const rank = (level: number) => [...USABLE].sort((a, b) => means.overall(level, a) - means.overall(level, b));
  return {
    figures,
    expectations: [
      atLeast(
        `${percent} % unpredictable, p99 of T1 under 2DFQ: moving average / pessimistic`,
        wild("2dfq moving-average", "T1") / wild("2dfq pessimistic", "T1"),
        20,
      ),
      atLeast(
        `${percent} % unpredictable, p99 of t1, pessimistic: WFQ / 2DFQ`,
        wild("wfq pessimistic", "t1") / wild("2dfq pessimistic", "t1"),
        1.5,
      ),
      atMost(
        `${percent} % unpredictable, overall: 2DFQ pessimistic / the best that is not told costs`,
        1 / means.overall(WILD, rank(WILD)[0]),
        2.2,
      ),
      atLeast(
        `${percent} % unpredictable, the tenant worst off: WFQ pessimistic / 2DFQ pessimistic`,
        means.multiples(WILD, placeOf("wfq pessimistic")).at(-1) ?? Number.NaN,
        1.5,
      ),
    ],
    traceHash: trace.hash,
    summary: levels.map((each, level) => {
      const best = rank(level)
        .slice(0, 3)
        .map((k) => `${ENTRIES[k].name} (${means.overall(level, k).toFixed(2)})`);
      return `${each} % unpredictable: of those that are not told costs, tenants wait least under ${best.join(", ")}; in brackets the mean multiple of what they wait under 2dfq pessimistic.`;
    }),
    charts: pictures(means),
    tables: levels.map((_, level) => table(level, means)),
  };
}

function table(level: number, means: Means): Table {
  const tenants = ["T1", "T4", "T9", "T10", "t1", "t4"];
  return {
    title: `${LEVELS[level]} % unpredictable`,
    caption: `Means over ${means.runs} runs: 99th percentiles of latency in ms; σ of t1's lag in seconds of a fair share; Gini index of windows of 100 ms; overall: geometric mean over 17 tenants of p99 / p99 under 2dfq pessimistic.`,
    columns: ["", ...tenants.map((tenant) => `${tenant} p99`), "t1 σ(lag), s", "Gini", "overall"],
    rows: ENTRIES.map(({ name }, k) => [
      name,
      ...tenants.map((tenant) => means.p99(level, k, tenant)),
      means.of(level, k, (m) => m.t1SigmaSec),
      means.of(level, k, (m) => m.gini),
      means.overall(level, k),
    ]),
  };
}

function pictures(means: Means): BoxChart[] {
  const wild = `${LEVELS[WILD]} % of 300 tenants unpredictable`;
  const boxes = "boxes from the first to the third quartile, whiskers p1 to p99";
  const latency = (tenant: string) => ({
    kind: "boxes" as const,
    caption: `Enqueued to finished, ${wild}: ${boxes}, means of ${means.runs} runs.`,
    yLabel: `latency of ${tenant} (ms)`,
    yScale: "log" as const,
  });
  const byEstimator = (tenant: string, schedulers: readonly string[]) =>
    ESTIMATORS.map((estimator) => ({
      name: estimator,
      boxes: schedulers.map((scheduler) => means.box(WILD, placeOf(`${scheduler} ${estimator}`), tenant)),
    }));
  const byGrain = (tenant: string) =>
    ["", ", v every 5 ms"].map((grain) => ({
      name: grain === "" ? "v exact" : "v every 5 ms",
      boxes: VIRTUAL.map((scheduler) => means.box(WILD, placeOf(`${scheduler} pessimistic${grain}`), tenant)),
    }));
  // DRR's turns last seconds: beside it nothing else could be told apart.
  const timely = SCHEDULERS.filter((scheduler) => scheduler !== "drr");
  return [
    {
      ...latency("T1"),
      title: "What the estimate buys: T1, small requests that come one by one",
      groups: [...SCHEDULERS],
      series: byEstimator("T1", SCHEDULERS),
    },
    {
      ...latency("t1"),
      title: "What the stagger buys: t1, small requests that always wait",
      groups: timely,
      series: byEstimator("t1", timely),
    },
    {
      ...latency("t1"),
      title: "What exact virtual time buys: t1, pessimistic estimates",
      groups: [...VIRTUAL],
      series: byGrain("t1"),
    },
    {
      kind: "boxes",
      title: "All in all: above 1, a tenant waits longer than under 2dfq pessimistic",
      caption: `p99 of T1 … T12 and t1 … t5, ${wild}: boxes hold the middle half of the 17 tenants, whiskers reach the first and the last; fifo and round-robin ask no estimate.`,
      yLabel: "p99 / p99 under 2dfq pessimistic",
      yScale: "log",
      groups: ["fifo", "round-robin", ...SCHEDULERS],
      series: ESTIMATORS.slice(1).map((estimator, e) => ({
        name: estimator,
        boxes: ["fifo", "round-robin", ...SCHEDULERS].map((scheduler) => {
          const k = placeOf(`${scheduler} ${estimator}`);
          if (k < 0 && e > 0) return undefined; // asks no estimator: shown once
          return spread(means.multiples(WILD, k < 0 ? placeOf(scheduler) : k));
        }),
      })),
    },
  ];
}

function spread(sorted: readonly number[]): Box {
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))];
  return { low: at(0), q25: at(0.25), q50: at(0.5), q75: at(0.75), high: at(1) };
}
