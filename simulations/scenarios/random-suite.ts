/**
 * Figure 13 of the 2DFQ paper: 150 workloads drawn at random: 2 … 64 threads, 0 … 400 replayed tenants 0.5 … 4 times as fast, 0 … 100
 * tenants that always have requests waiting, 0 … 100 expensive ones, 0 … 100 unpredictable ones, and always T1 … T12 and
 * t1 … t7. In each, how many times shorter is the 99th percentile of a tenant's latency under 2DFQᴱ than under WFQᴱ and WF2Qᴱ?
 *
 * Where the paper is silent: each number is drawn evenly (speed evenly in its logarithm); the expensive send requests of
 * 0.1 … 1 s and always have some waiting; unpredictable tenants come besides the replayed, and are replayed like them. T1 … T12 ask for
 * half of what each tenant would get if all had work: one that asks for more than its share waits for itself, whoever schedules.
 *
 * Where we differ: the paper's median speed-up of T1 over WF2Qᴱ is 35.8 and over WFQᴱ 3.8; ours is 17.9 over both. Over WFQᴱ that is more,
 * for ours suffers more from its moving average. The two are alike here because the average's mistakes delay T1 by half a second
 * whoever schedules; it is not that v is exact (with one that moves every 5 ms WF2Qᴱ is no worse: 16.8). Told all costs, 2DFQ is 6 % slower
 * in the median than 2DFQᴱ, and in a quarter of the workloads 17 times faster. What decides is what is drawn; medians of the first 24
 * workloads: as drawn 17.9; nobody unpredictable 2.3 over WFQᴱ and 3.6 over WF2Qᴱ; always a hundred unpredictable 70; none expensive 57.
 */
import { quantileOf } from "../measures.js";
import { ESTIMATING, p99Ms, runContender, SHOWN_TENANTS } from "../pool/experiment.js";
import { population } from "../pool/population.js";
import type { Box, Chart, Table } from "../report/index.js";
import { atLeast, atMost, defineInParts, type Findings } from "../scenario.js";
import { pick, SeededChance } from "../world/chance.js";
import { Trace } from "../world/trace.js";

const WORKLOADS = 150;
const QUICK = 3;
const RATE = 1e6;
const WARM_SEC = 2;
const END_SEC = 7;
/** Below this a tenant is as well off as before: the part by which p99 differs between two seeds. */
const WORSE = 1.05;

const OURS = 2;

interface Outcome {
  slots: number;
  /** By contender: a hash, and quantiles of latency of the tenants shown. */
  records: { hash: string; latencyUs: Box[] }[];
}

export const randomSuite = defineInParts<Outcome>({
  name: "2dfq/random-suite",
  title: "150 workloads drawn at random: how often, and how much, does 2DFQ help whom?",
  count: WORKLOADS,
  quickCount: QUICK,
  run(seed, part) {
    const chance = new SeededChance(seed, `settings/${part}`);
    const slots = 2 + pick(chance, 63);
    const replayed = pick(chance, 401);
    const speed = 0.5 * Math.exp(chance.next() * Math.log(8));
    const [backlogged, expensive, unpredictable] = [pick(chance, 101), pick(chance, 101), pick(chance, 101)];
    const workload = population({
      seed,
      run: `workload-${part}`,
      replayed: replayed + unpredictable,
      unpredictable,
      untilUs: END_SEC * 1e6,
      speed,
      backlogged,
      expensive,
      namedDemand: (0.5 * slots * RATE) / (replayed + unpredictable + backlogged + expensive + SHOWN_TENANTS.length),
    });
    const records = ESTIMATING.map((contender) => {
      const settings = { slots, unitsPerSecPerSlot: RATE, warmUpSec: WARM_SEC, endSec: END_SEC, latenciesOnly: true };
      const { hash, latencyUs } = runContender(workload, contender, settings);
      return { hash, latencyUs };
    });
    return { slots, records };
  },
  findings,
});

