/** Small integers for the names of apis. Bounded, since services may invent names: beyond 62 the rest share one. */
const MAX_APIS = 64;

export class ApiNames {
  readonly #indices = new Map<string, number>();
  // Most requests in a row are of one kind.
  #lastName: string | undefined = undefined;
  #lastIndex = 0;

  /** 0 for no name, else 1 … 63. */
  indexOf(api: string | undefined): number {
    if (api === this.#lastName) return this.#lastIndex;
    let index = api === undefined ? 0 : this.#indices.get(api);
    if (index === undefined) {
      index = this.#indices.size < MAX_APIS - 2 ? this.#indices.size + 1 : MAX_APIS - 1;
      if (index < MAX_APIS - 1) this.#indices.set(api as string, index);
    }
    this.#lastName = api;
    this.#lastIndex = index;
    return index;
  }
}
