/**
 * A report as one HTML file: what happened in words, then pictures, then the numbers behind them. Nothing is fetched and
 * nothing runs, so it can be mailed, printed, and read in ten years.
 */
import type { Chart, Picture, Table } from "./chart.js";
import { drawPicture, paintOf } from "./draw.js";
import type { Drawing } from "./frame.js";
import { readable } from "./scale.js";
import { PAGE_STYLE } from "./style.js";
import { escaped } from "./text.js";

/** A page: a title, what happened in sentences, pictures, tables. */
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
  const paint = paintOf(report.charts);
  return page(report, report.charts.map((chart) => figure(chart, paint)).join("\n"));
}

/** One side of a comparison. */
export interface Side {
  name: string;
  /** What happened there, as in a report. */
  summary?: readonly string[];
  charts: readonly Picture[];
}

/**
 * Two runs of the same thing as one page: what happened in the first beside what did in the second, and each picture beside that of
 * the same title, to one scale.
 *
 * @param report its own charts are left out
 */
export function renderComparison(report: Omit<Report, "charts">, left: Side, right: Side): string {
  const paint = paintOf([...left.charts, ...right.charts]);
  const titles = [...new Set([...left.charts, ...right.charts].map(({ title }) => title))];
  const pairs = titles.map((title) => {
    const [one, other] = [left, right].map(({ charts }) => charts.find((chart) => chart.title === title));
    const side = (name: string, chart?: Picture, beside?: Picture) =>
      `<div><p>${escaped(name)}</p>${chart === undefined ? "" : figure(toOneScale(chart, beside), paint)}</div>`;
    return `<div class="sides">${side(left.name, one, other)}${side(right.name, other, one)}</div>`;
  });
  const told = [left, right].map(({ name, summary = [] }) => `<div><p>${escaped(name)}</p>${summaryOf(summary)}</div>`);
  return page(report, [`<div class="sides">${told.join("")}</div>`, ...pairs].join("\n"));
}

/** Lines are drawn with room for those of the other side. */
function toOneScale(chart: Picture, beside: Picture | undefined): Picture {
  const ofLines = (picture: Picture): picture is Chart => picture.kind === undefined || picture.kind === "lines";
  return beside !== undefined && ofLines(chart) && ofLines(beside) ? { ...chart, roomFor: beside.series } : chart;
}

function page(report: Omit<Report, "charts">, pictures: string): string {
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
${summaryOf(report.summary)}
${pictures}
${(report.tables ?? []).map(section).join("\n")}
</body>
</html>
`;
}

function summaryOf(sentences: readonly string[]): string {
  if (sentences.length === 0) return "";
  return `<div class="summary">\n${sentences.map((sentence) => `<p>${escaped(sentence)}</p>`).join("\n")}\n</div>`;
}

function figure(chart: Picture, paint: Pick<Drawing, "paint">): string {
  const caption = chart.caption === undefined ? "" : `<p>${escaped(chart.caption)}</p>`;
  return `<figure><figcaption><h2>${escaped(chart.title)}</h2>${caption}</figcaption><div class="picture">${drawPicture(chart, paint)}</div></figure>`;
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
