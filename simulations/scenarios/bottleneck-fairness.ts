/**
 * Retro's figure 5: three heavy tenants meet on the disks of 32 machines, two light ones suffer or do not care. Bottleneck fairness
 * with T = 25 is switched on in mid-run: the heavies come to equal shares, the disks are slowed down 25 times instead of 60,
 * and nobody else is touched.
 *
 * The workload has the paper's shape: its tenants, its numbers of clients, chunked requests that pass a control point per chunk
 * (HDFS moves packets, HBase blocks; a 64 MB request that passed once would be beyond reach for 20 s). Numbers the
 * paper does not give:
 *
 *   disk       8 ms mean seek, 100 MB/s: a 7,200 rpm disk of its day. A 512 KiB chunk takes 13.2 ms, a disk full of them moves
 *              40 MB/s, 32 disks 1,270 MB/s: with the paper's interleaved small packets it was ~900, three heavies at ~300.
 *   in flight  A slowdown of 60 means that about 60 operations stand at a disk, hence 1,960 chunks in flight over 32 disks:
 *              SORT 30 streams on each machine (map and reduce slots of that day), RW64MB 6 chunks ahead per client,
 *              SCAN 4 (HDFS and HBase both pipeline). That is also why they get 49 : 31 : 20 without a policy.
 *   placement  SORT works on its own machine's disk; the others' chunks lie anywhere, evenly.
 *   light      READ8KB reads a random 8 kB, then thinks 100 ms; SCAN-CACHED computes 2 ms and sends 256 KiB from memory
 *              through the same control point as SCAN, thinks 20 ms.
 *
 * How each figure is measured, over windows of 1 s of the world's clock, by the simulation itself and not by what is judged:
 *
 *   share        time a tenant's operations were in service at the disks, of that of the three heavies
 *   slowdown     Σ(wait + service) / Σ service of the disk operations that ended in the window, all disks together
 *   demand       of the light: requests they would have made had the throttle never held one of them back. A closed loop that
 *                spent the part h of its time held back made 1−h of its demand: got/demand = Σ(cycle − held) / Σ cycle
 *   settled      windows from the switch to the end of the last one that was not fair (Jain < 0.98) or not calm (slowdown
 *                above 1.4 T); the whole run must stay good after it
 *   before/after the last 20 windows before the switch; all from 10 windows after it to the end
 */

import { jainIndex, meanOf, quantileOf, settledAfter } from "../measures.js";
import type { Chart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Findings, type ScenarioRun } from "../scenario.js";
import { pick } from "../world/chance.js";
import { closedLoop } from "../world/clients.js";
import { Recorder, type Tally } from "../world/recorder.js";
import { StorageNode, type Work } from "../world/storage-node.js";
import { World } from "../world/world.js";

const THRESHOLD = 25;
const SECOND_US = 1_000_000;
/** Windows at which phases begin: lights alone, then the flood, then the policy. */
const FLOOD_AT = 5;
const SWITCH_AT = 30;
const END_AT = 80;
/** How long after the switch the run must look as it shall stay. */
const SETTLING = 10;
const BEFORE = 20;

/** What may be varied to see how far the claim carries: the number of machines, and how fast their disks turn over. */
export interface Shape {
  nodes: number;
  /** Of the heavies' requests. */
  chunkBytes: number;
  seekUs: number;
  /** Overrides of the policy's parameters. */
  params: Record<string, number>;
}

/** The paper's. */
export const PUBLISHED: Shape = { nodes: 32, chunkBytes: 512 * 1024, seekUs: 8_000, params: {} };

interface TenantPlan {
  name: string;
  heavy: boolean;
  clients: number;
  thinkUs: number;
  work: Work;
  /** Where the client's next request goes; absent: to a random node. */
  home?: (client: number) => number;
}

