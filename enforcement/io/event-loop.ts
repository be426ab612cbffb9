/**
 * The event loop as a resource: its load per tenant is the time of the tenant's turns, its slowdown how much longer a turn
 * takes from ready to done than it runs. Sampled; see loop-sampler.ts for how and at what price.
 */
import { UNKNOWN_TENANT } from "../../proto/names.js";
import type { Agent, ResourceMeter } from "../index.js";
import { LOOP_DUTY, type LoopSample, sampleLoop } from "./loop-sampler.js";

/** How the event loop is measured. */
export interface EventLoopOptions {
  /** The resource's name. Default "event-loop". */
  name?: string;
  /** Part of the time in which turns are timed, 0.01 to 0.5: more is sharper and dearer. Default 0.05. */
  duty?: number;
}

/** The event loop of this thread, being measured. Made by `agent.eventLoop()`. */
export class EventLoopProbe {
  readonly #agent: Agent;
  readonly #meter: ResourceMeter;
  readonly #stop: () => void;
  #delayUs = 0;

  /** @internal */
  constructor(agent: Agent, meter: ResourceMeter, duty: number = LOOP_DUTY) {
    this.#agent = agent;
    this.#meter = meter;
    this.#stop = sampleLoop((sample) => this.#record(sample), duty);
  }

  /** The resource's name in this service. */
  get name(): string {
    return this.#meter.name;
  }

  /** How long something that was ready waited for its turn when last looked at, ms. */
  get delayMs(): number {
    return this.#delayUs / 1000;
  }

  /** Ends the measuring; `agent.close()` does it as well. Harmless when repeated. */
  stop(): void {
    this.#stop();
  }

  #record(sample: LoopSample): void {
    this.#delayUs = sample.delayUs;
    for (const [scope, share] of sample.shares) {
      const tenant = scope === undefined ? this.#agent.tenant(UNKNOWN_TENANT) : scope.indexAt(this.#agent);
      const via = scope === undefined ? 0 : scope.viaAt(this.#agent);
      const count = Math.round(share.turns);
      this.#meter.record(tenant, via, Math.round(share.busyUs), { count, waitUs: Math.round(share.turns * sample.delayUs) });
    }
  }
}
