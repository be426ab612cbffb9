/**
 * The experiments of which a sensitivity grid is made: small, quick, and alike for every setting, so that only the setting differs.
 * Six machines with a disk each; what is measured is measured from outside, by windows of 1 s whatever the controller's are.
 */
import type { ControllerConfig } from "../../controller/index.js";
import { jainIndex, meanOf, quantileOf, settledAfter } from "../measures.js";
import { MACHINE, StorageCluster } from "../world/storage-cluster.js";
import { World } from "../world/world.js";

const SECOND_US = 1_000_000;
const MACHINES = 6;
const CHUNK = 512 * 1024;
const POINT = "read";

/** What a cell sets: parameters of the policy, and settings of the controller. */
export interface Setting {
  policy: string;
  params: Record<string, number>;
  config: Partial<ControllerConfig>;
}

/** What a cell gives, by name of the panel; the less the better. */
export type Measured = Record<string, number>;

interface Bench {
  world: World;
  cluster: StorageCluster;
  enforce(): void;
}

function bench(seed: number, { policy, params, config }: Setting, onDone?: (tenant: string, workedUs: number) => void): Bench {
  const world = new World({ seed });
  const policies = { "bottleneck-fairness": { mode: "off" as const }, [policy]: { mode: "observe" as const, params } };
  const controller = world.startController({ config: { ...config, policies } });
  const cluster = new StorageCluster(world, {
    machines: MACHINES,
    ...MACHINE,
    points: [POINT],
    ...(onDone === undefined ? {} : { onDone }),
  });
  return { world, cluster, enforce: () => controller.setPolicy(policy, { mode: "enforce" }) };
}

/** Percent by which windows stray from their mean, root mean square. */
function swing(values: readonly number[], from: number, to: number): number {
  const mean = meanOf(values, from, to);
  const squares = values.slice(from, to).map((value) => (value / mean - 1) * (value / mean - 1));
  return 100 * Math.sqrt(meanOf(squares));
}

/** Three floods of 40, 20 and 10 at each disk; the policy comes at 10 s, the largest leaves at 40. For policies that divide. */
export function division(seed: number, setting: Setting): Measured {
  const { world, cluster, enforce } = bench(seed, setting);
  const crowds = [40, 20, 10].map((each, i) => {
    const clients = each * MACHINES;
    return {
      tenant: `flood-${i + 1}`,
      load: cluster.ask({ tenant: `flood-${i + 1}`, clients, work: { point: POINT, diskBytes: CHUNK } }),
    };
  });
  world.clock.at(10 * SECOND_US, enforce);
  world.clock.at(40 * SECOND_US, () => crowds[0].load.stop());
  world.run(56 * SECOND_US);
  const shares = crowds.map(({ tenant }) => cluster.of(tenant).diskUs.values);
  const all = cluster.disk.servedUs.values;
  const whole = meanOf(all, 3, 10);
  const fair = all.map((_, i) => jainIndex(shares.map((share) => share[i])));
  return {
    "settled (s)": settledAfter(fair.slice(0, 40), 10, (jain) => jain >= 0.97),
    "unfair (%)": 100 * (1 - jainIndex(shares.map((share) => meanOf(share, 20, 40)))),
    "swing (%)": meanOf(shares.map((share) => swing(share, 20, 40))),
    slowdown: meanOf(cluster.slowdown, 20, 40),
    "lost (%)": 100 * Math.max(0, 1 - meanOf(all, 20, 40) / whole),
    "lost after (%)": 100 * Math.max(0, 1 - meanOf(all, 42, 54) / whole),
  };
}

const TARGET_US = 150_000;

/** One with a target of 150 ms who reads a little, and a flood of 40 at each disk; the policy comes at 10 s. */
export function objective(seed: number, setting: Setting): Measured {
  const windows: number[][] = [];
  const { world, cluster, enforce } = bench(
    seed,
    { ...setting, config: { ...setting.config, tenants: { gold: { p99TargetUs: TARGET_US } } } },
    (tenant, workedUs) => {
      if (tenant !== "gold") return;
      const window = Math.floor(world.clock.nowUs() / SECOND_US);
      windows[window] ??= [];
      windows[window].push(workedUs);
    },
  );
  cluster.ask({ tenant: "gold", clients: 5 * MACHINES, thinkUs: 100_000, work: { point: POINT, diskBytes: 8_192 } });
  cluster.ask({ tenant: "flood", clients: 40 * MACHINES, work: { point: POINT, diskBytes: CHUNK } });
  world.clock.at(10 * SECOND_US, enforce);
  world.run(50 * SECOND_US);
  const p99s = Array.from({ length: 50 }, (_, i) => quantileOf(windows[i] ?? [Number.POSITIVE_INFINITY], 0.99) / TARGET_US);
  const flood = cluster.of("flood").diskUs.values;
  return {
    "settled (s)": settledAfter(p99s.slice(0, 20), 10, (p99) => p99 <= 1),
    "missed (%)": (100 * p99s.slice(20).filter((p99) => p99 > 1).length) / 30,
    "swing (%)": swing(flood, 20, 50),
    "lost (%)": 100 * Math.max(0, 1 - meanOf(cluster.disk.servedUs.values, 20, 50) / meanOf(cluster.disk.servedUs.values, 3, 10)),
  };
}
