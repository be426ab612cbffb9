/** How the command line speaks: answers on stdout, everything else on stderr; colour only where a person looks. */

/** A problem told in plain words; ends the command. */
export class CommandFailure extends Error {
  /** 1: it failed. 2: it was asked wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = "CommandFailure";
    this.exitCode = exitCode;
  }
}

/** May this stream be coloured? NO_COLOR and FORCE_COLOR are honoured: https://no-color.org */
function colourful(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && TERM !== "dumb";
}

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** `text` in a style, where the stream may be coloured. */
export function styled(style: keyof typeof STYLES, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const [on, off] = STYLES[style];
  return colourful(stream) ? `\x1b[${on}m${text}\x1b[${off}m` : text;
}

/** Answers go here. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** News for a person goes here. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Rows under headings, in columns; numbers to the right. */
export function table(headings: string[], rows: (string | number | null)[][]): string {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? "–" : typeof cell === "number" ? short(cell) : cell)));
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((row) => row[i].length)));
  const right = headings.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === null || typeof row[i] === "number"));
  const line = (row: string[]) =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd();
  return [styled("dim", line(headings)), ...cells.map(line)].join("\n");
}

/** A number as a person reads it: three digits that matter. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9 || (size < 0.001 && size > 0)) return value.toExponential(2);
  return size >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
