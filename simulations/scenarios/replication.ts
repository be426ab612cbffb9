/**
 * Retro's figure 7, left: clients read 8 kB at a time with an objective of 100 ms; a machine is lost, and its blocks are copied
 * anew from disk to disk as fast as anybody can. Latency SLO is in force all along: the storm is held to what reads can bear.
 *
 * The workload has the paper's shape. Numbers the paper does not give:
 *
 *   machines    8 data nodes, each with a disk (4 ms mean seek, 100 MB/s) and a link of 1.25 GB/s
 *   reads       400 a second over all, at any moment alike, of a random block on a random machine: a fifth of each disk's time
 *   storm       240 copies at a time from machine to machine, in chunks of 256 kB: read there, sent, written here. 60 operations
 *               stand at each disk, so a read takes four times what it may. A chunk passes a control point where it is read.
 *   scrub       a tenant with no target that is no culprit either: 16 readers of 64 kB that pause 200 ms
 *
 * How each figure is measured, over windows of 1 s, as the clients see it:
 *
 *   in time     windows whose 99th percentile is at most the target
 *   violation   windows from the storm's begin to the first that is in time, and of all that follow at least 95 %
 *   overshoot   the slowest window after that, against the target
 *   best fixed  chunks per second under the largest fixed limit with 95 % of windows in time, found by halving
 */
import { meanOf } from "../measures.js";
import type { Chart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Findings, type ScenarioRun } from "../scenario.js";
import { pick } from "../world/chance.js";
import { at, inOrder, type Leg, sending, through, transferring } from "../world/journey.js";
import { Recorder } from "../world/recorder.js";
import { ServiceNode } from "../world/service-node.js";
import { type Asking, SimulatedTenant } from "../world/tenants.js";
import { World, type WorldOptions } from "../world/world.js";
import { bestLimit, type ObjectivePlan, p99sUs, partInTime, windowsUntilInTime } from "./objectives.js";

const SECOND_US = 1_000_000;
const TARGET_US = 100_000;
const MACHINES = 8;
const CHUNK = 256 * 1024;
const SCRUBBERS = 16;
/** Windows at which phases begin. */
const STORM_AT = 10;
const END_AT = 90;
/** Of the run in which the policy only observes. */
const OBSERVED_END_AT = 30;
/** Of runs under a fixed limit. */
const FIXED = { stormAt: 0, from: 15, endAt: 75 };
/**
 * Held of the best fixed limit; the aim is 0.9. Reads' percentile is noisy, one that is late is answered at once and one that is early
 * slowly, so copies settle a little below: with a margin of 0.7 they have 0.92 on average, and lookups of retro/latency-slo miss.
 */
const HELD = 0.8;
/** As read off the paper's figure: how long reads were late, and how far from the target they stayed. */
const PUBLISHED = { violationSec: 70, swing: 0.15 };

interface Plan extends ObjectivePlan {
  stormAt: number;
  endAt: number;
  mode: "observe" | "enforce";
  /** A fixed limit on chunks copied per second. */
  copyCap?: number;
}

export const replication = defineScenario({
  name: "retro/replication",
  title: "Lost blocks are copied anew, and readers keep their 100 ms",
  policy: "latency-slo",
  run: ({ onProgress, quick = false, ...options }) => {
    const part = quick ? 0.75 : 0.4;
    const run = simulate({
      ...options,
      stormAt: STORM_AT,
      endAt: END_AT,
      mode: "enforce",
      onProgress: (nowUs) => onProgress?.((part * nowUs) / (END_AT * SECOND_US)),
    });
    const without = simulate({ ...options, stormAt: STORM_AT, endAt: OBSERVED_END_AT, mode: "observe" });
    const best = quick ? undefined : bestFixed(options, onProgress);
    onProgress?.(1);
    return findings(run, without, best);
  },
});

type Run = ReturnType<typeof simulate>;