function findings(outcomes: Outcome[]): Findings {
  const trace = new Trace();
  for (const { records } of outcomes) for (const { hash } of records) trace.text(hash);
  /** How many times shorter p99 is under 2DFQᴱ, by workload; where the tenant was never served there is nothing to compare. */
  const speedups = (against: number, tenant: string) =>
    outcomes
      .map(({ records }) => p99Ms(records[against], tenant) / p99Ms(records[OURS], tenant))
      .filter((speedup) => !Number.isNaN(speedup));
  const figures: Findings["figures"] = {};
  for (const [k, { scheduler }] of ESTIMATING.slice(0, OURS).entries()) {
    for (const tenant of SHOWN_TENANTS) {
      const values = speedups(k, tenant);
      figures[`${tenant}Over${scheduler}`] = [0, 0.25, 0.5, 0.75, 1].map((q) => quantileOf(values, q));
    }
    figures[`T10WorseThan${scheduler}`] = speedups(k, "T10").filter((speedup) => speedup < 1 / WORSE).length;
  }
  const median = (against: number, tenant: string) => quantileOf(speedups(against, tenant), 0.5);
  const worse = (against: number) => speedups(against, "T10").filter((speedup) => speedup < 1 / WORSE).length;
  // A few workloads say little: then only that T1 does not lose.
  const whole = outcomes.length === WORKLOADS;
  return {
    figures,
    expectations: [
      atLeast("T1, median speed-up over WFQᴱ (published: 3.8)", median(0, "T1"), whole ? 12 : 1),
      atLeast("T1, median speed-up over WF2Qᴱ (published: 35.8)", median(1, "T1"), whole ? 12 : 1),
      atMost("workloads in which T10 is worse than under WFQᴱ (published: 64 of 150)", worse(0), 19),
      atMost("workloads in which T10 is worse than under WF2Qᴱ (published: 47 of 150)", worse(1), 19),
    ],
    traceHash: trace.hash,
    summary: [
      `Over ${outcomes.length} workloads the 99th percentile of T1's latency is ${median(0, "T1").toPrecision(3)} times shorter under 2DFQᴱ than under WFQᴱ in the median, and ${median(1, "T1").toPrecision(3)} times shorter than under WF2Qᴱ (published: 3.8 and 35.8).`,
      `T10, huge and erratic, is worse off (by more than ${Math.round(100 * (WORSE - 1))} %) in ${worse(0)} and ${worse(1)} of them (published: 64 and 47).`,
    ],
    charts: charts(speedups),
    tables: [table(speedups)],
  };
}

const PUBLISHED: Record<string, string> = {
  "T1/0": "3.8, at most 352",
  "T1/1": "35.8, third quartile 141",
  "t1/0": "26.9, at most 198.8",
};

function table(speedups: (against: number, tenant: string) => number[]): Table {
  return {
    title: "How many times shorter p99 is under 2DFQᴱ",
    columns: ["tenant", "than under", "least", "first quartile", "median", "third quartile", "most", "published median"],
    rows: SHOWN_TENANTS.flatMap((tenant) =>
      ESTIMATING.slice(0, OURS).map(({ name }, k) => [
        tenant,
        name,
        ...[0, 0.25, 0.5, 0.75, 1].map((q) => quantileOf(speedups(k, tenant), q)),
        PUBLISHED[`${tenant}/${k}`] ?? "",
      ]),
    ),
  };
}

function charts(speedups: (against: number, tenant: string) => number[]): Chart[] {
  return ESTIMATING.slice(0, OURS).map(({ name }, k) => ({
    title: `13 · Speed-up over ${name}`,
    caption:
      "p99 of latency under the other, divided by that under 2DFQᴱ: 150 workloads, from the least speed-up to the greatest.",
    xLabel: "part of the workloads",
    yLabel: "speed-up",
    yScale: "log",
    lines: [
      { y: 1, label: "as good" },
      { y: [3.8, 35.8][k], label: "paper: median of T1" },
    ],
    series: ["T1", "T5", "T10", "t1", "t4"].map((tenant) => ({
      name: tenant,
      points: [...speedups(k, tenant)].sort((a, b) => a - b).map((y, i, all) => ({ x: (i + 0.5) / all.length, y })),
    })),
  }));
}
