/** The slots of a control point: which are free. Their number may change while some are held. */
export class Slots {
  /** How many there are. */
  count = 0;
  /** How many are held; more than there are, for a while, after their number was lowered. */
  held = 0;
  readonly #free: number[] = []; // a stack, lowest on top at first; all below `count`
  #isHeld = new Uint8Array(0);

  constructor(count: number) {
    this.resize(count);
  }

  get hasFree(): boolean {
    return this.held < this.count && this.#free.length > 0;
  }

  /** Takes a free slot. Only when there is one. */
  take(): number {
    const slot = this.#free.pop() as number;
    this.#isHeld[slot] = 1;
    this.held += 1;
    return slot;
  }

  /** Gives a slot back. */
  give(slot: number): void {
    this.#isHeld[slot] = 0;
    this.held -= 1;
    if (slot < this.count) this.#free.push(slot);
  }

  /** From now on this many: those held beyond it are not used again once given back. */
  resize(count: number): void {
    this.count = count;
    if (count > this.#isHeld.length) {
      const grown = new Uint8Array(count);
      grown.set(this.#isHeld);
      this.#isHeld = grown;
    }
    this.#free.length = 0;
    for (let slot = count - 1; slot >= 0; slot--) if (this.#isHeld[slot] === 0) this.#free.push(slot);
  }
}
