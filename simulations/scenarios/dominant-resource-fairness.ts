/**
 * Retro's figure 8: READ4M leans on the disks, LIST on the network, and both want all they can get. Dominant resource fairness
 * gives each the same part of what it leans on most; with weights 2 and 1, parts of 2 to 1. Then one leaves, and the other has all
 * of its resource again, which the published rule never gave back.
 *
 *   dominant share   READ4M: time in service at the disks, LIST: bytes sent; of what all disks or all links can do in the window
 *   expected         READ4M's reads also cross the network, k bytes there for each part of a disk. Of a network that is full:
 *                    k·d + l = 1 with d/w₁ = l/w₂. Published 60 : 60 and 80 : 40 fit k = 0.67 and 0.75.
 *
 * The workload has the paper's shape: 50 clients that read 4 MB, 5 that list. Numbers the paper does not give:
 *
 *   machines    8, each with a disk of 100 MB/s and a link of 1 Gbit/s. A read is a seek of 8 ms and eight chunks of 512 KiB, each of
 *               which passes the control point: 6.2 ms a chunk, a disk full of them moves 84 MB/s, which is k = 0.67 of a link.
 *   in flight   8 chunks read ahead per client of READ4M, 80 messages of 512 KiB under way per client of LIST.
 *
 * Phases: READ4M alone; both, the policy only observing; enforced with equal weights; with weights 2 and 1; LIST leaves; it
 * comes back; READ4M leaves. Steady figures are means over a phase without its first ten windows.
 */
import { meanOf, settledAfter } from "../measures.js";
import type { Chart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Expectation, type Findings, type ScenarioRun } from "../scenario.js";
import type { Load } from "../world/clients.js";
import { StorageCluster } from "../world/storage-cluster.js";
import { World } from "../world/world.js";

const SECOND_US = 1_000_000;
/** The paper gives one for its figure 5 only. */
const THRESHOLD = 25;
const MACHINES = 8;
const CHUNK = 512 * 1024;
const SEEK_US = 1_000;
const DISK_BYTES_PER_SEC = 100e6;
const LINK_BYTES_PER_SEC = 125e6;
/** k: what a disk full of READ4M's chunks sends, of what a link can. */
const CROSSING = CHUNK / (SEEK_US / 1e6 + CHUNK / DISK_BYTES_PER_SEC) / LINK_BYTES_PER_SEC;

/** Windows at which phases begin. */
const BOTH_AT = 10;
const SWITCH_AT = 20;
const WEIGHTS_AT = 45;
const LEFT_AT = 70;
const BACK_AT = 90;
const ALONE_AT = 115;
const END_AT = 135;
const SETTLING = 10;

const READ = { tenant: "READ4M", clients: 50 * MACHINES, work: { point: "read", diskBytes: CHUNK, linkBytes: CHUNK } };
const LIST = { tenant: "LIST", clients: 50 * MACHINES, work: { point: "list", linkBytes: CHUNK } };

export interface Setting {
  /** Of the policy. */
  params: Record<string, number>;
  /** Of the controller, µs. */
  windowUs: number;
}

export const dominantResourceFairness = defineScenario({
  name: "retro/dominant-resource-fairness",
  title: "One tenant leans on disks, one on the network: equal dominant shares, and all of it back when one leaves",
  policy: "dominant-resource-fairness",
  run: (options) => run(options),
});

