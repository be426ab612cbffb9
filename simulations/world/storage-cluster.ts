/**
 * A storage service of many machines and the crowds that ask it, with everything counted that experiments on fairness judge by:
 * per tenant and window what was done, moved, served at the disks, held back and refused; per window how slowed down the disks were.
 *
 * Counting is the simulation's own and not what is judged: it stands where work ends, not in the library's reports.
 */
import { pick } from "./chance.js";
import { closedLoop, type Load } from "./clients.js";
import { Recorder, type Tally } from "./recorder.js";
import { StorageNode, type StorageOptions, type Work } from "./storage-node.js";
import type { World } from "./world.js";

/** How many machines, and what each of them is made of. */
export interface ClusterOptions extends Omit<StorageOptions, "onDisk" | "onCpu"> {
  machines: number;
  /** Length of the windows things are counted in, µs; default 1 s. */
  windowUs?: number;
  /** Told of every request that was done: how long it took but for what the throttle held it back, µs. */
  onDone?(tenant: string, workedUs: number): void;
}

/** What the machines of most scenarios are made of: a disk with 8 ms mean seek and 100 MB/s, a link of 10 Gbit/s, eight cores. */
export const MACHINE = { seekUs: 8_000, diskBytesPerSec: 100e6, linkBytesPerSec: 1.25e9, cores: 8 };

/** What is counted of one tenant, by window. */
export interface Counts {
  requests: Tally;
  /** Time in service at disks, µs. */
  diskUs: Tally;
  /** Time in service at cores, µs. */
  cpuUs: Tally;
  /** Sent, of requests that were done. */
  linkBytes: Tally;
  /** Time requests were held back by the throttle, µs. */
  heldUs: Tally;
  refused: Tally;
  /** Time from asking to answer, µs, of the requests that were done. */
  spentUs: Tally;
}

/** Clients of one tenant that all do the same. */
export interface Crowd {
  tenant: string;
  clients: number;
  /** Mean time between answer and next request, exponential, µs; default 0. */
  thinkUs?: number;
  /** First requests come uniformly over this time, µs; default 1 s. */
  spreadUs?: number;
  work: Work;
}

/** Machines, those who ask them, and what was counted. */
export class StorageCluster {
  readonly world: World;
  readonly recorder: Recorder;
  /** Time disk operations took in all, and were in service, µs. */
  readonly disk: { spentUs: Tally; servedUs: Tally };
  readonly #options: ClusterOptions;
  readonly #counts = new Map<string, Counts>();
  readonly #machines: { node: StorageNode; pending: Set<() => void> }[] = [];
  #crowds = 0;

  constructor(world: World, options: ClusterOptions) {
    this.world = world;
    this.#options = options;
    this.recorder = new Recorder(world.clock, world.trace, options.windowUs);
    this.disk = { spentUs: this.recorder.tally(), servedUs: this.recorder.tally() };
    for (let i = 0; i < options.machines; i++) this.add();
  }

  /** How many machines there are. */
  get size(): number {
    return this.#machines.length;
  }

  /** What was counted of a tenant; nothing yet of one that has not asked. */
  of(tenant: string): Counts {
    let counts = this.#counts.get(tenant);
    if (counts === undefined) {
      const tally = () => this.recorder.tally();
      counts = {
        requests: tally(),
        diskUs: tally(),
        cpuUs: tally(),
        linkBytes: tally(),
        heldUs: tally(),
        refused: tally(),
        spentUs: tally(),
      };
      this.#counts.set(tenant, counts);
    }
    return counts;
  }

  /** Slowdown of all disks together, by window; NaN where nothing was done. */
  get slowdown(): number[] {
    const { spentUs, servedUs } = this.disk;
    return spentUs.values.map((spent, i) => spent / servedUs.values[i]);
  }

  /** One more machine, of which requests make use from now on. */
  add(): void {
    const node = new StorageNode(this.world, `node-${this.#machines.length + 1}`, {
      ...this.#options,
      onDisk: (tenant, waitUs, serviceUs) => {
        this.of(tenant).diskUs.add(serviceUs);
        this.disk.spentUs.add(waitUs + serviceUs);
        this.disk.servedUs.add(serviceUs);
      },
      onCpu: (tenant, _, serviceUs) => this.of(tenant).cpuUs.add(serviceUs),
    });
    this.#machines.push({ node, pending: new Set() });
  }

  /** Kills the last machine, as if its power failed: what it had to do is lost, and clients that wait for it ask another one. */
  kill(): void {
    const { node, pending } = this.#machines.pop()!;
    this.world.killNode(node.node);
    for (const lost of pending) lost();
  }

  /** Starts clients that ask a random machine, wait for the answer, think, and ask again. */
  ask({ tenant, clients, thinkUs, spreadUs, work }: Crowd): Load {
    const chance = this.world.chance(`crowd/${tenant}/${this.#crowds++}`);
    return closedLoop({
      clock: this.world.clock,
      chance,
      clients,
      ...(thinkUs === undefined ? {} : { thinkUs }),
      ...(spreadUs === undefined ? {} : { spreadUs }),
      ask: (_, done) => this.serve(pick(chance, this.#machines.length), tenant, work, done),
    });
  }

  /** One request to a machine, 0 … size − 1. */
  serve(machine: number, tenant: string, work: Work, done: () => void): void {
    const { node, pending } = this.#machines[machine];
    const { clock } = this.world;
    const counts = this.of(tenant);
    const askedUs = clock.nowUs();
    let over = false;
    const lost = () => {
      over = true;
      done();
    };
    pending.add(lost);
    node.serve(tenant, work, (heldUs, refused) => {
      if (over) return;
      pending.delete(lost);
      counts.heldUs.add(heldUs);
      if (refused) counts.refused.add(1);
      else {
        counts.requests.add(1);
        this.#options.onDone?.(tenant, clock.nowUs() - askedUs - heldUs);
        counts.spentUs.add(clock.nowUs() - askedUs);
        counts.linkBytes.add(work.linkBytes ?? 0);
      }
      done();
    });
  }
}
