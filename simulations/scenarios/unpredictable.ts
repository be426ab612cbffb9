/**
 * Figures 11 and 12 of the 2DFQ paper: 300 tenants like those of Azure Storage, T1 … T12 and t1 … t7, on 32 threads of 10⁶ units/s; what
 * a request costs is known only when it is done. None, a third, two thirds of the 300 are unpredictable: each of their requests
 * may be any of all apis. How long do the others wait?
 *
 * WFQᴱ and WF2Qᴱ estimate by a moving average per tenant and api, 2DFQᴱ by the largest lately seen (pessimistically). All are told every
 * 10 ms what a running request has used so far, and charge the difference when it is done. The population stands in
 * `pool/population.ts`, and each run has one of its own. A run begins with nothing learned, so it shows, too, what is made of tenants
 * nobody knows: three seconds are left out, but many a tenant has sent one request of a kind by then, or none.
 *
 * That is where a small tenant's 99th percentile is decided. With known costs 2DFQ has 4 ms at 33 %; with an estimate that lets
 * each job teach newcomers equally it had 38 ms in the mean of these runs and 50 … 130 in seven of the twenty, and after ten
 * seconds more 3 … 7 in all that were looked at: long requests of tenants that were taken for small had got the slots meant for
 * small ones. The estimator of `enforcement/schedulers/estimators.ts` forgets an api by tenants instead, and has 4 from the start.
 */
import { meanOf, meanWithin, quantileOf } from "../measures.js";
import { ESTIMATING, p99Ms, type RunRecord, runContender, SHOWN_TENANTS } from "../pool/experiment.js";
import { population } from "../pool/population.js";
import type { Box, Picture, Table } from "../report/index.js";
import { atLeast, atMost, defineInParts, type Findings } from "../scenario.js";
import { Trace } from "../world/trace.js";

const RUNS = 20;
const REPLAYED = 300;
/** How many per cent of them are unpredictable. */
const LEVELS = [0, 33, 66];
const SLOTS = 32;
const RATE = 1e6;
const WARM_SEC = 3;
const END_SEC = 13;
const OCCUPANCY: [number, number] = [6, 7];

/** Place of 2DFQᴱ among those compared. */
const OURS = 2;

/** p99 of T1's latency in ms, by level and contender, read off figure 12. */
const PUBLISHED = [
  [4.49, 28, 3.32],
  [499, 316, 8.33],
  [1392, 926, 17.9],
];

/** One contender's part of a run. */
interface Measured {
  hash: string;
  latencyUs: Box[];
  t1SigmaSec: number;
  /** Of the first run of each level. */
  shown?: Pick<RunRecord, "lagSec" | "service" | "stints">;
}

export const unpredictable = defineInParts<Measured[]>({
  name: "2dfq/unpredictable",
  title: "319 tenants, a part of them unpredictable, costs unknown until a request is done",
  count: RUNS * LEVELS.length,
  quickCount: LEVELS.length,
  run(seed, part) {
    const level = part % LEVELS.length;
    const run = Math.floor(part / LEVELS.length);
    const wild = Math.round((LEVELS[level] / 100) * REPLAYED);
    const workload = population({ seed, run: `run-${run}`, replayed: REPLAYED, unpredictable: wild, untilUs: END_SEC * 1e6 });
    return ESTIMATING.map((contender): Measured => {
      const { hash, latencyUs, sigmaSec, lagSec, service, stints } = runContender(workload, contender, {
        slots: SLOTS,
        unitsPerSecPerSlot: RATE,
        warmUpSec: WARM_SEC,
        endSec: END_SEC,
        ...(run === 0 ? { watch: ["t1"], occupancySec: OCCUPANCY } : {}),
      });
      const t1SigmaSec = sigmaSec[workload.tenants.indexOf("t1")];
      return { hash, latencyUs, t1SigmaSec, ...(run === 0 ? { shown: { lagSec, service, stints } } : {}) };
    });
  },
  findings,
});

