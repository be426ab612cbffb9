/**
 * Figure 8 of the 2DFQ paper: 100 tenants with requests waiting at all times share 16 threads of 1,000 units/s. The requests of n of them
 * cost about 1,000 units, all others' about 1. How smoothly is a small tenant served?
 *
 * Settings are the paper's: costs N(1, 0.1) and N(1000, 100), known beforehand; service in windows of 100 ms; σ of the lag behind
 * the fluid server. What the paper does not say, found by experiment (all five points of its WF2Q curve come out within 10 %):
 *
 *   lag      is in seconds of a tenant's fair share, 160 units/s, not of a thread
 *   length   the beginning, where all start at once, is left out: 10 s, then 15 s are measured
 *   v        the paper's is advanced only now and then, about every 5 ms; ours at every event. Both are run
 */
import { meanOf, meanWithin } from "../measures.js";
import { SlotPool } from "../pool/slot-pool.js";
import { NO_ARRIVALS, type Workload } from "../pool/workload.js";
import type { Chart, Series } from "../report/index.js";
import { atLeast, atMost, defineInParts, type Expectation, type Findings } from "../scenario.js";
import { SeededChance, standardNormal } from "../world/chance.js";
import { Trace } from "../world/trace.js";

const TENANTS = 100;
const SLOTS = 16;
const RATE = 1_000;
const SHARE = (SLOTS * RATE) / TENANTS;
const WARM_SEC = 10;
const END_SEC = 25;
const RUNS = 20;
/** Runs with the coarse virtual time. */
const COARSE_RUNS = 5;
const COARSE_US = 5_000;
const EXPENSIVE = [10, 25, 50, 75, 90];
/** The n of which curves over time are shown. */
const SHOWN = 50;
const SHOWN_SEC = 15;

const KINDS = ["wfq", "wf2q", "2dfq"] as const;
type Kind = (typeof KINDS)[number];
const NAMES: Record<Kind, string> = { wfq: "WFQ", wf2q: "WF2Q", "2dfq": "2DFQ" };

/** σ(lag) of a small tenant in s, by n, read off figure 8c. */
const PUBLISHED: Record<Kind, readonly number[]> = {
  wfq: [0.061, 0.141, 0.214, 0.37, 0.427],
  wf2q: [0.079, 0.224, 0.285, 0.274, 0.137],
  "2dfq": [0.028, 0.035, 0.038, 0.07, 0.085],
};
/** What 2DFQ must keep to. */
const BOUNDS = [0.028, 0.035, 0.035, 0.07, 0.1];

interface Run {
  hash: string;
  sigma: number;
  /** Of the run that is shown: service by window, lag by sample, of one small tenant. */
  service?: number[];
  lag?: number[];
}

interface Part {
  n: number;
  exact: Record<Kind, Run>;
  coarse?: Record<Kind, Run>;
}

export const expensiveRequests = defineInParts<Part>({
  name: "2dfq/expensive-requests",
  title: "Small requests among ones a thousand times as expensive, all costs known",
  count: EXPENSIVE.length * RUNS,
  quickCount: EXPENSIVE.length,
  run(seed, part) {
    const n = EXPENSIVE[part % EXPENSIVE.length];
    const run = Math.floor(part / EXPENSIVE.length);
    const load = workload(seed, `run-${run}/n-${n}`, n);
    const all = (grain?: number) =>
      Object.fromEntries(KINDS.map((kind) => [kind, measure(kind, load, n, { grain, keep: run === 0 && n === SHOWN })]));
    return {
      n,
      exact: all() as Part["exact"],
      ...(run < COARSE_RUNS ? { coarse: all(COARSE_US) as Part["exact"] } : {}),
    };
  },
  findings,
});

