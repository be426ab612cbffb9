/**
 * Which control points has a request passed? The controller must know which points lead to which resources, across services,
 * so a request carries the set. Sets are few (one per path through the system) and interned: on hot paths a set is an integer,
 * and a meter keeps one bit per set it has seen.
 *
 * The table is bounded, since sets also arrive from outside: when it is full, a new set is taken for the empty one, which only
 * loses an observation.
 */
import { isLogicalName } from "../proto/names.js";

/** An interned set of control points a request has passed; 0 is the empty set. */
export type ViaSet = number;

const MAX_SETS = 1_024;
const MAX_NAMES = 16;

export class ViaTable {
  readonly #names: (readonly string[])[] = [[]];
  readonly #indices = new Map<string, ViaSet>([["", 0]]);
  /** By name added, by set it was added to. */
  readonly #with = new Map<string, ViaSet[]>();

  /**
   * The set of these logical names ("service/name"), e.g. as they came in baggage. What is not a logical name is left out,
   * and beyond 16 names the rest is; when the table is full, the empty set.
   */
  intern(names: readonly string[]): ViaSet {
    const sorted = [...new Set(names.filter(isLogicalName))].slice(0, MAX_NAMES).sort();
    const key = sorted.join(",");
    let via = this.#indices.get(key);
    if (via === undefined) {
      if (this.#names.length >= MAX_SETS) return 0;
      via = this.#names.length;
      this.#names.push(sorted);
      this.#indices.set(key, via);
    }
    return via;
  }

  /** The logical names in a set, sorted: what travels onward in baggage. */
  names(via: ViaSet): readonly string[] {
    return this.#names[via] ?? [];
  }

  /** The set with one name more. Asked for by every request, so answers are kept. */
  with(via: ViaSet, name: string): ViaSet {
    let answers = this.#with.get(name);
    if (answers === undefined) {
      answers = [];
      this.#with.set(name, answers);
    }
    const names = this.names(via);
    answers[via] ??= names.includes(name) ? via : this.intern([name, ...names]);
    return answers[via];
  }
}