function findings(parts: Measured[][]): Findings {
  const trace = new Trace();
  for (const part of parts) for (const { hash } of part) trace.text(hash);
  const runsOf = (level: number) => parts.filter((_, part) => part % LEVELS.length === level);
  const p99 = (level: number, k: number, tenant: string) => runsOf(level).map((part) => p99Ms(part[k], tenant));
  const mean = (level: number, k: number, tenant: string) => meanOf(p99(level, k, tenant));
  const figures: Findings["figures"] = { unpredictablePercent: LEVELS };
  for (const [k, { scheduler }] of ESTIMATING.entries()) {
    for (const tenant of ["T1", "T10", "t1"]) {
      figures[`${scheduler}P99Ms${tenant === "t1" ? "Fixed1" : tenant}`] = LEVELS.map((_, level) => mean(level, k, tenant));
    }
    figures[`${scheduler}P99MsT1Median`] = LEVELS.map((_, level) => quantileOf(p99(level, k, "T1"), 0.5));
    figures[`${scheduler}SigmaSecFixed1`] = LEVELS.map((_, level) => meanOf(runsOf(level).map((part) => part[k].t1SigmaSec)));
  }
  const [calm, third, most] = LEVELS.map((_, level) => mean(level, OURS, "T1"));
  const expectations = [
    atLeast("33 % unpredictable, p99 of T1: WFQᴱ / 2DFQᴱ (published: 60)", mean(1, 0, "T1") / third, 60),
    atLeast("33 % unpredictable, p99 of T1: WF2Qᴱ / 2DFQᴱ (published: 38)", mean(1, 1, "T1") / third, 38),
    atLeast("66 % unpredictable, p99 of T1: WFQᴱ / 2DFQᴱ (published: 78)", mean(2, 0, "T1") / most, 78),
    atLeast("66 % unpredictable, p99 of T1: WF2Qᴱ / 2DFQᴱ (published: 52)", mean(2, 1, "T1") / most, 52),
    atMost("p99 of T1 under 2DFQᴱ: at 33 % / at 0 %", third / calm, 10),
    atMost("p99 of T1 under 2DFQᴱ: at 66 % / at 0 %", most / calm, 10),
    atMost("33 % unpredictable, p99 of T1 under 2DFQᴱ, ms (published: 8.33)", third, 8.33),
    atMost("66 % unpredictable, p99 of T1 under 2DFQᴱ, ms (published: 17.9)", most, 17.9),
  ];
  const text = (level: number) =>
    ESTIMATING.map(({ name }, k) => `${mean(level, k, "T1").toPrecision(3)} ms under ${name} (published ${PUBLISHED[level][k]})`);
  return {
    figures,
    expectations,
    traceHash: trace.hash,
    summary: LEVELS.map(
      (percent, level) =>
        `${percent} % unpredictable: the 99th percentile of T1's latency is ${text(level).join(", ")}, mean of the runs.`,
    ),
    charts: charts(parts),
    tables: LEVELS.map((_, level) => table(level, p99)),
  };
}

function table(level: number, p99: (level: number, k: number, tenant: string) => number[]): Table {
  const cell = (values: number[]) => {
    const { mean, within } = meanWithin(values);
    return `${mean.toPrecision(3)} ± ${within.toPrecision(2)}`;
  };
  return {
    title: `${LEVELS[level]} % unpredictable: 99th percentile of latency, ms`,
    caption: `Mean over ${p99(level, 0, "T1").length} runs ± half the 95 % confidence interval.`,
    columns: ["tenant", ...ESTIMATING.map(({ name }) => name), ...ESTIMATING.map(({ name }) => `${name}, paper`)],
    rows: SHOWN_TENANTS.map((tenant) => [
      tenant,
      ...ESTIMATING.map((_, k) => cell(p99(level, k, tenant))),
      ...ESTIMATING.map((_, k) => (tenant === "T1" ? String(PUBLISHED[level][k]) : "")),
    ]),
  };
}

function charts(parts: Measured[][]): Picture[] {
  const shown = (level: number, k: number) => parts[level][k].shown!;
  const over: Picture[] = LEVELS.flatMap((percent, level): Picture[] => [
    {
      title: `11 · Service t1 gets, ${percent} % unpredictable`,
      caption: "ms of a thread in windows of 100 ms; t1 always has requests of 256 µs waiting.",
      xLabel: "time (s)",
      yLabel: "service (ms / 100 ms)",
      series: ESTIMATING.map(({ name }, k) => ({
        name,
        points: shown(level, k).service[0].map((y, i) => ({ x: (i + 1) / 10, y: y / 1e3 })),
      })),
    },
    {
      title: `12 · How long requests take, ${percent} % unpredictable`,
      caption:
        "Enqueued to finished: boxes from the first to the third quartile, whiskers p1 to p99, first run; crosses: published p99.",
      kind: "boxes",
      yLabel: "latency (ms)",
      yScale: "log",
      groups: [...SHOWN_TENANTS],
      series: ESTIMATING.map(({ name }, k) => ({
        name,
        boxes: parts[level][k].latencyUs.map(inMs),
        marks: SHOWN_TENANTS.map((tenant) => (tenant === "T1" ? PUBLISHED[level][k] : Number.NaN)),
      })),
    },
  ]);
  const last = LEVELS.length - 1;
  const maps = ESTIMATING.map(
    ({ name }, k): Picture => ({
      kind: "occupancy",
      title: `${name}, ${LEVELS[last]} % unpredictable: who runs where`,
      caption: "A row per thread, coloured by what the request turns out to cost.",
      xLabel: "time (s)",
      slots: SLOTS,
      fromX: OCCUPANCY[0],
      toX: OCCUPANCY[1],
      sizeLabel: "cost (µs)",
      stints: shown(last, k).stints.map(({ slot, fromUs, toUs, cost }) => ({
        slot,
        fromX: fromUs / 1e6,
        toX: toUs / 1e6,
        size: cost,
      })),
    }),
  );
  return [...over, ...maps];
}

function inMs({ low, q25, q50, q75, high }: Box): Box {
  return { low: low / 1e3, q25: q25 / 1e3, q50: q50 / 1e3, q75: q75 / 1e3, high: high / 1e3 };
}
