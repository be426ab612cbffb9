/**
 * Tenants that try to have more than their share under bottleneck fairness at its defaults: one that games the estimator, one that
 * splits into many, one that hardly lets go of a lock. Each meets an honest flood on four machines; half of the time the policy
 * only observes, then it is enforced. What is expected is what holds, and where that is less than one would wish, the wish is named.
 *
 *   estimator   Rates follow from what a tenant's requests used of late. So it sends requests that cost six times as much in every
 *               other second, just as they have been taken for cheap ones.
 *   many names  Fairness is between names. Ten names have ten shares, unless the operator divides one weight among them, or the
 *               bound on names is below theirs: those beyond it share one place.
 *   lock        Two clients hold the only lock for three seconds at a time, others need it for 5 ms. Nothing can take it away; but it
 *               is seen who holds it, in every window, and how often it may come again is limited. Not to its share: rates are reckoned
 *               from requests per window, and of requests that last three windows that is partly luck.
 */
import type { ControllerConfig } from "../../controller/index.js";
import { meanOf } from "../measures.js";
import type { Chart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Expectation, type Findings, type ScenarioRun } from "../scenario.js";
import { MACHINE, StorageCluster } from "../world/storage-cluster.js";
import { World } from "../world/world.js";

const SECOND_US = 1_000_000;
const MACHINES = 4;
const CHUNK = 512 * 1024;
const SWITCH_AT = 15;
const SETTLED_AT = 25;
const END_AT = 65;
const CLIENTS = 40 * MACHINES;
const HONEST = "honest";
const NAMES = 10;

interface Cell {
  world: World;
  cluster: StorageCluster;
}

function begin(options: ScenarioRun, { cores, config }: { cores: number; config: Partial<ControllerConfig> }): Cell {
  const world = new World(options);
  const controller = world.startController({ config: { ...config, policies: { "bottleneck-fairness": { mode: "observe" } } } });
  const cluster = new StorageCluster(world, {
    machines: MACHINES,
    ...MACHINE,
    cores,
    points: ["honest", "other"],
  });
  world.clock.at(SWITCH_AT * SECOND_US, () => controller.setPolicy("bottleneck-fairness", { mode: "enforce" }));
  return { world, cluster };
}

function flood(cluster: StorageCluster): void {
  cluster.ask({ tenant: HONEST, clients: CLIENTS, work: { point: "honest", diskBytes: CHUNK } });
}

/** Part of the disks' time these tenants have, by window. */
function part(cluster: StorageCluster, tenants: readonly string[]): number[] {
  return cluster.disk.servedUs.values.map((_, i) => {
    const theirs = tenants.reduce((sum, tenant) => sum + cluster.of(tenant).diskUs.values[i], 0);
    return theirs / (MACHINES * SECOND_US);
  });
}

function finish({ world }: Cell, { onProgress }: ScenarioRun): void {
  world.run(END_AT * SECOND_US, (nowUs) => onProgress?.(nowUs / (END_AT * SECOND_US)));
}

/** The adversary's part and the honest one's, after the policy has settled. */
function outcome(world: World, own: readonly number[], honest: readonly number[], expectations: Expectation[]): Findings {
  const points = (values: readonly number[]) => values.map((value, i) => ({ x: i + 1, y: 100 * value }));
  const before = [own, honest].map((values) => meanOf(values, 3, SWITCH_AT));
  const after = [own, honest].map((values) => meanOf(values, SETTLED_AT));
  const percent = (value: number) => `${(100 * value).toFixed(0)} %`;
  const chart: Chart = {
    title: "Who has how much of the resource",
    xLabel: "time (s)",
    yLabel: "part of it (%)",
    bands: [
      { fromX: 0, toX: SWITCH_AT, label: "policy observes" },
      { fromX: SWITCH_AT, toX: END_AT, label: "policy enforced" },
    ],
    series: [
      { name: "adversary", points: points(own) },
      { name: "honest", points: points(honest) },
    ],
  };
  return {
    figures: { adversaryBefore: before[0], honestBefore: before[1], adversary: after[0], honest: after[1] },
    expectations,
    traceHash: world.trace.hash,
    summary: [
      `Without a policy the adversary has ${percent(before[0])} and the honest tenant ${percent(before[1])}; with it ${percent(after[0])} and ${percent(after[1])}.`,
    ],
    charts: [chart],
  };
}

