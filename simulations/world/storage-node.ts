/**
 * An instance of a storage service, as a service would link the library: a disk, processor cores and a network interface, all
 * metered, behind control points. A request passes a point, then the disk, the cores and the interface as far as it needs them.
 */
import { type ControlPoint, Request, type TenantIndex, type ViaSet } from "../../enforcement/index.js";
import { Disk, Link, type OnServed, Station } from "./machines.js";
import type { Node, World } from "./world.js";

/** What such a machine has. */
export interface StorageOptions {
  /** Mean seek, µs. */
  seekUs: number;
  diskBytesPerSec: number;
  linkBytesPerSec: number;
  cores: number;
  /** Names of its control points; a request names the one it enters by. */
  points: readonly string[];
  /** How many requests each of its points lets in at once, the others waiting in 2DFQ's order; default: all. */
  slots?: number;
  /** Told of every disk operation that ended. */
  onDisk?(tenant: string, waitUs: number, serviceUs: number): void;
  /** Told of every use of a core that ended. */
  onCpu?(tenant: string, waitUs: number, serviceUs: number): void;
}

/** What a request needs; nothing of what it does not name. */
export interface Work {
  point: string;
  diskBytes?: number;
  cpuUs?: number;
  linkBytes?: number;
}

/** A machine that stores: a disk, a link, cores, and control points before them. */
export class StorageNode {
  readonly node: Node;
  readonly disk: Disk;
  readonly cores: Station;
  readonly link: Link;
  readonly #points = new Map<string, ControlPoint>();

  constructor(world: World, instance: string, options: StorageOptions) {
    this.node = world.node("storage", instance);
    const { agent, process } = this.node;
    const clock = process.clock;
    const told = (tell: StorageOptions["onDisk"]): OnServed | undefined =>
      tell && ((tenant, waitUs, serviceUs) => tell(agent.tenantName(tenant), waitUs, serviceUs));
    this.disk = new Disk({
      clock,
      chance: world.chance(`disk/${instance}`),
      meter: agent.resource("disk", { slots: 1 }),
      seekUs: options.seekUs,
      bytesPerSec: options.diskBytesPerSec,
      onServed: told(options.onDisk),
    });
    this.cores = new Station(clock, agent.resource("cpu", { slots: options.cores }), told(options.onCpu));
    this.link = new Link({
      clock,
      meter: agent.resource("link", { slots: 1, unit: "bytes" }),
      bytesPerSec: options.linkBytesPerSec,
    });
    const { slots } = options;
    for (const name of options.points) this.#points.set(name, agent.controlPoint(name, slots === undefined ? {} : { slots }));
  }

  /**
   * Serves one request.
   *
   * @param done told when it is done, with the time it was held back by the throttle, µs; or that it was refused
   */
  serve(tenantId: string, work: Work, done: (heldUs: number, refused: boolean) => void): void {
    const point = this.#points.get(work.point)!;
    const clock = this.node.process.clock;
    const tenant = this.node.agent.tenant(tenantId);
    const askedUs = clock.nowUs();
    point.submit(
      new Request(
        { tenant },
        {
          onStart: (request) => {
            const heldUs = clock.nowUs() - askedUs;
            this.#work(tenant, point.passed(request.via), work, () => {
              point.complete(request);
              done(heldUs, false);
            });
          },
          onRefused: () => done(clock.nowUs() - askedUs, true),
        },
      ),
    );
  }

  /** The stations one after the other. */
  #work(tenant: TenantIndex, via: ViaSet, { diskBytes = 0, cpuUs = 0, linkBytes = 0 }: Work, done: () => void): void {
    const send = () => (linkBytes > 0 ? this.link.send({ tenant, via, done }, linkBytes) : done());
    const compute = () => (cpuUs > 0 ? this.cores.serve({ tenant, via, done: send }, cpuUs) : send());
    if (diskBytes > 0) this.disk.transfer({ tenant, via, done: compute }, diskBytes);
    else compute();
  }
}