/** The paper's tenants; their clients are as many per machine whatever the number of machines. */
function tenantsOf({ nodes, chunkBytes }: Shape): TenantPlan[] {
  const clients = (published: number) => Math.round((published * nodes) / PUBLISHED.nodes);
  const chunk = { diskBytes: chunkBytes };
  return [
    {
      name: "SORT",
      heavy: true,
      clients: 30 * nodes,
      thinkUs: 0,
      work: { point: "transfer", ...chunk, cpuUs: 1_000 },
      home: (client) => client % nodes,
    },
    {
      name: "RW64MB",
      heavy: true,
      clients: clients(6 * 100),
      thinkUs: 0,
      work: { point: "transfer", ...chunk, linkBytes: chunkBytes },
    },
    {
      name: "SCAN",
      heavy: true,
      clients: clients(4 * 100),
      thinkUs: 0,
      work: { point: "scan", ...chunk, cpuUs: 500, linkBytes: chunkBytes },
    },
    {
      name: "READ8KB",
      heavy: false,
      clients: clients(32),
      thinkUs: 100_000,
      work: { point: "transfer", diskBytes: 8_192, linkBytes: 8_192 },
    },
    {
      name: "SCAN-CACHED",
      heavy: false,
      clients: clients(32),
      thinkUs: 20_000,
      work: { point: "scan", cpuUs: 2_000, linkBytes: 256 * 1024 },
    },
  ];
}

/** What is counted per tenant and window. */
interface Counts {
  requests: Tally;
  bytes: Tally;
  /** Time in service at disks, µs. */
  diskUs: Tally;
  heldUs: Tally;
  refused: Tally;
}

export const bottleneckFairness = defineScenario({
  name: "retro/bottleneck-fairness",
  title: "Three floods meet on the disks of 32 machines, and are brought to equal shares",
  policy: "bottleneck-fairness",
  run: (options) => run(options),
});

/** The run itself, in a shape of one's own for experiments. */
export function run({ onProgress, ...options }: ScenarioRun, shape: Partial<Shape> = {}): Findings {
  const complete = { ...PUBLISHED, ...shape };
  const { nodes: nodeCount, seekUs, params } = complete;
  const tenants = tenantsOf(complete);
  const world = new World(options);
  const recorder = new Recorder(world.clock, world.trace);
  const counts = new Map<string, Counts>();
  for (const { name } of tenants) {
    const tally = () => recorder.tally();
    counts.set(name, { requests: tally(), bytes: tally(), diskUs: tally(), heldUs: tally(), refused: tally() });
  }
  const disk = { spentUs: recorder.tally(), servedUs: recorder.tally() };
  const policy = { "bottleneck-fairness": { mode: "observe" as const, params: { threshold: THRESHOLD, ...params } } };
  const controller = world.startController({ config: { policies: policy } });
  const nodes = Array.from({ length: nodeCount }, (_, i) => {
    return new StorageNode(world, `node-${i + 1}`, {
      seekUs,
      diskBytesPerSec: 100e6,
      linkBytesPerSec: 1.25e9,
      cores: 8,
      points: ["transfer", "scan"],
      onDisk: (tenant, waitUs, serviceUs) => {
        counts.get(tenant)!.diskUs.add(serviceUs);
        disk.spentUs.add(waitUs + serviceUs);
        disk.servedUs.add(serviceUs);
      },
    });
  });
  for (const plan of tenants) {
    const start = () => launch(world, plan, nodes, counts.get(plan.name)!);
    if (plan.heavy) world.clock.at(FLOOD_AT * SECOND_US, start);
    else start();
  }
  world.clock.at(SWITCH_AT * SECOND_US, () => {
    controller.setPolicy("bottleneck-fairness", { mode: "enforce" });
  });
  const endUs = END_AT * SECOND_US;
  world.run(endUs, (nowUs) => onProgress?.(nowUs / endUs));
  return findings(world, { tenants, counts, disk, nodeCount });
}

function launch(world: World, plan: TenantPlan, nodes: readonly StorageNode[], counts: Counts): void {
  const chance = world.chance(`clients/${plan.name}`);
  const { name, work } = plan;
  const bytes = work.diskBytes ?? work.linkBytes ?? 0;
  closedLoop({
    clock: world.clock,
    chance,
    clients: plan.clients,
    thinkUs: plan.thinkUs,
    ask: (client, done) => {
      const node = nodes[plan.home === undefined ? pick(chance, nodes.length) : plan.home(client)];
      node.serve(name, work, (heldUs, refused) => {
        counts.heldUs.add(heldUs);
        if (refused) counts.refused.add(1);
        else {
          counts.requests.add(1);
          counts.bytes.add(bytes);
        }
        done();
      });
    },
  });
}

