/**
 * Mistakes in the arguments of a function, gathered so that a caller hears of all of them at once. Ten thousand tenants can
 * make ten thousand mistakes: the first twenty are told, the rest are counted.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";

const MOST_TOLD = 20;

export class Mistakes {
  readonly #of: string;
  readonly #told: string[] = [];
  #count = 0;

  /** @param of name of the function whose arguments are looked at */
  constructor(of: string) {
    this.#of = of;
  }

  /** Notes that `what` is `value`, unless `sound`. */
  unless(sound: boolean, what: string, value: unknown, expected: string): void {
    if (!sound) this.note(`${what} is ${shown(value)}; expected ${expected}`);
  }

  note(text: string): void {
    if (++this.#count <= MOST_TOLD) this.#told.push(text);
  }

  /** @throws TenantryError BAD_ARGUMENT that tells every mistake, when there are any */
  refuse(): void {
    if (this.#count === 0) return;
    const more = this.#count > MOST_TOLD ? `; and ${this.#count - MOST_TOLD} more` : "";
    throw new TenantryError("BAD_ARGUMENT", `${this.#of}: ${this.#told.join("; ")}${more}`);
  }
}

/** Notes every entry of a column that is not a number within the bounds, or that the column is not `length` long. */
export function checkColumn(
  mistakes: Mistakes,
  what: string,
  column: ArrayLike<number> | undefined,
  { length, least, finite }: { length: number; least: "≥ 0" | "> 0"; finite: boolean },
): void {
  if (column === undefined) return;
  mistakes.unless(column.length === length, `${what}.length`, column.length, `${length}, one for each demand`);
  const [lowest, highest] = [least === "≥ 0" ? 0 : Number.MIN_VALUE, finite ? Number.MAX_VALUE : Number.POSITIVE_INFINITY];
  for (let i = 0; i < column.length; i++) {
    if (column[i] >= lowest && column[i] <= highest) continue;
    mistakes.unless(false, `${what}[${i}]`, column[i], `a ${finite ? "finite " : ""}number ${least}`);
  }
}
