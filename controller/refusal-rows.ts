/** Which refusals are news: of those in a row, window after window for the same cause, only the first is told. */
import type { RefusalCause } from "./guard.js";

export class RefusalRows {
  readonly #last = new Map<string, { cause: RefusalCause; tick: number }>();

  /**
   * Notes a refusal. Does a row begin with it?
   *
   * @param policy by name; "": of no policy
   */
  begins(policy: string, cause: RefusalCause, tick: number): boolean {
    const last = this.#last.get(policy);
    this.#last.set(policy, { cause, tick });
    return last?.cause !== cause || last.tick < tick - 1;
  }
}