export const estimatorGamer = defineScenario({
  name: "workloads/estimator-gamer",
  title: "A tenant whose requests are cheap in one second and dear in the next, against what its rate was reckoned from",
  policy: "bottleneck-fairness",
  run(options) {
    const cell = begin(options, { cores: 8, config: {} });
    const { world, cluster } = cell;
    flood(cluster);
    // Drawn when it is asked: the second decides.
    const work = {
      point: "other",
      get diskBytes() {
        return Math.floor(world.clock.nowUs() / SECOND_US) % 2 === 0 ? 4_096 : 4 * 1024 * 1024;
      },
    };
    cluster.ask({ tenant: "gamer", clients: CLIENTS, work });
    finish(cell, options);
    const own = part(cluster, ["gamer"]);
    const honest = part(cluster, [HONEST]);
    return outcome(world, own, honest, [
      atMost("the gamer's part of the disks (its share: 0.5)", meanOf(own, SETTLED_AT), 0.6),
      atLeast("the honest tenant's part, against the gamer's", meanOf(honest, SETTLED_AT) / meanOf(own, SETTLED_AT), 0.9),
      // T = 4 leaves 14 to 16 % of random disks' time unused.
      atLeast("the honest tenant's part of the disks (its share: 0.5)", meanOf(honest, SETTLED_AT), 0.38),
    ]);
  },
});

function split(options: ScenarioRun, config: Partial<ControllerConfig>): { own: number[]; honest: number[]; world: World } {
  const cell = begin(options, { cores: 8, config });
  const names = Array.from({ length: NAMES }, (_, i) => `name-${i + 1}`);
  flood(cell.cluster);
  for (const tenant of names) {
    cell.cluster.ask({ tenant, clients: CLIENTS / NAMES, work: { point: "other", diskBytes: CHUNK } });
  }
  finish(cell, options);
  return { own: part(cell.cluster, names), honest: part(cell.cluster, [HONEST]), world: cell.world };
}

export const manyNames = defineScenario({
  name: "workloads/many-names",
  title: "A tenant that splits into ten: what ten names get, and what they get of one weight divided",
  policy: "bottleneck-fairness",
  run(options) {
    const apart = split(options, {});
    const weight = 1 / NAMES;
    const tenants = Object.fromEntries(Array.from({ length: NAMES }, (_, i) => [`name-${i + 1}`, { weight }]));
    const divided = split(options, { tenants });
    const bounded = split(options, { maxTenants: 3, maxTenantsPerInstance: 3 });
    const found = outcome(divided.world, divided.own, divided.honest, [
      atMost("one weight divided among ten names: their part (their share: 0.5)", meanOf(divided.own, SETTLED_AT), 0.55),
      atLeast("one weight divided: the honest tenant's part", meanOf(divided.honest, SETTLED_AT), 0.4),
      atMost(
        "ten names of full weight: their part (wished: 0.5; ten of eleven shares are 0.91)",
        meanOf(apart.own, SETTLED_AT),
        0.92,
      ),
      atMost(
        "room for three names: their part (two shares and the one of all others: 0.67)",
        meanOf(bounded.own, SETTLED_AT),
        0.75,
      ),
    ]);
    const figures = { ...found.figures, tenShares: meanOf(apart.own, SETTLED_AT), bounded: meanOf(bounded.own, SETTLED_AT) };
    return { ...found, figures };
  },
});

export const lockHolder = defineScenario({
  name: "workloads/lock-holder",
  title: "A tenant that hardly lets go of a lock: seen in every window, and kept from coming back at once",
  policy: "bottleneck-fairness",
  run(options) {
    const cell = begin(options, { cores: 1, config: {} });
    const { world, cluster } = cell;
    // One core for one thing at a time: a lock on each machine.
    cluster.ask({ tenant: HONEST, clients: CLIENTS, work: { point: "honest", cpuUs: 5_000 } });
    cluster.ask({ tenant: "holder", clients: 2 * MACHINES, work: { point: "other", cpuUs: 3 * SECOND_US } });
    const seen = cluster.recorder.gauge(() => {
      const lock = world.controller.view().resources.find(({ name }) => name.endsWith("/cpu"));
      return lock?.tenants.holder?.share ?? 0;
    });
    finish(cell, options);
    const honest = cluster.of(HONEST).requests.values.map((requests) => (requests * 5_000) / (MACHINES * SECOND_US));
    const own = seen.slice();
    return outcome(world, own, honest, [
      atLeast(
        "while nobody is held back: the least part it is seen to hold in any window",
        Math.min(...seen.slice(5, SWITCH_AT)),
        0.8,
      ),
      atLeast("the others' part of the lock, once limited (wished: 0.5)", meanOf(honest, SETTLED_AT), 0.1),
      atLeast("the others, after / before (wished: 10)", meanOf(honest, SETTLED_AT) / meanOf(honest, 3, SWITCH_AT), 2),
      atMost("the holder's part, once limited (wished: 0.5)", meanOf(own, SETTLED_AT), 0.85),
    ]);
  },
});