function workload(seed: number, run: string, n: number): Workload {
  const tenants = Array.from({ length: TENANTS }, (_, k) => `${k < TENANTS - n ? "small" : "expensive"}-${k + 1}`);
  return {
    tenants,
    apis: ["any"],
    arrivals: NO_ARRIVALS,
    backlogged: tenants.map((name, tenant) => ({
      tenant,
      stream() {
        const chance = new SeededChance(seed, `${run}/${name}`);
        const mean = tenant < TENANTS - n ? 1 : 1_000;
        return {
          api: 0,
          cost: 0,
          next() {
            this.cost = mean * Math.max(0.01, 1 + 0.1 * standardNormal(chance));
          },
        };
      },
    })),
  };
}

function measure(kind: Kind, load: Workload, n: number, { grain, keep }: { grain?: number; keep: boolean }): Run {
  const pool = new SlotPool({
    workload: load,
    slots: SLOTS,
    unitsPerSecPerSlot: RATE,
    lagUnitsPerSec: SHARE,
    scheduler: kind,
    estimator: "known",
    warmUpUs: WARM_SEC * 1e6,
    ...(grain === undefined ? {} : { clockGrainUs: grain }),
    watch: keep ? [0] : [],
  });
  pool.run(END_SEC * 1e6);
  const sigma = meanOf([...pool.lag.deviations().subarray(0, TENANTS - n)]);
  const run = { hash: pool.trace.hash, sigma };
  return keep ? { ...run, service: pool.windows.series[0], lag: pool.lag.series[0] } : run;
}

function findings(parts: Part[]): Findings {
  const trace = new Trace();
  for (const { exact, coarse } of parts) {
    for (const kind of KINDS) trace.text(exact[kind].hash + (coarse?.[kind].hash ?? ""));
  }
  const of = (kind: Kind, n: number, version: "exact" | "coarse" = "exact") => {
    const runs = parts.filter((part) => part.n === n && part[version] !== undefined);
    return meanWithin(runs.map((part) => part[version]![kind].sigma));
  };
  const figures: Findings["figures"] = { expensive: EXPENSIVE };
  for (const kind of KINDS) {
    figures[`${kind}SigmaSec`] = EXPENSIVE.map((n) => of(kind, n).mean);
    figures[`${kind}SigmaWithinSec`] = EXPENSIVE.map((n) => of(kind, n).within);
    figures[`${kind}CoarseSigmaSec`] = EXPENSIVE.map((n) => of(kind, n, "coarse").mean);
  }
  const ours = of("2dfq", SHOWN).mean;
  const publishedAt = (kind: Kind) => PUBLISHED[kind][EXPENSIVE.indexOf(SHOWN)];
  const expectations: Expectation[] = [
    ...EXPENSIVE.map((n, k) => atMost(`2DFQ: σ(lag) of a small tenant at n = ${n}, s`, of("2dfq", n).mean, BOUNDS[k])),
    atLeast(`n = ${SHOWN}: σ under WFQ / under 2DFQ`, of("wfq", SHOWN).mean / ours, 5),
    atLeast(`n = ${SHOWN}: σ under WF2Q / under 2DFQ`, of("wf2q", SHOWN).mean / ours, 4),
    atLeast(`n = ${SHOWN}: σ published for WFQ / ours under 2DFQ`, publishedAt("wfq") / ours, 7),
    atLeast(`n = ${SHOWN}: σ published for WF2Q / ours under 2DFQ`, publishedAt("wf2q") / ours, 7),
  ];
  const runs = parts.length / EXPENSIVE.length;
  const coarseRuns = Math.min(runs, COARSE_RUNS);
  const ms = (value: number) => `${(1e3 * value).toFixed(0)} ms`;
  return {
    figures,
    expectations,
    traceHash: trace.hash,
    summary: [
      `With ${SHOWN} of 100 tenants expensive, the lag of a small tenant has a standard deviation of ${ms(ours)} under 2DFQ, ${ms(of("wf2q", SHOWN).mean)} under WF2Q and ${ms(of("wfq", SHOWN).mean)} under WFQ (means of ${runs} runs); published: ${ms(publishedAt("2dfq"))}, ${ms(publishedAt("wf2q"))}, ${ms(publishedAt("wfq"))}.`,
      `With a virtual time that is advanced every 5 ms only, as we believe the paper's was, it is ${ms(of("2dfq", SHOWN, "coarse").mean)}, ${ms(of("wf2q", SHOWN, "coarse").mean)} and ${ms(of("wfq", SHOWN, "coarse").mean)}.`,
    ],
    charts: charts(parts, of),
    tables: [
      {
        title: "σ(lag) of a small tenant, s",
        caption: `Mean over ${runs} runs ± half the 95 % confidence interval; in brackets with virtual time in steps of 5 ms (${coarseRuns} runs), then as published.`,
        columns: ["n expensive", ...KINDS.map((kind) => NAMES[kind])],
        rows: EXPENSIVE.map((n, k) => [
          n,
          ...KINDS.map((kind) => {
            const { mean, within } = of(kind, n);
            return `${mean.toFixed(3)} ± ${within.toFixed(3)} (${of(kind, n, "coarse").mean.toFixed(3)}) · ${PUBLISHED[kind][k].toFixed(3)}`;
          }),
        ]),
      },
    ],
  };
}

