/**
 * What a resource can carry, learned from what it has carried: capacity cannot be asked for [Retro §3]. While work stands in line,
 * what is served is all there is; so while slowdown > 10
 *
 *   C ← C + b·(load − C)        b = 1/n in the n-th such window, and 1/10 from the tenth on
 *
 * and later likewise in windows that carry more than C. R-DRF's rule for its capacities [Retro §4.2], but for its min and max: the
 * largest of many noisy windows is too large, the smallest too small, and a wrong one would be believed for ever. C is in the
 * unit of load, whatever that is. Of a resource that nobody has filled nothing is known, and policies guess.
 */
const IN_LINE = 10;
const LEAST_BELIEF = 0.1;

export class Capacity {
  /** Units of load per second; 0: not known yet. */
  value = 0;
  #windows = 0;

  /**
   * One window of the resource, all instances together.
   *
   * @param load     by all tenants, per second, ≥ 0
   * @param slowdown relative to calm, ≥ 1
   */
  learn(load: number, slowdown: number): void {
    if (!(load > 0)) return;
    if (slowdown > IN_LINE) this.#windows++;
    else if (load <= this.value || this.#windows === 0) return;
    this.value += Math.max(LEAST_BELIEF, 1 / this.#windows) * (load - this.value);
  }
}
