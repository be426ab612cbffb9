/**
 * What each tenant uses of a resource in the long run: an exponential average with a half-life of many windows, kept by seat
 * from tick to tick. The first to be seen are taken to have always used what they use now. Whoever comes later is taken for
 * average: a newcomer is owed nothing for a time when it was not there, and nobody gains by coming back under another name.
 */
export class LongRun {
  /** By seat; NaN: not known yet. */
  #averages = new Float64Array(0);

  /**
   * One more tick.
   *
   * @param loads  by index in the view
   * @param seatOf seat of each index
   * @param keep   weight of what was before, 0..1; 0: there was nothing before
   * @param into   filled by index in the view
   */
  update(loads: Float64Array, seatOf: Int32Array, keep: number, into: Float64Array): void {
    let known = 0;
    let sum = 0;
    for (let v = 0; v < loads.length; v++) {
      const seat = seatOf[v];
      if (seat >= this.#averages.length) this.#grow(seat + 1);
      const before = this.#averages[seat];
      if (Number.isNaN(before)) continue;
      this.#averages[seat] = keep * before + (1 - keep) * loads[v];
      known++;
      sum += this.#averages[seat];
    }
    for (let v = 0; v < loads.length; v++) {
      const seat = seatOf[v];
      if (Number.isNaN(this.#averages[seat])) this.#averages[seat] = known > 0 ? sum / known : loads[v];
      into[v] = this.#averages[seat];
    }
  }

  /** Another tenant sits here now, or none. */
  forget(seat: number): void {
    if (seat < this.#averages.length) this.#averages[seat] = Number.NaN;
  }

  #grow(seats: number): void {
    const grown = new Float64Array(Math.max(seats, 2 * this.#averages.length, 16)).fill(Number.NaN);
    grown.set(this.#averages);
    this.#averages = grown;
  }
}
