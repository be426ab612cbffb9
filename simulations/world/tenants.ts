/**
 * Tenants that ask: how each of them does, and how it fares, as its clients see it. What is counted here is counted from
 * outside: nothing that is judged has a part in it.
 */
import type { Chance } from "../../proto/ports.js";
import { closedLoop, type Load, openLoop } from "./clients.js";
import { Journey, type Leg } from "./journey.js";
import type { Recorder, Samples, Tally } from "./recorder.js";
import type { ServiceNode } from "./service-node.js";
import type { World } from "./world.js";

/** Clients that wait for answers, or requests that come whatever happens. */
export type Asking = { clients: number; thinkUs?: number; spreadUs?: number } | { ratePerSec: number };

/** What one tenant does in a scenario. */
export interface TenantPlan {
  name: string;
  asking: Asking;
  /** Where the next request enters, and its way. `client` counts from 0 in a closed loop; it is 0 in an open one. */
  request(client: number): { node: ServiceNode; leg: Leg };
}

/** What one tenant did and met, by window. */
export class SimulatedTenant {
  readonly name: string;
  readonly plan: TenantPlan;
  /** Requests answered. */
  readonly requests: Tally;
  readonly refused: Tally;
  /** Time those that ended were held back by throttles, µs. */
  readonly heldUs: Tally;
  /** From asking to answer of those answered, µs, throttles included. */
  readonly latencyUs: Samples;
  /** Requests that wait for an answer at the end of each window. */
  readonly open: readonly number[];
  readonly #world: World;
  readonly #chance: Chance;
  #open = 0;
  #load: Load | undefined;

  constructor(world: World, recorder: Recorder, plan: TenantPlan) {
    this.#world = world;
    this.#chance = world.chance(`clients/${plan.name}`);
    this.name = plan.name;
    this.plan = plan;
    this.requests = recorder.tally();
    this.refused = recorder.tally();
    this.heldUs = recorder.tally();
    this.latencyUs = recorder.samples();
    this.open = recorder.gauge(() => this.#open);
  }

  /** Its clients begin; those that ask already go on. */
  start(asking: Asking = this.plan.asking): void {
    this.stop();
    const { clock } = this.#world;
    const chance = this.#chance;
    this.#load =
      "clients" in asking
        ? closedLoop({ clock, chance, ...asking, ask: (client, done) => this.ask(client, done) })
        : openLoop({ clock, chance, ...asking, ask: () => this.ask(0) });
  }

  /** It asks no more; what was asked is still answered. */
  stop(): void {
    this.#load?.stop();
    this.#load = undefined;
  }

  /** One request. */
  ask(client: number, done: () => void = () => {}): void {
    const { clock } = this.#world;
    const askedUs = clock.nowUs();
    const journey = new Journey(this.name);
    const { node, leg } = this.plan.request(client);
    this.#open++;
    node.receive(journey, leg, () => {
      this.#open--;
      this.heldUs.add(journey.heldUs);
      if (journey.refused) this.refused.add(1);
      else {
        this.requests.add(1);
        this.latencyUs.add(clock.nowUs() - askedUs);
      }
      done();
    });
  }
}
