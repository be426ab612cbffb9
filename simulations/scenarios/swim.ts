/**
 * A day of a Hadoop cluster at Facebook (SWIM's FB-2009 trace), replayed: most jobs are small, a few move nearly all of the bytes,
 * and those few make everybody wait. 24 hours pass in 8 minutes, on 4 machines.
 *
 *   phases    the trace tells the bytes a job reads, shuffles and writes: reads at disks, then sends over links, then writes at disks.
 *             Each phase enters by a point of its own, in pieces of 1 MiB at the most, 30 for each machine of a job at once
 *             (a job takes all the map slots it can get).
 *   bytes     all scaled by one factor, so that reads and writes would keep the disks busy for 6/10 of the time, were they spread evenly
 *   tenants   are not published. We take jobs below 1 GB for those of 6 small tenants, below 10 GB of 3 medium and the rest of 3 large
 *             ones, by line number in turn: whose job it is is made up, what it does and when is not.
 *
 * Four runs: nothing enforced; bottleneck fairness at its defaults; with T = 16 and β = 1, for throughput; and that with slots at the
 * points. A job that comes back from its shuffle finds a rate that follows from what little it last did at the disks, and grows from
 * there up to what they are known to carry in a window or two. While it grew by β a window, a third of the disks was unused for it.
 */
import { meanOf, quantileOf } from "../measures.js";
import { atLeast, atMost, defineScenario, type Findings, type Recording, type ScenarioRun } from "../scenario.js";
import { MACHINE } from "../world/storage-cluster.js";
import { cut, type Job, type Plan, paced, recordingOf, replay, sumOf, usedWhileFull } from "./replay.js";
import {
  type Class,
  fairnessOf,
  hashOf,
  nothingLost,
  overTimeChart,
  type Run,
  runsTable,
  timesChart,
  tookSec,
} from "./replay-report.js";

const SECOND_US = 1_000_000;
const NAME = "workloads/swim";
const SECONDS = 480;
const UTILISATION = 0.6;
const PIECE = 1024 * 1024;
const MACHINES = 4;
/** Requests that each point of a machine lets in at once. */
const SLOTS = 16;
const CLUSTER = { ...MACHINE, machines: MACHINES, points: ["read", "shuffle", "write"], linkBytesPerSec: 125e6 };
/** By size, below so many bytes in all: how many tenants. */
const CLASSES = [
  { name: "small", below: 1e9, count: 6 },
  { name: "medium", below: 1e10, count: 3 },
  { name: "large", below: Number.POSITIVE_INFINITY, count: 3 },
].map((each) => ({ ...each, tenants: Array.from({ length: each.count }, (_, i) => `${each.name}-${i + 1}`) }));
const [SMALL, , LARGE] = CLASSES;

/** The trace as load on the cluster. */
function planOf(recording: Recording): Plan {
  const { arrivals } = recording.workload;
  const { map_input_bytes: read, shuffle_bytes: shuffled, reduce_output_bytes: written } = recording.numbers;
  const atUs = paced(recording, SECONDS);
  const bytes = sumOf(
    recording,
    "map_input_bytes + reduce_output_bytes",
    read.map((each, k) => each + written[k]),
  );
  const bytesPerUs = PIECE / (CLUSTER.seekUs + (PIECE * SECOND_US) / CLUSTER.diskBytesPerSec);
  const scale = (UTILISATION * MACHINES * SECONDS * SECOND_US * bytesPerUs) / bytes;
  const jobs: Job[] = [];
  for (let k = 0; k < arrivals.count; k++) {
    const { tenants } = CLASSES.find(({ below }) => arrivals.cost[k] < below) ?? LARGE;
    jobs.push({
      atUs: atUs[k],
      tenant: tenants[k % tenants.length],
      phases: [
        ...cut(read[k] * scale, PIECE, (diskBytes) => ({ point: "read", diskBytes })),
        ...cut(shuffled[k] * scale, PIECE, (linkBytes) => ({ point: "shuffle", linkBytes })),
        ...cut(written[k] * scale, PIECE, (diskBytes) => ({ point: "write", diskBytes })),
      ],
    });
  }
  return { jobs, cluster: CLUSTER, atOnce: 30 * MACHINES };
}

