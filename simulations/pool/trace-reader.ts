/**
 * The text of a trace, piece by piece, to a workload: first a line that names columns, among them `arrival_us`, `tenant`, `api`
 * and `cost` in any order; then a request per line, by arrival. Fields may be quoted as in RFC 4180, but not span lines. Who needs
 * more columns names them; they hold numbers ≥ 0.
 *
 * Whatever is not plainly a request is an error that names file and line: a simulation of half a trace is a wrong answer.
 * Times may be fractions of µs (they are rounded down), and need not begin at 0.
 */
import { TenantryError } from "../../proto/errors.js";
import { isTenantId, shown } from "../../proto/names.js";
import { ArrivalColumns, type Workload } from "./workload.js";

const COLUMNS = ["arrival_us", "tenant", "api", "cost"] as const;
/** A line longer than this is not one. */
const MAX_LINE = 65_536;
const MAX_TENANTS = 4_000_000;

export class TraceReader {
  /** Lines read so far. */
  line = 0;
  readonly #path: string;
  #rest = "";
  /** Where each of `COLUMNS` stands; undefined: before the first line. */
  #places: number[] | undefined = undefined;
  #columns = 0;
  /** Further columns, where they stand, and their numbers so far. */
  readonly #more: { name: string; place: number; numbers: number[] }[];
  #lastUs = Number.NEGATIVE_INFINITY;
  #count = 0;
  readonly #arrivals = new ArrivalColumns();
  readonly #tenants = new Names();
  readonly #apis = new Names();

  /**
   * @param path how the file is called in messages
   * @param more names of further columns that are wanted
   */
  constructor(path: string, more: readonly string[] = []) {
    this.#path = path;
    this.#more = more.map((name) => ({ name, place: -1, numbers: [] }));
  }

  /** The further columns, by name: a number per request. */
  get numbers(): Record<string, readonly number[]> {
    return Object.fromEntries(this.#more.map(({ name, numbers }) => [name, numbers]));
  }

  /** The next piece, cut anywhere. @throws BAD_TRACE */
  text(piece: string): void {
    let from = 0;
    for (;;) {
      const end = piece.indexOf("\n", from);
      if (end < 0) break;
      this.#take(this.#rest + piece.slice(from, end));
      this.#rest = "";
      from = end + 1;
    }
    this.#rest += piece.slice(from);
    if (this.#rest.length > MAX_LINE) {
      this.line += 1;
      throw this.#fault(`is longer than ${MAX_LINE} characters`, "a request per line");
    }
  }

  /** There is no more. @throws BAD_TRACE when there was no request */
  end(): Workload {
    if (this.#rest !== "") this.#take(this.#rest);
    if (this.#count === 0)
      throw new TenantryError("BAD_TRACE", `${this.#path}: there is no request in it; expected lines of ${COLUMNS.join(",")}`);
    return {
      tenants: this.#tenants.list,
      apis: this.#apis.list,
      arrivals: this.#arrivals.arrivals(),
      backlogged: [],
    };
  }

  #take(raw: string): void {
    this.line += 1;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (this.#places === undefined) {
      this.#head(line.replace(/^\uFEFF/, ""));
      return;
    }
    if (line === "") return;
    const fields = line.includes('"') ? this.#quoted(line) : line.split(",");
    if (fields.length !== this.#columns) {
      throw this.#fault(`has ${fields.length} fields`, `${this.#columns}, as the first line has`);
    }
    const [atPlace, tenantPlace, apiPlace, costPlace] = this.#places;
    const atUs = Math.floor(numberOf(fields[atPlace]));
    if (!(atUs >= 0 && atUs <= Number.MAX_SAFE_INTEGER)) {
      throw this.#fault(`has arrival_us ${shown(fields[atPlace])}`, "µs ≥ 0");
    }
    if (atUs < this.#lastUs) {
      throw this.#fault(`has arrival_us ${atUs} after ${this.#lastUs}`, "lines in order of arrival; sort the file");
    }
    const cost = this.#amount("cost", fields[costPlace]);
    const tenant = fields[tenantPlace];
    if (!isTenantId(tenant)) throw this.#fault(`has tenant ${shown(tenant)}`, "a tenant id of 1 to 128 printable characters");
    for (const { name, place, numbers } of this.#more) numbers.push(this.#amount(name, fields[place]));
    this.#lastUs = atUs;
    this.#count += 1;
    const index = this.#tenants.indexOf(tenant);
    if (index >= MAX_TENANTS) throw this.#fault(`has a tenant too many (${shown(tenant)})`, `at most ${MAX_TENANTS}`);
    this.#arrivals.push(atUs, index, this.#apis.indexOf(fields[apiPlace]), cost);
  }

  #head(line: string): void {
    const names = line.split(",").map((name) =>
      name
        .trim()
        .replace(/^"(.*)"$/, "$1")
        .toLowerCase(),
    );
    this.#columns = names.length;
    const wanted = [...COLUMNS, ...this.#more.map(({ name }) => name)];
    const missing = wanted.filter((name) => !names.includes(name));
    if (missing.length > 0) {
      throw this.#fault(`names no column ${missing.join(", ")} (${shown(line)})`, `at least ${wanted.join(",")}`);
    }
    this.#places = COLUMNS.map((name) => names.indexOf(name));
    for (const column of this.#more) column.place = names.indexOf(column.name);
  }

  #amount(column: string, text: string): number {
    const amount = numberOf(text);
    if (amount >= 0 && amount < Number.POSITIVE_INFINITY) return amount;
    throw this.#fault(`has ${column} ${shown(text)}`, "a finite number ≥ 0");
  }

  #quoted(line: string): string[] {
    const fields: string[] = [];
    let at = 0;
    while (at <= line.length) {
      if (line[at] !== '"') {
        const end = line.indexOf(",", at);
        fields.push(end < 0 ? line.slice(at) : line.slice(at, end));
        if (end < 0) return fields;
        at = end + 1;
        continue;
      }
      let field = "";
      for (;;) {
        const end = line.indexOf('"', at + 1);
        if (end < 0) throw this.#fault("has a quote that does not end", "quoted fields to end on their line");
        field += line.slice(at + 1, end);
        at = end + 1;
        if (line[at] !== '"') break;
        field += '"';
      }
      fields.push(field);
      if (at === line.length) return fields;
      if (line[at] !== ",") throw this.#fault("has text after a quoted field", "a comma");
      at += 1;
    }
    return fields;
  }

  #fault(what: string, expected: string): TenantryError {
    return new TenantryError("BAD_TRACE", `${this.#path}:${this.line} ${what}; expected ${expected}`);
  }
}

/** `Number` takes "" and blanks for 0. */
function numberOf(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** Small integers for names, in order of appearance. */
class Names {
  readonly list: string[] = [];
  readonly #indices = new Map<string, number>();

  indexOf(name: string): number {
    let index = this.#indices.get(name);
    if (index === undefined) {
      index = this.list.length;
      this.#indices.set(name, index);
      this.list.push(name);
    }
    return index;
  }
}
