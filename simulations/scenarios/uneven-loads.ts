/**
 * Loads that come and go, under bottleneck fairness at its defaults, on four machines.
 *
 *   bursty    A flood never ends; every ten seconds another tenant asks for half a second of every disk, all at once. It uses a
 *             twentieth of the disks and should hardly notice the flood: its bursts, which wait behind the whole flood without a policy.
 *   diurnal   Three tenants with days of 60 s, a third of a day apart. At its noon each asks for half of the disks, at midnight for
 *             nearly nothing: together always for about three quarters. What a tenant asks for below a third is its.
 */
import { meanOf } from "../measures.js";
import type { Chart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Findings, type ScenarioRun } from "../scenario.js";
import { exponentialUs, pick } from "../world/chance.js";
import { MACHINE, StorageCluster } from "../world/storage-cluster.js";
import { World, type WorldOptions } from "../world/world.js";

const SECOND_US = 1_000_000;
const MACHINES = 4;
const CHUNK = 512 * 1024;
/** Mean time of a chunk at a disk: a seek and the bytes. */
const CHUNK_US = 8_000 + CHUNK / 100;
const POINT = "read";

function begin(options: WorldOptions, mode: "observe" | "enforce"): { world: World; cluster: StorageCluster } {
  const world = new World(options);
  world.startController({ config: { policies: { "bottleneck-fairness": { mode } } } });
  const cluster = new StorageCluster(world, {
    machines: MACHINES,
    ...MACHINE,
    points: [POINT],
  });
  return { world, cluster };
}

const BURSTS_TO = 60;
/** Half a second of every disk. */
const BURST = Math.round((0.5 * MACHINES * SECOND_US) / CHUNK_US);

/** How long each burst took, s; and what the flood had of the disks. */
function bursts(
  { onProgress, ...options }: ScenarioRun,
  mode: "observe" | "enforce",
): { tookSec: number[]; disks: number; hash: string } {
  const { world, cluster } = begin(options, mode);
  cluster.ask({ tenant: "flood", clients: 40 * MACHINES, work: { point: POINT, diskBytes: CHUNK } });
  const tookSec: number[] = [];
  for (let second = 10; second < BURSTS_TO; second += 10) {
    const beganUs = second * SECOND_US;
    world.clock.at(beganUs, () => {
      let open = BURST;
      for (let i = 0; i < BURST; i++) {
        cluster.serve(i % MACHINES, "bursty", { point: POINT, diskBytes: CHUNK }, () => {
          if (--open === 0) tookSec.push((world.clock.nowUs() - beganUs) / SECOND_US);
        });
      }
    });
  }
  world.run(BURSTS_TO * SECOND_US, (nowUs) => onProgress?.(nowUs / (BURSTS_TO * SECOND_US)));
  const served = cluster.disk.servedUs.values;
  return { tookSec, disks: meanOf(served, 10) / (MACHINES * SECOND_US), hash: world.trace.hash };
}

export const bursty = defineScenario({
  name: "workloads/bursty",
  title: "A tenant that asks for much now and then, beside a flood that never ends",
  policy: "bottleneck-fairness",
  run(options): Findings {
    const without = bursts(options, "observe");
    const enforced = bursts(options, "enforce");
    const before = meanOf(without.tookSec);
    const after = meanOf(enforced.tookSec);
    const points = (values: readonly number[]) => values.map((y, i) => ({ x: 10 * (i + 1), y }));
    return {
      figures: { burstSecWithout: before, burstSec: after, disksWithout: without.disks, disks: enforced.disks },
      expectations: [
        atMost("time a burst takes, enforced / without a policy", after / before, 0.8),
        atLeast("part of the disks in use, enforced / without a policy (wished: 0.95)", enforced.disks / without.disks, 0.8),
      ],
      traceHash: enforced.hash,
      summary: [`A burst takes ${after.toFixed(2)} s; without a policy ${before.toFixed(2)} s, with no flood half a second.`],
      charts: [
        {
          title: "How long each burst takes",
          xLabel: "time (s)",
          yLabel: "seconds",
          series: [
            { name: "enforced", points: points(enforced.tookSec) },
            { name: "no policy", points: points(without.tookSec) },
          ],
        },
      ],
    };
  },
});

const DAY = 60;
const DAYS_TO = 130;
const NOON = 0.5;

/** What a tenant asks for at this time, part of the disks: from nearly nothing up to a half and back, in straight lines. */
function asked(tenant: number, second: number): number {
  const phase = ((second + (tenant * DAY) / 3) % DAY) / DAY;
  return 0.02 + (NOON - 0.02) * (1 - Math.abs(2 * phase - 1));
}

export const diurnal = defineScenario({
  name: "workloads/diurnal",
  title: "Three tenants whose days are a third apart: what is asked for below a fair share is had, whatever the hour",
  policy: "bottleneck-fairness",
  run({ onProgress, ...options }: ScenarioRun): Findings {
    const { world, cluster } = begin(options, "enforce");
    const { clock } = world;
    const names = ["east", "middle", "west"];
    names.forEach((tenant, i) => {
      const chance = world.chance(`day/${tenant}`);
      const next = () => {
        const perSec = (asked(i, clock.nowUs() / SECOND_US) * MACHINES * SECOND_US) / CHUNK_US;
        clock.at(clock.nowUs() + exponentialUs(chance, SECOND_US / perSec), () => {
          cluster.serve(pick(chance, MACHINES), tenant, { point: POINT, diskBytes: CHUNK }, () => {});
          next();
        });
      };
      next();
    });
    world.run(DAYS_TO * SECOND_US, (nowUs) => onProgress?.(nowUs / (DAYS_TO * SECOND_US)));
    const had = names.map((tenant) => cluster.of(tenant).diskUs.values.map((us) => us / (MACHINES * SECOND_US)));
    const held = names.map((tenant) => cluster.of(tenant).heldUs.values);
    // Over a whole day all that was asked for must be had, and while a tenant asks for little, at once.
    const dayOf = (values: readonly number[]) => meanOf(values, DAY, 2 * DAY);
    const expected = meanOf(Array.from({ length: DAY }, (_, second) => asked(0, second)));
    const quiet = names.map((tenant, i) => {
      const windows = had[i].map((_, w) => w).filter((w) => w >= 5 && asked(i, w + 0.5) < 0.25);
      const requests = windows.reduce((sum, w) => sum + cluster.of(tenant).requests.values[w], 0);
      return windows.reduce((sum, w) => sum + held[i][w], 0) / requests;
    });
    const points = (values: readonly number[]) => values.map((value, i) => ({ x: i + 1, y: 100 * value }));
    const chart: Chart = {
      title: "Each tenant's part of the disks",
      xLabel: "time (s)",
      yLabel: "part of the disks (%)",
      series: names.map((name, i) => ({ name, points: points(had[i]) })),
    };
    return {
      figures: { hadOverDay: had.map(dayOf), askedOverDay: expected, heldWhileQuietUs: quiet },
      expectations: [
        atLeast("least of what any tenant asks for over a day that it has", Math.min(...had.map(dayOf)) / expected, 0.95),
        atMost(
          "longest mean time that a tenant is held back while it asks for less than a quarter, ms",
          Math.max(...quiet) / 1_000,
          100,
        ),
      ],
      traceHash: world.trace.hash,
      summary: [
        `Over a day each has ${had.map((values) => (100 * dayOf(values)).toFixed(1)).join(", ")} % of the disks, and asked for ${(100 * expected).toFixed(1)} %.`,
      ],
      charts: [chart],
    };
  },
});
