/**
 * Four hours of tasks of a Google cluster (ClusterData2011), replayed in 8 minutes on 4 machines of 8 cores: 74 users, one of whom has
 * three fifths of all cpu time and sends ten thousand tasks within a minute.
 *
 *   task      first loads what it keeps in memory from a disk of its machine (the share of memory it asked for), then computes for the
 *             cpu share it asked for times how long it ran: by two control points, in pieces of 1 MiB and of 100 ms at the most,
 *             one after the other, as a process does
 *   scaled    so that all computing would keep the cores busy for 6/10 of the time, and all loading the disks for half of it
 *   tenants   are the trace's users, all of weight 1. Priorities are not used: 99 % of the tasks are of priority 0 to 2.
 *   small     a user who asks for less than an equal part of all cpu time and of all loading
 *
 * So two resources are flooded, often by different users: some have many short tasks of much memory, others few long ones. Four runs:
 * nothing enforced; bottleneck fairness by rates alone; that and dominant resource fairness with slots at the points, policies at
 * their defaults. Rates come too late for ten thousand tasks that are all let in before the first of them is felt: these stand before the
 * disks for half a minute, whatever is decided. With slots they stand at the point, where who is next is still open.
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
const NAME = "workloads/borg";
const SECONDS = 480;
const CPU_UTILISATION = 0.6;
const DISK_UTILISATION = 0.5;
const PIECE = 1024 * 1024;
const SLICE_US = 100_000;
const MACHINES = 4;
const CLUSTER = { ...MACHINE, machines: MACHINES, points: ["load", "compute"] };
/** Requests that each point of a machine lets in at once: twice the cores. */
const SLOTS = 16;
/** Users with the most cpu time that are shown by themselves. */
const SHOWN = 4;

/** The trace as load on the cluster, and its users by what they ask for. */
function planOf(recording: Recording): { plan: Plan; classes: Class[] } {
  const { arrivals, tenants } = recording.workload;
  const memory = recording.numbers.mem_req;
  const atUs = paced(recording, SECONDS);
  const allCpu = sumOf(recording, "cost", arrivals.cost);
  const allKept = sumOf(recording, "mem_req", memory);
  const cpu = new Float64Array(tenants.length);
  const kept = new Float64Array(tenants.length);
  for (let k = 0; k < arrivals.count; k++) {
    cpu[arrivals.tenant[k]] += arrivals.cost[k];
    kept[arrivals.tenant[k]] += memory[k];
  }
  const usPerCost = (CPU_UTILISATION * MACHINES * CLUSTER.cores * SECONDS * SECOND_US) / allCpu;
  // Every task seeks at least once; what is left of the disks' time is for bytes.
  const bytesSec = Math.max(0, DISK_UTILISATION * MACHINES * SECONDS - (arrivals.count * CLUSTER.seekUs) / SECOND_US);
  const bytesPerKept = (bytesSec * CLUSTER.diskBytesPerSec) / allKept;
  const jobs: Job[] = [];
  for (let k = 0; k < arrivals.count; k++) {
    jobs.push({
      atUs: atUs[k],
      tenant: tenants[arrivals.tenant[k]],
      phases: [
        ...cut(memory[k] * bytesPerKept, PIECE, (diskBytes) => ({ point: "load", diskBytes })),
        ...cut(arrivals.cost[k] * usPerCost, SLICE_US, (cpuUs) => ({ point: "compute", cpuUs })),
      ],
    });
  }
  const small = tenants.filter((_, i) => cpu[i] * tenants.length < allCpu && kept[i] * tenants.length < allKept);
  const largest = [...tenants.keys()].sort((a, b) => cpu[b] - cpu[a]).slice(0, SHOWN);
  const shown = largest.map((i) => tenants[i]).filter((tenant) => !small.includes(tenant));
  const classes = [{ name: "small users", tenants: small }, ...shown.map((name) => ({ name, tenants: [name] }))];
  return { plan: { jobs, cluster: CLUSTER, atOnce: 1 }, classes: classes.filter(({ tenants }) => tenants.length > 0) };
}