const THROUGHPUT = { threshold: 16, beta: 1 };
const SETTINGS: readonly {
  key: string;
  name: string;
  setting: { mode: "observe" | "enforce"; params?: Record<string, number> };
  slots?: number;
}[] = [
  { key: "without", name: "no policy", setting: { mode: "observe" } },
  { key: "defaults", name: "defaults", setting: { mode: "enforce" } },
  { key: "rates", name: "T = 16, β = 1", setting: { mode: "enforce", params: THROUGHPUT } },
  { key: "slots", name: "T = 16, β = 1, slots", setting: { mode: "enforce", params: THROUGHPUT }, slots: SLOTS },
];

export const swim = defineScenario({
  name: NAME,
  title: "A day of Hadoop jobs, recorded: few large ones, and the many small ones that wait for them",
  policy: "bottleneck-fairness",
  replays: {
    file: "traces/swim_fb2009/fb2009_0.csv.gz",
    columns: ["map_input_bytes", "shuffle_bytes", "reduce_output_bytes"],
  },
  run(options: ScenarioRun): Findings {
    const plan = planOf(recordingOf(NAME, options));
    const runs = SETTINGS.map(({ name, setting, slots }, k): Run => {
      const onProgress = (fraction: number) => options.onProgress?.((k + fraction) / SETTINGS.length);
      const cluster = { ...plan.cluster, ...(slots === undefined ? {} : { slots }) };
      return {
        name,
        replayed: replay(options, { ...plan, cluster }, { policies: { "bottleneck-fairness": setting } }, onProgress),
      };
    });
    return findings(runs);
  },
});

function findings(runs: readonly Run[]): Findings {
  const classes = CLASSES.filter(({ tenants }) => tenants.every((tenant) => runs[0].replayed.jobs.has(tenant)));
  const figures: Findings["figures"] = {};
  const found = runs.map(({ name, replayed }, k) => {
    const took = (each: Class) => (classes.some((one) => one.name === each.name) ? tookSec(replayed, each) : []);
    const values = {
      smallSec: meanOf(took(SMALL)),
      smallP99Sec: quantileOf(took(SMALL), 0.99),
      largeSec: meanOf(took(LARGE)),
      largeP99Sec: quantileOf(took(LARGE), 0.99),
      used: usedWhileFull(replayed.disk),
      jain: fairnessOf(replayed.disk),
      endSec: replayed.endSec,
    };
    for (const [figure, value] of Object.entries(values)) figures[`${SETTINGS[k].key}: ${figure}`] = value;
    return { name, ...values };
  });
  const [without, defaults, rates, slots] = found;
  return {
    figures,
    expectations: [
      ...nothingLost(runs),
      ...[
        { run: defaults, wait: 0.2, used: 0.7 },
        { run: rates, wait: 0.5, used: 0.8 },
        { run: slots, wait: 0.25, used: 0.85 },
      ].flatMap(({ run, wait, used }) => [
        atMost(`${run.name}: mean time of a small job / without a policy`, run.smallSec / without.smallSec, wait),
        atMost(`${run.name}: p99 of small jobs / without a policy`, run.smallP99Sec / without.smallP99Sec, 0.5),
        atLeast(`${run.name}: Jain index of tenants that want more`, run.jain, 0.85),
        atLeast(`${run.name}: part of the disks in use while somebody wants more (wished: 0.95)`, run.used, used),
      ]),
      atMost(
        `${defaults.name}: mean time of a large job / without a policy (wished: 1.1)`,
        defaults.largeSec / without.largeSec,
        2.5,
      ),
      atMost(`${slots.name}: mean time of a large job / without a policy (wished: 1.1)`, slots.largeSec / without.largeSec, 1.5),
      atMost(`${slots.name}: when the last job is done / without a policy`, slots.endSec / without.endSec, 1.02),
    ],
    traceHash: hashOf(runs),
    summary: [
      `A small job takes ${found.map(({ name, smallSec }) => `${smallSec.toFixed(2)} s (${name})`).join(", ")}; a large one ${found.map(({ largeSec }) => largeSec.toFixed(1)).join(", ")} s.`,
      `While somebody wants more, ${found.map(({ used }) => `${(100 * used).toFixed(0)} %`).join(", ")} of the disks are in use.`,
    ],
    charts: [
      timesChart(runs, classes, "Small jobs no longer wait for large ones"),
      ...(classes.includes(SMALL) ? [overTimeChart(runs, SMALL, "How long small jobs take, by when they come")] : []),
    ],
    tables: [runsTable(runs, classes, ["disk"])],
  };
}
