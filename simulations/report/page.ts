/**
 * A report as one HTML file: what happened in words, then pictures, then the numbers behind them. Nothing is fetched and
 * nothing runs, so it can be mailed, printed, and read in ten years.
 */
import type { Picture, Table } from "./chart.js";
import { drawPicture, namesIn } from "./draw.js";
import type { Drawing } from "./frame.js";
import { readable } from "./scale.js";
import { COLOURS, PAGE_STYLE } from "./style.js";
import { escaped } from "./text.js";

export interface Report {
  title: string;
  /** What happened, a few sentences with numbers; one paragraph each. */
  summary: readonly string[];
  charts: readonly Picture[];
  tables?: readonly Table[];
}

/**
 * The report as a self-contained HTML page with SVG pictures, for light and dark screens and for paper.
 *
 * @example writeFileSync("report.html", renderReport({ title: "Flood", summary: ["p99 fell from 900 to 40 ms."], charts }))
 */
export function renderReport(report: Report): string {
  const paint = painter(report.charts);
  const summary = report.summary.map((sentence) => `<p>${escaped(sentence)}</p>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(report.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<h1>${escaped(report.title)}</h1>
${summary === "" ? "" : `<div class="summary">\n${summary}\n</div>`}
${report.charts.map((chart) => figure(chart, paint)).join("\n")}
${(report.tables ?? []).map(section).join("\n")}
</body>
</html>
`;
}

/** A name keeps its colour over all pictures of a page, as long as there are colours for all names. */
function painter(charts: readonly Picture[]): Drawing["paint"] {
  const names = [...new Set(charts.flatMap(namesIn))];
  return names.length > COLOURS ? undefined : (name) => names.indexOf(name);
}

function figure(chart: Picture, paint: Drawing["paint"]): string {
  const caption = chart.caption === undefined ? "" : `<p>${escaped(chart.caption)}</p>`;
  return `<figure><figcaption><h2>${escaped(chart.title)}</h2>${caption}</figcaption><div class="picture">${drawPicture(chart, paint === undefined ? {} : { paint })}</div></figure>`;
}

function section(table: Table): string {
  const numeric = table.columns.map((_, c) => table.rows.length > 0 && table.rows.every((row) => typeof row[c] === "number"));
  const cell = (tag: string, c: number, value: string | number | undefined) => {
    const text = typeof value === "number" ? readable(value) : (value ?? "");
    const kind = numeric[c] ? "number" : text === "met" ? "good" : text === "not met" ? "bad" : "";
    return `<${tag}${kind === "" ? "" : ` class="${kind}"`}>${escaped(text)}</${tag}>`;
  };
  const head = table.columns.map((name, c) => cell("th", c, name)).join("");
  const rows = table.rows.map((row) => `<tr>${table.columns.map((_, c) => cell("td", c, row[c])).join("")}</tr>`).join("\n");
  const caption = table.caption === undefined ? "" : `<p>${escaped(table.caption)}</p>`;
  return `<section><h2>${escaped(table.title)}</h2>${caption}<div class="rows"><table><thead><tr>${head}</tr></thead><tbody>\n${rows}\n</tbody></table></div></section>`;
}