/** The run itself, with settings of one's own for experiments. */
export function run(
  { onProgress, ...options }: ScenarioRun,
  { params = {}, windowUs = SECOND_US }: Partial<Setting> = {},
): Findings {
  const world = new World(options);
  const controller = world.startController({
    config: {
      windowUs,
      policies: {
        "bottleneck-fairness": { mode: "off" },
        "dominant-resource-fairness": { mode: "observe", params: { threshold: THRESHOLD, ...params } },
      },
    },
  });
  const cluster = new StorageCluster(world, {
    machines: MACHINES,
    seekUs: SEEK_US,
    diskBytesPerSec: DISK_BYTES_PER_SEC,
    linkBytesPerSec: LINK_BYTES_PER_SEC,
    cores: 8,
    points: ["read", "list"],
  });
  const at = (window: number, act: () => void) => world.clock.at(window * SECOND_US, act);
  cluster.of(READ.tenant);
  cluster.of(LIST.tenant);
  const read = cluster.ask(READ);
  let list: Load;
  at(BOTH_AT, () => {
    list = cluster.ask(LIST);
  });
  at(SWITCH_AT, () => controller.setPolicy("dominant-resource-fairness", { mode: "enforce" }));
  at(WEIGHTS_AT, () => controller.setTenant(READ.tenant, { weight: 2 }));
  at(LEFT_AT, () => list.stop());
  at(BACK_AT, () => cluster.ask(LIST));
  at(ALONE_AT, () => read.stop());
  world.run(END_AT * SECOND_US, (nowUs) => onProgress?.(nowUs / (END_AT * SECOND_US)));
  return findings(world, cluster);
}

/** Shares under weights, when the network is full: [READ4M, LIST]. */
function theory(weight: number): [number, number] {
  const level = 1 / (weight * CROSSING + 1);
  return [weight * level, level];
}

function findings(world: World, cluster: StorageCluster): Findings {
  const disk = cluster.of(READ.tenant).diskUs.values.map((us) => us / (MACHINES * SECOND_US));
  const list = cluster.of(LIST.tenant).linkBytes.values.map((bytes) => bytes / (MACHINES * LINK_BYTES_PER_SEC));
  const net = list.map((part, i) => part + cluster.of(READ.tenant).linkBytes.values[i] / (MACHINES * LINK_BYTES_PER_SEC));
  const phase = (values: readonly number[], from: number, to: number) => meanOf(values, from + SETTLING, to);
  const ratio = (weight: number, from: number, to: number) => phase(disk, from, to) / phase(list, from, to) / weight;
  const equal = ratio(1, SWITCH_AT, WEIGHTS_AT);
  const weighted = ratio(2, WEIGHTS_AT, LEFT_AT);
  const again = ratio(2, BACK_AT, ALONE_AT);
  const alone = meanOf(disk, 3, BOTH_AT);
  const readBack = firstAtLeast(disk, LEFT_AT, 0.95 * alone);
  const listBack = firstAtLeast(list, ALONE_AT, 0.95);
  const settle = (weight: number, from: number, to: number) =>
    settledAfter(
      disk.slice(0, to).map((part, i) => part / list[i] / weight),
      from,
      (value) => value >= 0.9 && value <= 1.1,
    );
  const figures: Findings["figures"] = {
    readUnpoliced: meanOf(disk, BOTH_AT + 3, SWITCH_AT),
    listUnpoliced: meanOf(list, BOTH_AT + 3, SWITCH_AT),
    readEqual: phase(disk, SWITCH_AT, WEIGHTS_AT),
    listEqual: phase(list, SWITCH_AT, WEIGHTS_AT),
    readWeighted: phase(disk, WEIGHTS_AT, LEFT_AT),
    listWeighted: phase(list, WEIGHTS_AT, LEFT_AT),
    ratioEqual: equal,
    ratioWeighted: weighted,
    ratioAgain: again,
    networkEqual: phase(net, SWITCH_AT, WEIGHTS_AT),
    networkWeighted: phase(net, WEIGHTS_AT, LEFT_AT),
    settledEqualWindows: settle(1, SWITCH_AT, WEIGHTS_AT),
    settledWeightedWindows: settle(2, WEIGHTS_AT, LEFT_AT),
    settledAgainWindows: settle(2, BACK_AT, ALONE_AT),
    readAlone: alone,
    readBackWindows: readBack,
    readBackPart: phase(disk, LEFT_AT, BACK_AT) / alone,
    listBackWindows: listBack,
    listBackPart: phase(list, ALONE_AT, END_AT),
    events: world.clock.events,
  };
  const expectations: Expectation[] = [
    ...between("dominant shares, READ4M / LIST, weights 1 : 1", equal),
    ...between("dominant shares, READ4M / LIST / 2, weights 2 : 1", weighted),
    ...between("dominant shares, READ4M / LIST / 2, LIST back", again),
    atLeast("part of the network in use, weights 1 : 1 (wished: 0.95)", figures.networkEqual as number, 0.94),
    atLeast("part of the network in use, weights 2 : 1 (wished: 0.95)", figures.networkWeighted as number, 0.94),
    atMost("windows until READ4M has 95 % of what it had alone, when LIST leaves", readBack, 10),
    atMost("windows until LIST has 95 % of the network, when READ4M leaves", listBack, 10),
    atLeast("READ4M alone again, part of what it had alone (wanted: 0.95)", figures.readBackPart as number, 0.92),
    atLeast("LIST alone, part of the network (wanted: 0.95)", figures.listBackPart as number, 0.9),
  ];
  return { figures, expectations, traceHash: world.trace.hash, summary: summary(figures), charts: charts(disk, list) };
}

