/** An interned set of control points a request has passed; 0 is the empty set. */
export type ViaSet = number;

export class ViaTable {
  /**
   * The set of these logical names ("service/name"), e.g. as they came in baggage. What is not a logical name is left out,
   * and beyond 16 names the rest is; when the table is full, the empty set.
   */
  intern(_names: readonly string[]): ViaSet {
    throw new Error("soon");
  }
  /** The logical names in a set, sorted: what travels onward in baggage. */
  names(_via: ViaSet): readonly string[] {
    throw new Error("soon");
  }
}
