/**
 * A high quantile of the costs lately seen: what something of an unknown kind is taken to cost, since to take the unknown for
 * small lets a burst of it through before the first has shown what it is. Costs are counted by eighths of an octave, and
 * counts fade: at every 1,024th all are halved.
 */
import { STRATA, spanOfStratum, stratumOf } from "./strata.js";

const QUANTILE = 0.9;
const MEMORY = 1_024;

export class CostQuantile {
  readonly #counts = new Float64Array(STRATA);
  #total = 0;

  observe(cost: number): void {
    this.#counts[stratumOf(cost)] += 1;
    this.#total += 1;
    if (this.#total < MEMORY) return;
    this.#total /= 2;
    for (let stratum = 0; stratum < STRATA; stratum++) this.#counts[stratum] /= 2;
  }

  /** The least cost (rounded up by at most an eighth) that nine tenths do not exceed; undefined: none has been seen. */
  value(): number | undefined {
    if (this.#total === 0) return undefined;
    let above = this.#total;
    let stratum = -1;
    while (above > (1 - QUANTILE) * this.#total) above -= this.#counts[++stratum];
    return spanOfStratum(stratum);
  }
}