/** What was recorded. */
interface Records {
  tenants: readonly TenantPlan[];
  counts: Map<string, Counts>;
  disk: { spentUs: Tally; servedUs: Tally };
  nodeCount: number;
}

function findings(world: World, { tenants, counts, disk, nodeCount }: Records): Findings {
  const of = (name: string) => counts.get(name)!;
  const heavies = tenants.filter((tenant) => tenant.heavy);
  const lights = tenants.filter((tenant) => !tenant.heavy);
  const slowdown = disk.spentUs.values.map((spentUs, i) => spentUs / disk.servedUs.values[i]);
  const jain = disk.servedUs.values.map((_, i) => jainIndex(heavies.map(({ name }) => of(name).diskUs.values[i])));
  const from = SWITCH_AT + SETTLING;
  const before = (values: readonly number[]) => meanOf(values, SWITCH_AT - BEFORE, SWITCH_AT);
  const after = (values: readonly number[]) => meanOf(values, from);

  const diskBytes = slowdown.map((_, i) => {
    return tenants.reduce((sum, { name, work }) => sum + (work.diskBytes === undefined ? 0 : of(name).bytes.values[i]), 0);
  });
  const settled = settledAfter(
    slowdown.map((value, i) => (jain[i] >= 0.98 && value <= 1.4 * THRESHOLD ? 1 : 0)),
    SWITCH_AT,
    (good) => good === 1,
  );
  const demandMet = lights.map(({ name, clients }) => 1 - after(of(name).heldUs.values) / (clients * SECOND_US));
  const against = lights.map(({ name }) => after(of(name).requests.values) / before(of(name).requests.values));
  const loss = 1 - after(diskBytes) / before(diskBytes);
  const jainAfter = jainIndex(heavies.map(({ name }) => after(of(name).diskUs.values)));
  const jainBytes = jainIndex(heavies.map(({ name }) => after(of(name).bytes.values)));
  const slowdownBefore = before(slowdown);
  const slowdownAfter = after(slowdown);
  const megabytes = (name: string) => of(name).bytes.values.map((value) => value / 1e6);

  const figures: Findings["figures"] = {
    jainBefore: jainIndex(heavies.map(({ name }) => before(of(name).diskUs.values))),
    jain: jainAfter,
    jainBytes,
    jainWorstWindow: Math.min(...jain.slice(from)),
    slowdownBefore,
    slowdown: slowdownAfter,
    slowdownP5: quantileOf(slowdown.slice(from), 0.05),
    slowdownP95: quantileOf(slowdown.slice(from), 0.95),
    aggregateBeforeMBPerSec: before(diskBytes) / 1e6,
    aggregateMBPerSec: after(diskBytes) / 1e6,
    aggregateLoss: loss,
    utilisationBefore: before(disk.servedUs.values) / (nodeCount * SECOND_US),
    utilisation: after(disk.servedUs.values) / (nodeCount * SECOND_US),
    settledWindows: settled,
    refused: tenants.reduce((sum, { name }) => sum + of(name).refused.values.reduce((a, b) => a + b, 0), 0),
    events: world.clock.events,
    messages: world.network.delivered,
  };
  tenants.forEach(({ name, heavy }) => {
    const key = name.toLowerCase().replace("-c", "C");
    if (heavy) {
      figures[`${key}BeforeMBPerSec`] = before(megabytes(name));
      figures[`${key}MBPerSec`] = after(megabytes(name));
    } else {
      figures[`${key}AlonePerSec`] = meanOf(of(name).requests.values, 2, FLOOD_AT);
      figures[`${key}BeforePerSec`] = before(of(name).requests.values);
      figures[`${key}PerSec`] = after(of(name).requests.values);
    }
  });

  const expectations = [
    atLeast("Jain index of the heavies' disk time", jainAfter, 0.99),
    atLeast("Jain index of the heavies' bytes", jainBytes, 0.99),
    ...lights.map(({ name }, i) => atLeast(`${name}: part of its demand it gets`, demandMet[i], 0.95)),
    ...lights.map(({ name }, i) => atLeast(`${name}: requests per second, after / before`, against[i], 0.95)),
    atMost("loss of all disk throughput", loss, 0.05),
    atMost("windows until settled", settled, 5),
    atLeast("disk slowdown before", slowdownBefore, 50),
    atMost("disk slowdown after", slowdownAfter, 1.2 * THRESHOLD),
  ];
  return {
    figures,
    expectations,
    traceHash: world.trace.hash,
    summary: summary(figures, demandMet),
    charts: charts(tenants, counts, slowdown, jain),
  };
}