const BOTTLENECK = { "bottleneck-fairness": { mode: "enforce" as const } };
const DOMINANT = { "bottleneck-fairness": { mode: "off" as const }, "dominant-resource-fairness": { mode: "enforce" as const } };
const SETTINGS: readonly {
  key: string;
  name: string;
  policies: Record<string, { mode: "off" | "observe" | "enforce" }>;
  slots?: number;
}[] = [
  { key: "without", name: "no policy", policies: { "bottleneck-fairness": { mode: "observe" } } },
  { key: "rates", name: "bottleneck fairness, no slots", policies: BOTTLENECK },
  { key: "bottleneck", name: "bottleneck fairness", policies: BOTTLENECK, slots: SLOTS },
  { key: "dominant", name: "dominant resource fairness", policies: DOMINANT, slots: SLOTS },
];

export const borg = defineScenario({
  name: NAME,
  title: "Four hours of a Google cluster's tasks, recorded: users who send thousands at once, and those who wait for them",
  replays: { file: "traces/google_borg_2011_tasks/tasks.csv.gz", columns: ["mem_req"] },
  run(options: ScenarioRun): Findings {
    const { plan, classes } = planOf(recordingOf(NAME, options));
    const runs = SETTINGS.map(({ name, policies, slots }, k): Run => {
      const onProgress = (fraction: number) => options.onProgress?.((k + fraction) / SETTINGS.length);
      const cluster = { ...plan.cluster, ...(slots === undefined ? {} : { slots }) };
      return { name, replayed: replay(options, { ...plan, cluster }, { policies }, onProgress) };
    });
    return findings(runs, classes);
  },
});

function findings(runs: readonly Run[], classes: readonly Class[]): Findings {
  const figures: Findings["figures"] = {};
  const [small] = classes;
  const [without, ...enforced] = runs.map(({ name, replayed }, k) => {
    const took = tookSec(replayed, small);
    const { disk, cpu } = replayed;
    const found = {
      smallSec: meanOf(took),
      smallP50Sec: quantileOf(took, 0.5),
      smallP99Sec: quantileOf(took, 0.99),
      diskUsed: usedWhileFull(disk),
      cpuUsed: usedWhileFull(cpu),
      diskJain: fairnessOf(disk),
      cpuJain: fairnessOf(cpu),
      endSec: replayed.endSec,
    };
    for (const [figure, value] of Object.entries(found)) figures[`${SETTINGS[k].key}: ${figure}`] = value;
    return { name, ...found };
  });
  return {
    figures,
    expectations: [
      ...nothingLost(runs),
      ...enforced.flatMap((run) => [
        atMost(`${run.name}: mean time of a small user's task / without a policy`, run.smallSec / without.smallSec, 0.5),
        atLeast(`${run.name}: Jain index of those who want more cpu (wished: 0.9)`, run.cpuJain, 0.7),
        atLeast(`${run.name}: part of the disks in use while somebody wants more (wished: 0.95)`, run.diskUsed, 0.8),
        atLeast(`${run.name}: part of the cores in use while somebody wants more (wished: 0.95)`, run.cpuUsed, 0.75),
        atMost(`${run.name}: when the last task is done / without a policy`, run.endSec / without.endSec, 1.05),
      ]),
    ],
    traceHash: hashOf(runs),
    summary: [
      `A task of a small user takes ${without.smallSec.toFixed(2)} s without a policy, ${enforced.map(({ name, smallSec }) => `${smallSec.toFixed(2)} s with ${name}`).join(", ")}.`,
      `While somebody wants more cpu, ${[without, ...enforced].map(({ cpuUsed }) => `${(100 * cpuUsed).toFixed(0)} %`).join(", ")} of the cores are in use.`,
    ],
    charts: [
      timesChart(runs, classes, "Who sends little no longer waits for who sends much"),
      overTimeChart(runs, small, "How long tasks of small users take, by when they come"),
    ],
    tables: [runsTable(runs, classes, ["disk", "cpu"])],
  };
}
