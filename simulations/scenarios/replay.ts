/**
 * A recorded trace as load on a simulated cluster: its jobs come when they came, so many times faster, whatever the cluster does.
 * Each is cut into pieces that enter by control points, and goes on only as its pieces are done. So who floods and when is the
 * trace's, and how long a flood lasts is the cluster's doing.
 *
 *   job      phases one after the other; a phase is so many equal pieces, some of them under way at once, each on any machine
 *   due      the largest part of what a resource did in a window that max-min fairness gives to anybody who had or wanted some
 *   hungry   a tenant that at both ends of a window had more work waiting or under way than is due: whoever is hungry is due the same
 *   full     a window in which somebody is hungry; what a policy loses, it loses there
 *
 * Counted from outside, from what jobs asked for and what was done for them: held back or in line is the same to them.
 */
import type { ControllerConfig } from "../../controller/index.js";
import { maxMinFair } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { jainIndex, meanOf } from "../measures.js";
import type { Recording, ScenarioRun } from "../scenario.js";
import { pick } from "../world/chance.js";
import type { Tally } from "../world/recorder.js";
import { type ClusterOptions, StorageCluster } from "../world/storage-cluster.js";
import type { Work } from "../world/storage-node.js";
import { World } from "../world/world.js";

const SECOND_US = 1_000_000;
/** Jobs that are not done an hour after the last one came will never be. */
const PATIENCE_US = 3_600 * SECOND_US;

/** What the pieces of a phase need: one resource, by one point. */
export interface Phase {
  work: Work & { point: string };
  pieces: number;
}

/** A job of the trace, as it is replayed. */
export interface Job {
  atUs: number;
  tenant: string;
  phases: readonly Phase[];
}

/** A cluster, and what comes to it. */
export interface Plan {
  jobs: readonly Job[];
  cluster: Pick<ClusterOptions, "machines" | "cores" | "points" | "slots" | "seekUs" | "diskBytesPerSec" | "linkBytesPerSec">;
  /** Pieces of one job under way at once. */
  atOnce: number;
}

/** What is divided, by tenants and windows. */
export interface Division {
  /** Part of the resource each tenant had, by window. */
  had: Map<string, number[]>;
  /** Part of the resource in use, by window. */
  used: number[];
  /** Windows in which somebody was hungry. */
  full: number[];
  /** Jain's index of the hungry, for each window in which two of them or more were, and had something; and which windows those are. */
  fairness: { window: number; jain: number }[];
}

/** What a replay showed. */
export interface Replayed {
  /** By tenant, the jobs that were done: when they came and how long they took, s. */
  jobs: Map<string, { atSec: number; tookSec: number }[]>;
  unfinished: number;
  refused: number;
  /** When the last job was done, s. */
  endSec: number;
  disk: Division;
  cpu: Division;
  hash: string;
}

/** @throws TenantryError BAD_ARGUMENT when the scenario was given nothing to replay */
export function recordingOf(name: string, { recording }: ScenarioRun): Recording {
  if (recording !== undefined) return recording;
  throw new TenantryError(
    "BAD_ARGUMENT",
    `scenario "${name}" replays a trace and was given none: tenantry simulate ${name} FILE`,
  );
}

/**
 * When each request comes if the whole trace is to come within so many seconds, µs.
 *
 * @throws TenantryError BAD_ARGUMENT when all come at once, so that there is no pace to change
 */
export function paced({ path, workload }: Recording, seconds: number): Float64Array {
  const { atUs, count } = workload.arrivals;
  const spanUs = atUs[count - 1] - atUs[0];
  if (spanUs > 0) return atUs.map((us) => Math.floor(((us - atUs[0]) / spanUs) * seconds * SECOND_US));
  throw new TenantryError("BAD_ARGUMENT", `${path}: all of its ${count} requests come at once; expected some time between them`);
}

/** What all requests ask for together. @throws TenantryError BAD_ARGUMENT when that is nothing, and nothing can be scaled */
export function sumOf({ path }: Recording, column: string, amounts: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < amounts.length; k++) sum += amounts[k];
  if (sum > 0) return sum;
  throw new TenantryError("BAD_ARGUMENT", `${path}: ${column} of all requests together is ${sum}; expected more than 0`);
}

/** So many pieces that none needs more than `most`; none for nothing. */
export function cut(amount: number, most: number, workOf: (each: number) => Phase["work"]): Phase[] {
  const pieces = Math.ceil(amount / most);
  return pieces === 0 ? [] : [{ pieces, work: workOf(Math.ceil(amount / pieces)) }];
}