/** The run itself, with the policy, without it, or under a fixed limit. */
export function simulate({ stormAt, endAt, mode, copyCap, params = {}, onProgress, ...options }: Plan) {
  const world = new World(options);
  const recorder = new Recorder(world.clock, world.trace);
  world.startController({
    config: {
      policies: {
        "bottleneck-fairness": { mode: "off" },
        "latency-slo": { mode, params },
        "caps-and-guarantees": { mode: "enforce" },
      },
      tenants: {
        reads: { p99TargetUs: TARGET_US },
        ...(copyCap === undefined ? {} : { copies: { caps: { "datanode/copy": copyCap } } }),
      },
    },
  });
  const nodes = Array.from({ length: MACHINES }, (_, i) => {
    const node = new ServiceNode(world, "datanode", `datanode-${i + 1}`);
    const disk = node.disk("disk", { seekUs: 4_000, bytesPerSec: 100e6 });
    return { node, disk, link: node.link("link", 1.25e9) };
  });
  const tenant = (name: string, asking: Asking, legs: readonly Leg[]) => {
    const chance = world.chance(`placement/${name}`);
    return new SimulatedTenant(world, recorder, {
      name,
      asking,
      request: () => {
        const i = pick(chance, MACHINES);
        return { node: nodes[i].node, leg: legs[i] };
      },
    });
  };
  const reading = (point: string, bytes: number) =>
    nodes.map(({ node, disk, link }) => through(node.point(point), inOrder(transferring(disk, bytes), sending(link, bytes))));
  const chance = world.chance("targets");
  const copying = nodes.map(({ node, disk, link }, from) => {
    const written = nodes.map((to) => at(to.node, transferring(to.disk, CHUNK)));
    // Never to itself.
    const elsewhere: Leg = (visit, done) => written[(from + 1 + pick(chance, MACHINES - 1)) % MACHINES](visit, done);
    return through(node.point("copy"), inOrder(transferring(disk, CHUNK), sending(link, CHUNK), elsewhere));
  });
  const reads = tenant("reads", { ratePerSec: 400 }, reading("read", 8_192));
  const scrub = tenant("scrub", { clients: SCRUBBERS, thinkUs: 200_000 }, reading("scrub", 65_536));
  const copies = tenant("copies", { clients: 480 }, copying);
  reads.start();
  scrub.start();
  world.clock.at(stormAt * SECOND_US, () => copies.start());
  world.run(endAt * SECOND_US, onProgress);
  return { world, reads, scrub, copies };
}

/** Chunks per second under the best fixed limit. */
function bestFixed(options: WorldOptions, onProgress: ScenarioRun["onProgress"]): number {
  const limits = Array.from({ length: 15 }, (_, i) => 260 + 15 * i);
  let runs = 0;
  const best = bestLimit(limits, (copyCap) => {
    const { stormAt, from, endAt } = FIXED;
    const { reads, copies } = simulate({ ...options, stormAt, endAt, mode: "observe", copyCap });
    onProgress?.(Math.min(1, 0.5 + ++runs / 8));
    return partInTime(p99sUs(reads), TARGET_US, from) >= 0.95 ? meanOf(copies.requests.values, from) : undefined;
  });
  return best?.found ?? 0;
}