/** Windows after `from` until the first that reaches `bound` is over; Infinity: none does. */
function firstAtLeast(values: readonly number[], from: number, bound: number): number {
  const at = values.findIndex((value, i) => i >= from && value >= bound);
  return at < 0 ? Number.POSITIVE_INFINITY : at + 1 - from;
}

/** Within 5 % of 1, as two expectations. */
function between(name: string, value: number): Expectation[] {
  return [atLeast(name, value, 0.95), atMost(name, value, 1.05)];
}

function summary(figures: Findings["figures"]): string[] {
  const percent = (name: string) => `${(100 * Number(figures[name])).toFixed(0)} %`;
  return [
    `Without a policy READ4M has ${percent("readUnpoliced")} of the disks and LIST ${percent("listUnpoliced")} of the network.`,
    `With dominant resource fairness they have ${percent("readEqual")} and ${percent("listEqual")} (published: 60 % and 60 %), with weights 2 and 1 ${percent("readWeighted")} and ${percent("listWeighted")} (published: 80 % and 40 %).`,
    `When LIST leaves, READ4M has 95 % of what it had alone again after ${figures.readBackWindows} windows; when READ4M leaves, LIST after ${figures.listBackWindows}. By the published rule neither would ever be.`,
  ];
}

function charts(disk: readonly number[], list: readonly number[]): Chart[] {
  const points = (values: readonly number[]) => values.map((value, i) => ({ x: i + 1, y: 100 * value }));
  const published = (name: string, equal: number, weighted: number) => ({
    name: `${name} (published)`,
    points: [
      { x: SWITCH_AT + 1, y: equal },
      { x: WEIGHTS_AT, y: equal },
      { x: WEIGHTS_AT, y: weighted },
      { x: LEFT_AT, y: weighted },
    ],
  });
  return [
    {
      title: "Dominant shares come together, follow the weights, and are given back",
      caption:
        "READ4M: part of what the disks can do; LIST: part of what the links can; windows of 1 s. Published levels are those of the paper's figure 8.",
      xLabel: "time (s)",
      yLabel: "dominant share (%)",
      bands: [
        { fromX: 0, toX: BOTH_AT, label: "READ4M alone" },
        { fromX: BOTH_AT, toX: SWITCH_AT, label: "no policy" },
        { fromX: SWITCH_AT, toX: WEIGHTS_AT, label: "weights 1 : 1" },
        { fromX: WEIGHTS_AT, toX: LEFT_AT, label: "weights 2 : 1" },
        { fromX: LEFT_AT, toX: BACK_AT, label: "LIST left" },
        { fromX: BACK_AT, toX: ALONE_AT, label: "LIST back" },
        { fromX: ALONE_AT, toX: END_AT, label: "READ4M left" },
      ],
      series: [
        { name: "READ4M", points: points(disk) },
        { name: "LIST", points: points(list) },
        published("READ4M", 60, 80),
        published("LIST", 60, 40),
      ],
      lines: [
        { y: 100 * theory(1)[0], label: "all there is, shared 1 : 1" },
        ...theory(2).map((share) => ({ y: 100 * share, label: "shared 2 : 1" })),
      ],
    },
  ];
}
