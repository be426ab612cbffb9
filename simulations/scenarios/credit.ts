/**
 * Credit at re-activation: a tenant that comes back starts at S = max(S, v − c·L/φ) instead of max(S, v). What does c buy?
 *
 * It can matter only to who comes and goes; above all to a client that waits for each answer before it asks again. Each time it
 * waits longer than the fluid server would have made it wait, v passes its tag, and without credit that service is lost. Three such
 * clients, of fixed costs 2⁸, 2¹² and 2¹⁶, are put beside the population of `2dfq/unpredictable`, each with a twin of the same
 * cost that always has requests waiting (t1, t3, t5): what share of its twin's service does it get, and how long does it wait?
 *
 * What we find: with an exact v there is nothing to regain, such a client has its twin's share without credit; with a v that moves
 * every 5 ms it has two thirds, and one job's credit gives nearly all of it back. Sixteen jobs' credit makes everyone small wait longer:
 * credit is given in jobs, so those with large jobs get most of it. What one job's credit does to those for whom it is not meant is
 * mixed: T1, whose requests come one by one, waits half as long; one slot with known costs is worse off (virtual-time.ts).
 */
import { meanOf } from "../measures.js";
import { sortedQuantile } from "../pool/latency-log.js";
import type { EstimatorKind } from "../pool/options.js";
import { FIXED_COSTS, population } from "../pool/population.js";
import { SlotPool } from "../pool/slot-pool.js";
import type { Workload } from "../pool/workload.js";
import type { Chart, Table } from "../report/index.js";
import { atLeast, defineInParts, type Findings } from "../scenario.js";
import { Trace } from "../world/trace.js";

const RUNS = 3;
const REPLAYED = 300;
const UNPREDICTABLE = 100;
const SLOTS = 32;
const RATE = 1e6;
const WARM_SEC = 3;
const END_SEC = 11;

const CREDITS = [0, 1, 4, 16];
const CLIENTS = [0, 2, 4].map((k) => ({ name: `c${k + 1}`, twin: `t${k + 1}`, cost: FIXED_COSTS[k] }));

interface Setting {
  name: string;
  estimator: EstimatorKind;
  clockGrainUs?: number;
}
const SETTINGS: readonly Setting[] = [
  { name: "pessimistic", estimator: "pessimistic" },
  { name: "pessimistic, v every 5 ms", estimator: "pessimistic", clockGrainUs: 5_000 },
  { name: "moving average", estimator: "moving-average" },
];

interface Measured {
  hash: string;
  /** By client: its service / its twin's. */
  shares: number[];
  /** By client, ms. */
  p99Ms: number[];
  /** Of others, ms. */
  t1P99Ms: number;
  namedP99Ms: number; // T1's
}

export const credit = defineInParts<Measured[][]>({
  name: "2dfq/credit",
  title: "Clients that wait for each answer: what credit at re-activation buys under 2DFQ",
  count: RUNS,
  quickCount: 1,
  run(seed, part) {
    const workload = withClients(
      population({ seed, run: `run-${part}`, replayed: REPLAYED, unpredictable: UNPREDICTABLE, untilUs: END_SEC * 1e6 }),
    );
    return SETTINGS.map((setting) => CREDITS.map((creditJobs) => measure(workload, setting, creditJobs)));
  },
  findings,
});

function withClients(workload: Workload): Workload {
  const api = workload.apis.indexOf("fixed");
  return {
    ...workload,
    tenants: [...workload.tenants, ...CLIENTS.map(({ name }) => name)],
    backlogged: [
      ...workload.backlogged,
      ...CLIENTS.map(({ cost }, k) => ({
        tenant: workload.tenants.length + k,
        oneAtATime: true,
        stream: () => ({ api, cost, next() {} }),
      })),
    ],
  };
}

