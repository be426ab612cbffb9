/**
 * How something depends on two numbers at once: small pictures, at most three side by side, one for each thing measured, over the same
 * two axes.
 * The darker a cell, the worse; its value stands in it, and the one that is the default has a frame. Drawn by hand like the charts.
 */
import type { HeatMap } from "./chart.js";
import type { Drawing } from "./frame.js";
import { readable } from "./scale.js";
import { escaped } from "./text.js";

/** Pictures side by side: more would be too small to read on a page. */
const ACROSS = 3;
const CELL_WIDTH = 54;
const CELL_HEIGHT = 26;
const LEFT = 60;
const GAP = 26;
const TOP = 26;
const BOTTOM = 44;

/** The map as SVG. */
export function drawHeatMap({ title, caption, xLabel, yLabel, xs, ys, mark, panels }: HeatMap, { style }: Drawing): string {
  // Rows of equal length where that is possible: four are two and two.
  const across = Math.ceil(panels.length / Math.ceil(panels.length / ACROSS));
  const tall = TOP + ys.length * CELL_HEIGHT + BOTTOM;
  const width = LEFT + across * (xs.length * CELL_WIDTH + GAP);
  const height = Math.ceil(panels.length / across) * tall;
  const parts: string[] = [];
  panels.forEach(({ name, worst, values }, p) => {
    const left = LEFT + (p % across) * (xs.length * CELL_WIDTH + GAP);
    const top = TOP + Math.floor(p / across) * tall;
    const centre = left + (xs.length * CELL_WIDTH) / 2;
    if (p % across === 0) {
      const middle = top + (ys.length * CELL_HEIGHT) / 2;
      parts.push(`<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`);
      ys.forEach((y, j) => {
        parts.push(`<text x="${LEFT - 8}" y="${top + j * CELL_HEIGHT + 17}" text-anchor="end">${readable(y)}</text>`);
      });
    }
    parts.push(`<text class="name" x="${centre}" y="${top - 9}" text-anchor="middle">${escaped(name)}</text>`);
    values.forEach((row, j) => {
      row.forEach((value, i) => {
        const at = `x="${left + i * CELL_WIDTH}" y="${top + j * CELL_HEIGHT}" width="${CELL_WIDTH - 1}" height="${CELL_HEIGHT - 1}"`;
        const bad = Number.isFinite(value) ? Math.min(Math.max(value / worst, 0), 1) : 1;
        const marked = mark !== undefined && mark.x === i && mark.y === j;
        const frame = marked ? ` stroke="currentColor" stroke-width="2"` : "";
        parts.push(`<rect class="f1" ${at} fill-opacity="${(0.06 + 0.74 * bad).toFixed(2)}"${frame}/>`);
        const x = left + (i + 0.5) * CELL_WIDTH;
        parts.push(
          `<text class="cell" x="${x}" y="${top + j * CELL_HEIGHT + 17}" text-anchor="middle">${readable(value)}</text>`,
        );
      });
    });
    const under = top + ys.length * CELL_HEIGHT;
    xs.forEach((x, i) => {
      parts.push(`<text x="${left + (i + 0.5) * CELL_WIDTH}" y="${under + 16}" text-anchor="middle">${readable(x)}</text>`);
    });
    parts.push(`<text x="${centre}" y="${under + 35}" text-anchor="middle">${escaped(xLabel)}</text>`);
  });
  const label = escaped(`${title}. ${caption ?? ""}`);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" style="color:var(--ink)">`;
  return `${head}${style === undefined ? "" : `<style>${style}</style>`}${parts.join("")}</svg>`;
}
