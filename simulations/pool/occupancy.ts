/** Who occupied which slot, when: the picture by which one sees what a scheduler does. */
export interface Stint {
  slot: number;
  tenant: number;
  /** Exact, µs. */
  fromUs: number;
  toUs: number;
  /** Cost units. */
  cost: number;
}
