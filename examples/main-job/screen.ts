/**
 * What the terminal shows while it runs: a table that is redrawn in place. In a pipe nothing is drawn; there the phases' lines
 * are all there is.
 */
import type { Act } from "./acts.js";
import { cast, figuresOf, limitOf, type Moment, rawSlowdown } from "./measure.js";
import { ms, percent } from "./story.js";

/** Moments the table's figures are of: some seconds, so that a p99 means something. */
const RECENT = 4;
const BOLD = 1;
const DIM = 2;
const YELLOW = 33;
const COLUMNS = [9, 11, 9, 9, 8, 9] as const;

export interface Screen {
  /** Shows these moments below a headline, in place of what was shown before. */
  draw(headline: string, moments: readonly Moment[], bottleneck: string): void;
  /** Writes a line that stays. */
  print(line: string): void;
}

/** @param out a terminal or a pipe */
export function screenOn(out: NodeJS.WriteStream, act: Act): Screen {
  const colour = out.isTTY && !process.env.NO_COLOR;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  let drawn = 0;
  const erase = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  return {
    draw(headline, moments, bottleneck) {
      if (!out.isTTY) return;
      // No line may wrap, or redrawing would climb too few of them.
      const clip = (text: string) => text.slice(0, (out.columns || 100) - 1);
      const lines = [paint(BOLD, clip(headline)), "", paint(DIM, clip(header()))];
      for (const { text, held } of rows(moments, bottleneck, act)) lines.push(held ? paint(YELLOW, clip(text)) : clip(text));
      lines.push("", clip(footer(moments, bottleneck, act)));
      erase();
      out.write(`${lines.join("\n")}\n`);
      drawn = lines.length;
    },
    print(text) {
      erase();
      out.write(`${text}\n`);
    },
  };
}

function header(): string {
  return cells(["tenant", "requests/s", "p50", "p99", "share", "rate", "why"]);
}

function rows(moments: readonly Moment[], bottleneck: string, act: Act): { text: string; held: boolean }[] {
  const recent = moments.slice(-RECENT);
  const { tenants } = figuresOf(recent, bottleneck, act);
  return cast(act).map((name) => {
    const { throughputPerSec, p50Ms, p99Ms, share } = tenants[name];
    const limit = limitOf(recent.at(-1)?.view, name);
    const reason =
      limit?.reason && `${limit.reason.resource ?? "no resource"} is short (${limit.reason.policy}, at ${limit.point})`;
    const why = limit === undefined ? "" : limit.inForce ? reason : `observed only: ${reason}`;
    const rate = limit === undefined ? "–" : `${Math.round(limit.ratePerSec)}/s`;
    const text = cells([name, throughputPerSec.toFixed(0), ms(p50Ms), ms(p99Ms), percent(share), rate, why ?? ""]);
    return { text, held: limit?.inForce ?? false };
  });
}

function footer(moments: readonly Moment[], bottleneck: string, act: Act): string {
  const recent = moments.slice(-RECENT);
  const { utilisation } = figuresOf(recent, bottleneck, act);
  const view = recent.at(-1)?.view;
  const slowdown = view === undefined ? "" : `, slowdown ${rawSlowdown(view, bottleneck).toFixed(1)}`;
  return `${bottleneck}: ${percent(utilisation)} busy${slowdown}`;
}

/** Words at the left, numbers at the right, the last column as long as it is. */
function cells(texts: readonly string[]): string {
  return texts
    .map((text, i) => (i === 0 ? text.padEnd(COLUMNS[i]) : i < COLUMNS.length ? text.padStart(COLUMNS[i]) : `  ${text}`))
    .join(" ");
}
