/** The slots of a control point: which are free. Their number may change while some are held. */
export class Slots {
  /** How many there are. */
  count = 0;
  readonly #free: number[] = []; // a stack, lowest on top at first
  readonly #held = new Set<number>();

  constructor(count: number) {
    this.resize(count);
  }

  get hasFree(): boolean {
    return this.#free.length > 0;
  }

  /** Takes a free slot; −1 when none is. */
  take(): number {
    const slot = this.#free.pop();
    if (slot === undefined) return -1;
    this.#held.add(slot);
    return slot;
  }

  /** Gives a slot back. */
  give(slot: number): void {
    if (this.#held.delete(slot) && slot < this.count) this.#free.push(slot);
  }

  /** From now on this many: those held beyond it are not used again once given back. */
  resize(count: number): void {
    this.count = count;
    this.#free.length = 0;
    for (let slot = count - 1; slot >= 0; slot--) if (!this.#held.has(slot)) this.#free.push(slot);
  }
}
