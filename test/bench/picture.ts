/**
 * The bench as a page: every comparison a block of rows, every peer a dot at (its time / our time) with its spread over the
 * rounds, on a logarithmic scale. The line in the middle is our own time: to the right of it we are the faster. A mark stands
 * where an aim is. Nothing is fetched and nothing runs; for light and dark screens and for paper.
 */
import type { Comparison } from "./measure.js";

export interface Block {
  /** What is compared with what, as one picture. */
  group: string;
  name: string;
  comparison: Comparison;
}

const WIDTH = 860;
const LEFT = 330;
const RIGHT = WIDTH - 150;
const ROW = 22;
const TOP = 34;
const TICKS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

export function page(title: string, settings: string, blocks: readonly Block[]): string {
  const groups = [...new Set(blocks.map(({ group }) => group))];
  const figures = groups.map((group) =>
    figure(
      group,
      blocks.filter((block) => block.group === group),
    ),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(settings)}</p>
<p>A dot is a peer's time divided by ours in the same round: the median over all rounds, and the spread as a bar. Right of the
line we are faster. An arrow stands where the aim is: <span class="good">green</span> is met, <span class="bad">red</span> is not.</p>
${figures.join("\n")}
</body>
</html>
`;
}

function figure(group: string, blocks: readonly Block[]): string {
  const ratios = blocks.flatMap(({ comparison }) => comparison.peers.flatMap(({ spread, aim }) => [...spread, aim ?? 1]));
  const low = Math.min(1 / 1.5, ...ratios) / 1.15;
  const high = Math.max(1.5, ...ratios) * 1.15;
  const x = (ratio: number) => LEFT + ((Math.log(ratio) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (RIGHT - LEFT);
  const parts: string[] = [];
  let y = TOP;
  for (const { name, comparison } of blocks) {
    y += ROW;
    parts.push(`<text class="name" x="0" y="${y - 4}">${escaped(name)}</text>`);
    y += ROW;
    parts.push(`<text x="14" y="${y - 6}">${escaped(comparison.ours.name)}</text>${value(comparison.ours.nsPerOp, y)}`);
    parts.push(`<path class="ours" d="M${at(x(1))} ${y - 18}v16"/>`);
    for (const { name, nsPerOp, ratio, spread, aim } of comparison.peers) {
      y += ROW;
      const verdict = aim === undefined ? "peer" : ratio >= aim ? "good" : "bad";
      parts.push(`<text x="14" y="${y - 6}">${escaped(name)}</text>${value(nsPerOp, y)}`);
      parts.push(`<path class="ours" d="M${at(x(1))} ${y - ROW}v${ROW}"/>`);
      parts.push(`<path class="bar ${verdict}" d="M${at(x(spread[0]))} ${y - 10}H${at(x(spread[1]))}"/>`);
      parts.push(`<circle class="${verdict}" cx="${at(x(ratio))}" cy="${y - 10}" r="4.5"/>`);
      if (aim !== undefined) parts.push(`<path class="aim ${verdict}" d="M${at(x(aim))} ${y - 16}l-4 -5h8z"/>`);
      parts.push(`<text x="${RIGHT + 10}" y="${y - 6}">${times(ratio)}</text>`);
    }
    y += 6;
  }
  const ticks = TICKS.filter((tick) => tick >= low && tick <= high);
  // Not so many that their numbers run into each other.
  const every = Math.ceil((ticks.length * 44) / (RIGHT - LEFT));
  const grid = ticks
    .filter((tick) => tick === 1 || ticks.indexOf(tick) % every === ticks.indexOf(1) % every)
    .map((tick) => {
      const label = `<text x="${at(x(tick))}" y="${TOP - 8}" text-anchor="middle">${tick === 1 ? "ours" : `${tick}×`}</text>`;
      return `<path class="grid" d="M${at(x(tick))} ${TOP}V${y}"/>${label}`;
    });
  return `<figure><figcaption><h2>${escaped(group)}</h2></figcaption><div><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" role="img" aria-label="${escaped(group)}">${grid.join("")}${parts.join("")}</svg></div></figure>`;
}

/** The time of one operation, at the right. */
function value(ns: number, y: number): string {
  return `<text class="value" x="${WIDTH}" y="${y - 6}" text-anchor="end">${time(ns)}</text>`;
}

function time(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(ns >= 1e8 ? 0 : 1)} ms`;
  if (ns >= 1e4) return `${(ns / 1e3).toFixed(1)} µs`;
  return `${ns.toFixed(ns >= 100 ? 0 : 1)} ns`;
}

function times(ratio: number): string {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)}×`;
}

function at(place: number): string {
  return place.toFixed(1);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[mark] as string);
}

const LIGHT = "--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--grid:#e3e6ea;--peer:#0072b2;--good:#00704f;--bad:#b23c00";
const DARK = "--paper:#14171b;--ink:#e8eaed;--quiet:#a2abb5;--grid:#2c3138;--peer:#5db5ee;--good:#4cd3a5;--bad:#ff9c66";
const FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif';
const STYLE = `
:root{color-scheme:light dark;${LIGHT}}@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
@page{margin:14mm}*{box-sizing:border-box}
body{margin:0 auto;max-width:920px;padding:32px 20px 48px;background:var(--paper);color:var(--ink);font:16px/1.5 ${FONT}}
h1{font-size:26px;line-height:1.25;margin:0 0 12px}h2{font-size:18px;margin:0 0 4px}p{margin:0 0 10px;color:var(--quiet);font-size:14px}
figure{margin:28px 0 0;break-inside:avoid}figure div{overflow-x:auto}svg{display:block;width:100%;min-width:640px;height:auto}
svg text{font:12px/1.2 ${FONT};fill:var(--quiet)}svg .name{fill:var(--ink);font-weight:600;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
svg .value{font-variant-numeric:tabular-nums}svg .grid{stroke:var(--grid)}svg .ours{stroke:var(--ink);stroke-width:2}
svg .bar{stroke-width:3;stroke-linecap:round;opacity:.55}svg .peer{fill:var(--peer);stroke:var(--peer)}
svg .good{fill:var(--good);stroke:var(--good)}svg .bad{fill:var(--bad);stroke:var(--bad)}span.good{color:var(--good)}span.bad{color:var(--bad)}
@media print{body{max-width:none;padding:0;font-size:11pt}svg{min-width:0}}`;