function findings({ world, reads, scrub, copies }: Run, without: Run, bestFixedPerSec: number | undefined): Findings {
  const p99s = p99sUs(reads);
  const withoutP99s = p99sUs(without.reads);
  const violation = windowsUntilInTime(p99s, { target: TARGET_US, from: STORM_AT });
  const from = STORM_AT + Math.max(violation, 10);
  const inTime = partInTime(p99s, TARGET_US, from);
  const perSec = meanOf(copies.requests.values, from);
  const scrubMet = 1 - meanOf(scrub.heldUs.values, STORM_AT) / (SCRUBBERS * SECOND_US);
  const figures = {
    p99CalmMs: meanOf(p99s, 2, STORM_AT) / 1e3,
    p99WithoutMs: meanOf(withoutP99s, OBSERVED_END_AT - 10) / 1e3,
    p99Ms: meanOf(p99s, from) / 1e3,
    overshoot: Math.max(...p99s.slice(from)) / TARGET_US,
    violationWindows: violation,
    windowsInTime: inTime,
    copiesWithoutPerSec: meanOf(without.copies.requests.values, OBSERVED_END_AT - 10),
    copiesPerSec: perSec,
    ...(bestFixedPerSec === undefined ? {} : { copiesBestFixedPerSec: bestFixedPerSec }),
    scrubCalmPerSec: meanOf(scrub.requests.values, 2, STORM_AT),
    scrubPerSec: meanOf(scrub.requests.values, from),
    scrubDemandMet: scrubMet,
    events: world.clock.events,
  };
  const f = (value: number, digits = 0) => value.toFixed(digits);
  return {
    figures,
    expectations: [
      atLeast("reads' 99th percentile without the policy, against its target", (figures.p99WithoutMs * 1e3) / TARGET_US, 3),
      atMost("windows until reads are in time", violation, 10),
      atMost("slowest window after that, against the target", figures.overshoot, 1.2),
      atLeast("part of the windows that are in time", inTime, 0.95),
      ...(bestFixedPerSec === undefined
        ? []
        : [atLeast("chunks copied, against the best fixed limit (aimed at: 0.9)", perSec / bestFixedPerSec, HELD)]),
      atLeast("scrub: part of its demand it gets", scrubMet, 0.99),
    ],
    traceHash: world.trace.hash,
    summary: [
      `Without the policy, the storm makes 99 of 100 reads take up to ${f(figures.p99WithoutMs)} ms; the target is ${TARGET_US / 1e3} ms, and in calm they take ${f(figures.p99CalmMs)}.`,
      `With it they are in time ${violation} windows after the storm begins, and then in ${f(100 * inTime)} % of windows; the slowest is at ${f(figures.overshoot, 2)} of the target. The paper's reads were late for about ${PUBLISHED.violationSec} s.`,
      `${f(perSec)} chunks a second are copied meanwhile${bestFixedPerSec === undefined ? "" : `; the best fixed limit, known beforehand, lets ${f(bestFixedPerSec)} through`}; without a limit it is ${f(figures.copiesWithoutPerSec)}. Scrubbing is not held back.`,
    ],
    charts: charts(p99s, withoutP99s, { copies, scrub }, bestFixedPerSec),
  };
}

function charts(
  p99s: number[],
  withoutP99s: number[],
  { copies, scrub }: { copies: SimulatedTenant; scrub: SimulatedTenant },
  bestFixedPerSec: number | undefined,
): Chart[] {
  const bands = [
    { fromX: 0, toX: STORM_AT, label: "calm" },
    { fromX: STORM_AT, toX: END_AT, label: "blocks are copied, policy enforced" },
  ];
  const points = (values: readonly number[], scale = 1) => values.map((value, i) => ({ x: i + 1, y: value / scale }));
  const target = TARGET_US / 1e3;
  const common = { xLabel: "time (s)", bands };
  return [
    {
      title: "Readers are in time again at once",
      caption:
        "99th percentile of each window, as clients see it. Published: late for about 70 s (by how much is not told), then within 15 % of the target.",
      ...common,
      yLabel: "latency, 99th percentile (ms)",
      yScale: "log",
      lines: [
        { y: target, label: "target 100 ms" },
        { y: target * (1 + PUBLISHED.swing), label: "published, after 70 s: up to 115 ms" },
      ],
      series: [
        { name: "reads", points: points(p99s, 1e3) },
        { name: "without the policy", points: points(withoutP99s, 1e3) },
      ],
    },
    {
      title: "Copying goes on at what the readers can bear",
      caption: "Requests answered per second: chunks of 256 kB copied, and reads of a tenant that is no culprit.",
      ...common,
      yLabel: "requests per second",
      lines: bestFixedPerSec === undefined ? [] : [{ y: bestFixedPerSec, label: "best fixed limit" }],
      series: [
        { name: "copies", points: points(copies.requests.values) },
        { name: "scrub", points: points(scrub.requests.values) },
      ],
    },
  ];
}
