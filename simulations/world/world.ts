/**
 * A world to run the production code in: one virtual clock, chance by name, a network, a store, processes. A scenario adds agents,
 * a controller, machines and clients; the world adds nothing to their behaviour.
 */
import { Controller, type ControllerConfig, type ControllerEvent } from "../../controller/index.js";
import { Agent, type AgentEvent, type AgentOptions } from "../../enforcement/index.js";
import type { Policy } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import type { Chance } from "../../proto/ports.js";
import { pick, SeededChance } from "./chance.js";
import { VirtualClock } from "./clock.js";
import { type NetworkOptions, VirtualNetwork } from "./network.js";
import { Process } from "./process.js";
import { VirtualStore } from "./store.js";
import { Trace } from "./trace.js";

/** What a world begins with. */
export interface WorldOptions {
  seed: number;
  network?: NetworkOptions;
  /** Clocks of processes run fast or slow by up to this fraction; default 0. */
  drift?: number;
  /** Policies that decide in the place of those of this name, in every controller of this world. */
  inPlaceOf?: Readonly<Record<string, Policy>>;
}

/** A process that is an instance of a service. */
export interface Node {
  /** `service/instance`: its name to the network. */
  readonly name: string;
  readonly process: Process;
  readonly agent: Agent;
}

/** How a simulated controller is configured. */
export interface ControllerSettings {
  config?: Partial<ControllerConfig>;
  policies?: readonly Policy[];
  onEvent?(event: ControllerEvent): void;
}

/** One virtual clock, one network, and the real agents and controllers that live on them. */
export class World {
  readonly seed: number;
  readonly trace = new Trace();
  readonly clock = new VirtualClock(this.trace);
  readonly network: VirtualNetwork;
  readonly store = new VirtualStore(this.clock);
  readonly #drift: number;
  readonly #boots = new Map<string, number>();
  readonly #inPlaceOf: Readonly<Record<string, Policy>>;
  #controller: { process: Process; controller: Controller } | undefined;

  constructor({ seed, network, drift = 0, inPlaceOf = {} }: WorldOptions) {
    this.#inPlaceOf = inPlaceOf;
    this.seed = seed;
    this.#drift = drift;
    this.network = new VirtualNetwork(this.clock, this.trace, (name) => this.chance(name), network);
  }

  /** The stream of chance with this name: the same for the same seed, whatever else there is. */
  chance(name: string): Chance {
    return new SeededChance(this.seed, name);
  }

  /** A new process, with a clock of its own that shows anything up to a day. */
  process(name: string): Process {
    const chance = this.chance(`clock/${name}`);
    const offsetUs = pick(chance, 86_400_000_000);
    return new Process(name, this.clock, { offsetUs, drift: (2 * chance.next() - 1) * this.#drift });
  }

  /** Starts an instance of a service, linked to the controller. */
  node(service: string, instance: string, options: Partial<AgentOptions> = {}): Node {
    const name = `${service}/${instance}`;
    const boot = this.#bootOf(name);
    const process = this.process(boot === 1 ? name : `${name}#${boot}`);
    const agent = new Agent({
      service,
      instance,
      boot: String(boot),
      clock: process.clock,
      chance: this.chance(`agent/${process.name}`),
      transport: this.network.transport(name, process),
      onEvent: (event: AgentEvent) => this.trace.text(event.kind),
      ...options,
    });
    agent.start();
    return { name, process, agent };
  }

  /** Kills an instance, as SIGKILL would. */
  killNode(node: Node): void {
    node.process.kill();
    this.network.agentDied(node.name);
  }

  /** Starts a controller; it listens once it has loaded its state. One at a time. */
  startController({ config = {}, policies, onEvent }: ControllerSettings = {}): Controller {
    const process = this.process(`controller#${this.#bootOf("controller")}`);
    const controller = new Controller({
      clock: process.clock,
      chance: this.chance(process.name),
      store: this.store.openedBy(process),
      config,
      inPlaceOf: this.#inPlaceOf,
      ...(policies === undefined ? {} : { policies }),
      onEvent: (event) => {
        this.trace.text(event.kind);
        onEvent?.(event);
      },
    });
    this.#controller = { process, controller };
    controller.start((error) => {
      if (error === undefined) this.network.serve((hello, peer) => controller.accept(hello, peer), process);
    });
    return controller;
  }

  /** Kills the controller, as SIGKILL would. */
  killController(): void {
    this.#controller?.process.kill();
    this.#controller = undefined;
    this.network.serverDied();
  }

  /** The controller that runs now. @throws TenantryError UNKNOWN when none does */
  get controller(): Controller {
    if (this.#controller === undefined) throw new TenantryError("UNKNOWN", "no controller runs in this world now");
    return this.#controller.controller;
  }

  /** Lets everything happen up to `untilUs`, telling `onProgress` each virtual second. */
  run(untilUs: number, onProgress?: (nowUs: number) => void): void {
    while (this.clock.nowUs() < untilUs) {
      this.clock.run(Math.min(this.clock.nowUs() + 1_000_000, untilUs));
      onProgress?.(this.clock.nowUs());
    }
  }

  #bootOf(name: string): number {
    const boot = (this.#boots.get(name) ?? 0) + 1;
    this.#boots.set(name, boot);
    return boot;
  }
}