function summary(figures: Findings["figures"], demandMet: readonly number[]): string[] {
  const f = (name: string, digits = 0) => Number(figures[name]).toFixed(digits);
  return [
    `Without a policy SORT, RW64MB and SCAN get ${f("sortBeforeMBPerSec")}, ${f("rw64mbBeforeMBPerSec")} and ${f("scanBeforeMBPerSec")} MB/s, as they have requests in flight, and the disks are slowed down ${f("slowdownBefore")} times.`,
    `${f("settledWindows")} windows after bottleneck fairness (T = ${THRESHOLD}) is switched on they get ${f("sortMBPerSec")}, ${f("rw64mbMBPerSec")} and ${f("scanMBPerSec")} MB/s (Jain index ${f("jain", 4)}), and the disks are slowed down ${f("slowdown")} times; all together they move ${Math.abs(100 * Number(figures.aggregateLoss)).toFixed(1)} % ${Number(figures.aggregateLoss) > 0 ? "less" : "more"}.`,
    `READ8KB goes from ${f("read8kbBeforePerSec")} to ${f("read8kbPerSec")} requests/s, SCAN-CACHED from ${f("scanCachedBeforePerSec")} to ${f("scanCachedPerSec")}; they get ${demandMet.map((part) => `${(100 * part).toFixed(1)} %`).join(" and ")} of what they ask for.`,
  ];
}

function charts(
  tenants: readonly TenantPlan[],
  counts: Map<string, Counts>,
  slowdown: readonly number[],
  jain: readonly number[],
): Chart[] {
  const bands = [
    { fromX: 0, toX: FLOOD_AT, label: "light only" },
    { fromX: FLOOD_AT, toX: SWITCH_AT, label: "flood, policy observes" },
    { fromX: SWITCH_AT, toX: END_AT, label: "policy enforced" },
  ];
  // A window is drawn at its end, when it is known.
  const points = (values: readonly number[], scale = 1) => values.map((value, i) => ({ x: i + 1, y: value / scale }));
  const of = (name: string) => counts.get(name)!;
  const heavies = tenants.filter((tenant) => tenant.heavy);
  const lights = tenants.filter((tenant) => !tenant.heavy);
  const common = { xLabel: "time (s)", bands };
  return [
    {
      title: "The heavies come to equal shares",
      caption: "Disk throughput of each heavy tenant over all 32 machines, by windows of 1 s.",
      ...common,
      yLabel: "throughput (MB/s)",
      series: heavies.map(({ name }) => ({ name, points: points(of(name).bytes.values, 1e6) })),
    },
    {
      title: "The disks are slowed down to the threshold and no further",
      caption: "(wait + service) / service of the disk operations that ended in each window, all disks together.",
      ...common,
      yLabel: "slowdown",
      yScale: "log",
      lines: [{ y: THRESHOLD, label: `T = ${THRESHOLD}` }],
      series: [{ name: "disk", points: points(slowdown) }],
    },
    {
      title: "The light tenants are left alone",
      caption: "Requests answered per second. SCAN-CACHED enters by the control point SCAN enters by, but uses no disk.",
      ...common,
      yLabel: "requests per second",
      yScale: "log",
      series: lights.map(({ name }) => ({ name, points: points(of(name).requests.values) })),
    },
    {
      title: "How fair each window was",
      caption: "Jain's index of the heavies' time in service at the disks: 1 is equal, 1/3 is one alone.",
      ...common,
      yLabel: "Jain index",
      series: [{ name: "heavies", points: points(jain) }],
    },
    {
      title: "Who was held back",
      caption: "Requests of each tenant held back by the throttle, on average over the window.",
      ...common,
      yLabel: "requests held back",
      series: tenants.map(({ name }) => ({ name, points: points(of(name).heldUs.values, SECOND_US) })),
    },
  ];
}
