/**
 * A distribution known by a few of its quantiles: between them ln(cost) is taken to be linear in the probability. Drawn by a
 * table of 1,024 steps in whole cost units, so that a draw is a look-up, and what `exp` and `log` leave to the machine in the
 * last bit is rounded away once.
 */
import type { Chance } from "../../proto/ports.js";

const STEPS = 1024;

/** p1, p25, p50, p75, p99 of a cost, as the paper's figures give them. */
export type Quantiles = readonly [number, number, number, number, number];

export class CostTable {
  readonly #costs: Float64Array;

  /** The ends the quantiles leave open: the least is p1/1.2, the most p99·1.5, both within [floor, ceiling]. */
  constructor(quantiles: Quantiles, { floor, ceiling }: { floor: number; ceiling: number }) {
    const places = [0, 0.01, 0.25, 0.5, 0.75, 0.99, 1];
    const least = Math.max(floor, quantiles[0] / 1.2);
    const most = Math.min(ceiling, quantiles[4] * 1.5);
    const logs = [least, ...quantiles, most].map((cost) => Math.log(cost));
    this.#costs = new Float64Array(STEPS + 1);
    let k = 0;
    for (let step = 0; step <= STEPS; step++) {
      const at = step / STEPS;
      while (at > places[k + 1]) k += 1;
      const part = (at - places[k]) / (places[k + 1] - places[k]);
      this.#costs[step] = Math.round(Math.exp(logs[k] + part * (logs[k + 1] - logs[k])));
    }
  }

  /** The cost below which the part `probability` of all requests lies, 0…1; whole units. */
  at(probability: number): number {
    const place = probability * STEPS;
    const step = Math.min(Math.floor(place), STEPS - 1);
    const low = this.#costs[step];
    return Math.round(low + (place - step) * (this.#costs[step + 1] - low));
  }

  draw(chance: Chance): number {
    return this.at(chance.next());
  }

  /** Mean cost over the stretch [from, to] of probability. */
  mean(from = 0, to = 1): number {
    let sum = 0;
    for (let k = 0; k < STEPS; k++) sum += this.at(from + ((k + 0.5) / STEPS) * (to - from));
    return sum / STEPS;
  }
}