/** Plays all jobs of a plan under some policies, to the end of the last one. */
export function replay(
  options: ScenarioRun,
  { jobs, cluster: shape, atOnce }: Plan,
  config: Partial<ControllerConfig>,
  onProgress: (fraction: number) => void = () => {},
): Replayed {
  const world = new World(options);
  world.startController({ config });
  const cluster = new StorageCluster(world, shape);
  const { clock } = world;
  const tenants = [...new Set(jobs.map(({ tenant }) => tenant))];
  const waiting = {
    disk: new Waiting(tenants, cluster),
    cpu: new Waiting(tenants, cluster),
  };
  const needs = ({ diskBytes, cpuUs = 0 }: Work) => ({
    disk: diskBytes === undefined ? 0 : shape.seekUs + Math.round((diskBytes * SECOND_US) / shape.diskBytesPerSec),
    cpu: cpuUs,
  });
  const done = new Map(tenants.map((tenant) => [tenant, [] as { atSec: number; tookSec: number }[]]));
  let unfinished = jobs.length;
  let endUs = 0;
  const chance = world.chance("placement");
  const play = ({ tenant, phases, atUs }: Job, which: number) => {
    if (which === phases.length) {
      unfinished--;
      endUs = clock.nowUs();
      done.get(tenant)!.push({ atSec: atUs / SECOND_US, tookSec: (endUs - atUs) / SECOND_US });
      return;
    }
    const { work, pieces } = phases[which];
    const { disk, cpu } = needs(work);
    let left = pieces;
    let open = 0;
    const more = () => {
      while (left > 0 && open < atOnce) {
        left--;
        open++;
        waiting.disk.add(tenant, disk);
        waiting.cpu.add(tenant, cpu);
        cluster.serve(pick(chance, cluster.size), tenant, work, () => {
          open--;
          waiting.disk.add(tenant, -disk);
          waiting.cpu.add(tenant, -cpu);
          if (left > 0) more();
          else if (open === 0) play({ tenant, phases, atUs }, which + 1);
        });
      }
    };
    more();
  };
  for (const job of jobs) clock.at(job.atUs, () => play(job, 0));
  const lastUs = jobs[jobs.length - 1].atUs;
  while (unfinished > 0 && clock.nowUs() < lastUs + PATIENCE_US) {
    world.run(clock.nowUs() + SECOND_US);
    onProgress(Math.min(1, clock.nowUs() / (lastUs + 1)));
  }
  const divide = (resource: "disk" | "cpu", places: number) =>
    division(
      tenants,
      (tenant) => (resource === "disk" ? cluster.of(tenant).diskUs : cluster.of(tenant).cpuUs),
      waiting[resource],
      places * SECOND_US,
    );
  return {
    jobs: done,
    unfinished,
    refused: tenants.reduce((sum, tenant) => sum + cluster.of(tenant).refused.values.reduce((a, b) => a + b, 0), 0),
    endSec: endUs / SECOND_US,
    disk: divide("disk", shape.machines),
    cpu: divide("cpu", shape.machines * shape.cores),
    hash: world.trace.hash,
  };
}

/** Work that tenants wait for at one resource, µs, as it was at the end of each window. */
class Waiting {
  readonly #now: Map<string, number>;
  readonly #ends: Map<string, readonly number[]>;

  constructor(tenants: readonly string[], { recorder }: StorageCluster) {
    this.#now = new Map(tenants.map((tenant) => [tenant, 0]));
    this.#ends = new Map(tenants.map((tenant) => [tenant, recorder.gauge(() => this.#now.get(tenant)!)]));
  }

  add(tenant: string, us: number): void {
    this.#now.set(tenant, this.#now.get(tenant)! + us);
  }

  at(tenant: string, window: number): number {
    return window < 0 ? 0 : this.#ends.get(tenant)![window];
  }
}

function division(
  tenants: readonly string[],
  servedOf: (tenant: string) => Tally,
  waiting: Waiting,
  capacityUs: number,
): Division {
  const served = tenants.map((tenant) => servedOf(tenant).values);
  const windows = served[0].length;
  const found: Division = {
    had: new Map(tenants.map((tenant, i) => [tenant, served[i].map((us) => us / capacityUs)])),
    used: [],
    full: [],
    fairness: [],
  };
  for (let w = 0; w < windows; w++) {
    const had = served.map((values) => values[w]);
    const total = had.reduce((a, b) => a + b, 0);
    found.used.push(total / capacityUs);
    const wanted = tenants.map((tenant, i) => had[i] + waiting.at(tenant, w));
    const due = Math.max(...maxMinFair(total, wanted));
    const hungry = tenants.flatMap((tenant, i) =>
      due > 0 && waiting.at(tenant, w - 1) > due && waiting.at(tenant, w) > due ? [had[i]] : [],
    );
    if (hungry.length > 0) found.full.push(w);
    if (hungry.length > 1 && Math.max(...hungry) > 0) found.fairness.push({ window: w, jain: jainIndex(hungry) });
  }
  return found;
}

/** Part of a resource that was in use while somebody was hungry; NaN when nobody ever was. */
export function usedWhileFull({ used, full }: Division): number {
  return meanOf(full.map((window) => used[window]));
}