function measure(workload: Workload, { estimator, clockGrainUs }: Setting, creditJobs: number): Measured {
  const { tenants } = workload;
  const pool = new SlotPool({
    workload,
    slots: SLOTS,
    unitsPerSecPerSlot: RATE,
    scheduler: "2dfq",
    estimator,
    creditJobs,
    warmUpUs: WARM_SEC * 1e6,
    sampleUs: Number.POSITIVE_INFINITY,
    ...(clockGrainUs === undefined ? {} : { clockGrainUs }),
  });
  const place = (name: string) => tenants.indexOf(name);
  const served = () => CLIENTS.map(({ name, twin }) => [pool.served(place(name)), pool.served(place(twin))]);
  pool.run(WARM_SEC * 1e6);
  const before = served();
  pool.run(END_SEC * 1e6);
  const after = served();
  pool.close();
  const latencies = pool.latencies.byTenant(tenants.length);
  const p99Ms = (name: string) => sortedQuantile(latencies[place(name)], 0.99) / 1e3;
  return {
    hash: pool.trace.hash,
    shares: CLIENTS.map((_, k) => (after[k][0] - before[k][0]) / (after[k][1] - before[k][1])),
    p99Ms: CLIENTS.map(({ name }) => p99Ms(name)),
    t1P99Ms: p99Ms("t1"),
    namedP99Ms: p99Ms("T1"),
  };
}

function findings(parts: Measured[][][]): Findings {
  const trace = new Trace();
  for (const { hash } of parts.flat(2)) trace.text(hash);
  const of = (s: number, c: number, figure: (measured: Measured) => number) => meanOf(parts.map((part) => figure(part[s][c])));
  const figures: Findings["figures"] = { creditJobs: CREDITS };
  for (const [s, { name }] of SETTINGS.entries()) {
    for (const [k, client] of CLIENTS.entries()) {
      figures[`${name}: ${client.name} share`] = CREDITS.map((_, c) => of(s, c, (m) => m.shares[k]));
      figures[`${name}: ${client.name} p99Ms`] = CREDITS.map((_, c) => of(s, c, (m) => m.p99Ms[k]));
    }
    figures[`${name}: t1 p99Ms`] = CREDITS.map((_, c) => of(s, c, (m) => m.t1P99Ms));
    figures[`${name}: T1 p99Ms`] = CREDITS.map((_, c) => of(s, c, (m) => m.namedP99Ms));
  }
  const share = (c: number) => of(0, c, (m) => m.shares[0]);
  const percent = (part: number) => `${(100 * part).toFixed(0)} %`;
  const with16 = CREDITS.indexOf(16);
  return {
    figures,
    expectations: [
      atLeast("c1's service / its twin's, exact v, no credit", share(0), 0.9),
      atLeast(
        "t1's p99 with a credit of 16 / without: what too much does",
        of(0, with16, (m) => m.t1P99Ms) / of(0, 0, (m) => m.t1P99Ms),
        1.3,
      ),
    ],
    traceHash: trace.hash,
    summary: [
      `Without credit a client that asks for 256 µs at a time gets ${percent(share(0))} of what its always waiting twin gets, with a credit of 16 jobs ${percent(share(with16))}; when v moves every 5 ms only, ${percent(of(1, 0, (m) => m.shares[0]))} and ${percent(of(1, with16, (m) => m.shares[0]))}.`,
    ],
    charts: SETTINGS.map(({ name }, s) => picture(name, s, of)),
    tables: SETTINGS.map(({ name }, s) => table(name, s, of)),
  };
}

type Of = (s: number, c: number, figure: (measured: Measured) => number) => number;

function picture(name: string, s: number, of: Of): Chart {
  return {
    title: `What credit buys: clients that wait for each answer, ${name}`,
    caption: "Service of a client as a part of its twin's, who always has requests waiting, by the credit; 1 is as much.",
    xLabel: "credit (jobs; 0 drawn at 0.5)",
    xScale: "log",
    yLabel: "service / twin's",
    series: CLIENTS.map(({ cost }, k) => ({
      name: `${(cost / 1e3).toPrecision(3)} ms each`,
      points: CREDITS.map((credit, c) => ({ x: Math.max(credit, 0.5), y: of(s, c, (m) => m.shares[k]) })),
    })),
  };
}

function table(name: string, s: number, of: Of): Table {
  return {
    title: `2DFQ, ${name}`,
    caption: "Service as a part of the twin's, and 99th percentiles of latency in ms.",
    columns: [
      "credit, jobs",
      ...CLIENTS.map((c) => `${c.name} share`),
      ...CLIENTS.map((c) => `${c.name} p99`),
      "t1 p99",
      "T1 p99",
    ],
    rows: CREDITS.map((credit, c) => [
      credit,
      ...CLIENTS.map((_, k) => of(s, c, (m) => m.shares[k])),
      ...CLIENTS.map((_, k) => of(s, c, (m) => m.p99Ms[k])),
      of(s, c, (m) => m.t1P99Ms),
      of(s, c, (m) => m.namedP99Ms),
    ]),
  };
}
