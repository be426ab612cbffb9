/**
 * Options that are no options. A misspelt one would be ignored in silence, and leave, say, a control point without the bound that
 * was asked for; types tell only those who use them.
 */
import { TenantryError } from "./errors.js";
import { shown } from "./names.js";

/** Every option there is, as a type checks it: `{ slots: true, unit: true }`. */
export type Known<T> = Readonly<Record<keyof T, true>>;

/**
 * Throws BAD_ARGUMENT, naming every option of `given` that is not in `known`, unless all are.
 *
 * @param what whose options these are, e.g. `control point "reads"`
 */
export function checkOptions<T extends object>(what: string, given: T, known: Known<T>): void {
  if (typeof given !== "object" || given === null) {
    throw new TenantryError("BAD_ARGUMENT", `${what}: options are ${shown(given)}; expected an object`);
  }
  const strange = Object.keys(given).filter((key) => !Object.hasOwn(known, key));
  if (strange.length === 0) return;
  throw new TenantryError(
    "BAD_ARGUMENT",
    `${what}: ${strange.map((key) => shown(key)).join(" and ")} ${strange.length === 1 ? "is not an option" : "are not options"}; there are ${Object.keys(known).join(", ")}`,
  );
}
