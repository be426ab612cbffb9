/** A tenant that comes to the same resource by another point than before, under bottleneck fairness and with real control points. */
import { expect, test } from "vitest";
import { meanOf } from "../../simulations/measures.js";
import { MACHINE, StorageCluster } from "../../simulations/world/storage-cluster.js";
import { World } from "../../simulations/world/world.js";

const SECOND_US = 1_000_000;
const MACHINES = 4;
const CHUNK = 512 * 1024;
const READS_UNTIL = 60;

/** By window, the part of the disks that a tenant has: it reads, of which little is writes, and then writes alone. */
function partOfMover(seed: number): number[] {
  const world = new World({ seed });
  world.startController({ config: {} });
  const cluster = new StorageCluster(world, { machines: MACHINES, ...MACHINE, cores: 8, points: ["read", "write"] });
  const until = (sec: number, first: string, then: string) => ({
    diskBytes: CHUNK,
    get point() {
      return world.clock.nowUs() < sec * SECOND_US ? first : then;
    },
  });
  cluster.ask({ tenant: "flood", clients: 40 * MACHINES, work: { point: "read", diskBytes: CHUNK } });
  cluster.ask({ tenant: "mover", clients: 40 * MACHINES, work: until(READS_UNTIL, "read", "write") });
  world.clock.at(SECOND_US, () => cluster.serve(0, "mover", { point: "write", diskBytes: CHUNK }, () => {}));
  world.clock.at(10 * SECOND_US, () => cluster.ask({ tenant: "mover", clients: 8, work: { point: "write", diskBytes: CHUNK } }));
  world.run((READS_UNTIL + 20) * SECOND_US);
  return cluster.of("mover").diskUs.values.map((us) => us / (MACHINES * SECOND_US));
}

test("has its share there within a few windows, though next to nothing of it came by there of late", () => {
  for (const seed of [1, 2, 3]) {
    const part = partOfMover(seed);
    expect(meanOf(part, 40, READS_UNTIL)).toBeGreaterThan(0.4);
    expect(meanOf(part, READS_UNTIL + 6, READS_UNTIL + 20)).toBeGreaterThan(0.4);
  }
});
