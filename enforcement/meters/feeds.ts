/**
 * Which control points lead to this resource? Learned from the requests themselves: whatever is measured here carries the set
 * of points it passed. One byte per set seen, so that recording costs a look-up in an array.
 */
import type { ViaSet, ViaTable } from "../via.js";

export class Feeds {
  /** Logical names of the points seen to lead here, in order of discovery. */
  readonly points: string[] = [];
  readonly #vias: ViaTable;
  #seen = new Uint8Array(64);

  constructor(vias: ViaTable) {
    this.#vias = vias;
  }

  observe(via: ViaSet): void {
    if (via !== 0 && this.#seen[via] !== 1) this.#discover(via);
  }

  #discover(via: ViaSet): void {
    if (via >= this.#seen.length) {
      const grown = new Uint8Array(2 * via);
      grown.set(this.#seen);
      this.#seen = grown;
    }
    this.#seen[via] = 1;
    for (const name of this.#vias.names(via)) if (!this.points.includes(name)) this.points.push(name);
  }
}