type SigmaOf = (kind: Kind, n: number, version?: "exact" | "coarse") => { mean: number; within: number };

function charts(parts: Part[], of: SigmaOf): Chart[] {
  const shown = parts.find((part) => part.n === SHOWN && part.exact.wfq.service !== undefined)!;
  const overTime = (values: readonly number[], perSec: number) =>
    values.slice(WARM_SEC * perSec, (WARM_SEC + SHOWN_SEC) * perSec).map((y, i) => ({ x: WARM_SEC + (i + 1) / perSec, y }));
  const sigma: Series[] = KINDS.map((kind) => ({
    name: NAMES[kind],
    points: EXPENSIVE.map((n) => ({ x: n, y: of(kind, n).mean, within: of(kind, n).within })),
  }));
  const published = (kind: Kind): Series => ({
    name: `${NAMES[kind]}, paper`,
    like: NAMES[kind],
    points: EXPENSIVE.map((n, k) => ({ x: n, y: PUBLISHED[kind][k] })),
  });
  const coarse = (kind: Kind): Series => ({
    name: NAMES[kind],
    points: EXPENSIVE.map((n) => ({ x: n, y: of(kind, n, "coarse").mean })),
  });
  const sigmaAxes = { xLabel: "expensive tenants of 100", yLabel: "σ(lag) of a small tenant (s)", yScale: "log" as const };
  return [
    {
      title: "8a · Service a small tenant gets",
      caption: `Units in windows of 100 ms, ${SHOWN} of 100 tenants expensive; the fluid server would give 16.`,
      xLabel: "time (s)",
      yLabel: "service (units / 100 ms)",
      lines: [{ y: SHARE / 10, label: "fair share" }],
      series: KINDS.map((kind) => ({ name: NAMES[kind], points: overTime(shown.exact[kind].service!, 10) })),
    },
    {
      title: "8b · How far it is behind the fluid server, or ahead",
      caption: "Lag of the same tenant in seconds of its fair share, every 10 ms.",
      xLabel: "time (s)",
      yLabel: "lag (s)",
      series: KINDS.map((kind) => ({ name: NAMES[kind], points: overTime(shown.exact[kind].lag!, 100) })),
    },
    {
      title: "8c · The more expensive tenants, the rougher; 2DFQ stays smooth",
      caption: `Standard deviation of the lag, mean of ${parts.length / EXPENSIVE.length} runs with its 95 % interval; dotted: as published.`,
      ...sigmaAxes,
      series: [...sigma, ...KINDS.map(published)],
    },
    {
      title: "8c with a coarse virtual time: the published numbers come out",
      caption: `The same with the clock the scheduler sees in steps of 5 ms, mean of up to ${COARSE_RUNS} runs; dotted: as published.`,
      ...sigmaAxes,
      series: [...KINDS.map(coarse), ...KINDS.map(published)],
    },
  ];
}
