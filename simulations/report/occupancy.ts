/**
 * Who occupied which slot when: a row per slot, time along x, colour by size in eight steps of its logarithm. Time is cut into
 * columns that can be told apart; each shows the size that filled most of it, and equal neighbours are drawn as one.
 */
import type { OccupancyChart } from "./chart.js";
import { at, BOTTOM, columns, type Drawing, type Inner, LEFT, labels, svg, TOP, WIDTH } from "./frame.js";
import { linearScale, readable } from "./scale.js";
import { SIZES } from "./style.js";
import { escaped } from "./text.js";

const COLUMNS = 300;
/** Height of a row, at most; all rows together, at most. */
const ROW = 40;
const ROWS = 260;
const LEGEND = 118;

export function drawOccupancy(chart: OccupancyChart, { style }: Drawing): string {
  const row = Math.max(1, Math.min(ROW, ROWS / Math.max(chart.slots, 1)));
  const height = Math.round(TOP + row * chart.slots + BOTTOM);
  const inner: Inner = { left: LEFT, right: WIDTH - LEGEND, top: TOP, bottom: height - BOTTOM };
  const bounds = boundsOf(chart);
  const step = (inner.right - inner.left) / COLUMNS;
  const paths = new Array<string>(SIZES).fill("");
  cells(chart, bounds).forEach((cellRow, slot) => {
    for (let from = 0; from < COLUMNS; ) {
      const size = cellRow[from];
      let to = from + 1;
      while (to < COLUMNS && cellRow[to] === size) to += 1;
      if (size >= 0) {
        const width = at((to - from) * step);
        paths[size] += `M${at(inner.left + from * step)} ${at(inner.top + slot * row)}h${width}v${at(row * 0.9)}h-${width}z`;
      }
      from = to;
    }
  });
  const parts = paths.map((path, size) => (path === "" ? "" : `<path class="q${size}" d="${path}"/>`));
  parts.push(columns(linearScale(chart.fromX, chart.toX, 10, false), inner), labels(chart.xLabel, "slot", inner, height));
  for (const slot of new Set([0, chart.slots - 1])) {
    parts.push(`<text x="${LEFT - 8}" y="${at(inner.top + (slot + 0.5) * row + 4)}" text-anchor="end">${slot}</text>`);
  }
  parts.push(`<text x="${inner.right + 12}" y="${inner.top - 8}">${escaped(chart.sizeLabel)}</text>`);
  for (let size = 0; size < SIZES; size++) {
    const y = inner.top + 14 * size;
    const from = Math.exp(bounds.from + (size / SIZES) * (bounds.to - bounds.from));
    parts.push(`<path class="q${size}" d="M${inner.right + 12} ${at(y)}h14v11h-14z"/>`);
    parts.push(`<text x="${inner.right + 32}" y="${at(y + 10)}">${readable(Number(from.toPrecision(2)))}</text>`);
  }
  return svg(chart, style, parts, Math.max(height, TOP + 14 * SIZES + BOTTOM));
}

/** The logarithms of the least and the greatest size. */
function boundsOf({ stints }: OccupancyChart): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { size } of stints) {
    if (!(size > 0)) continue;
    from = Math.min(from, Math.log(size));
    to = Math.max(to, Math.log(size));
  }
  if (from > to) return { from: 0, to: 1 };
  return { from, to: to > from ? to : from + 1 };
}

/** By slot and column the step of size that filled most of it; −1: none. */
function cells({ slots, fromX, toX, stints }: OccupancyChart, bounds: { from: number; to: number }): Int8Array[] {
  const width = (toX - fromX) / COLUMNS;
  const filled = Array.from({ length: slots }, () => new Float32Array(COLUMNS * SIZES));
  for (const { slot, fromX: start, toX: end, size } of stints) {
    if (!(size > 0) || slot < 0 || slot >= slots) continue;
    const step = Math.min(SIZES - 1, Math.floor(((Math.log(size) - bounds.from) / (bounds.to - bounds.from)) * SIZES));
    const last = Math.min(COLUMNS - 1, Math.floor((end - fromX) / width));
    for (let column = Math.max(0, Math.floor((start - fromX) / width)); column <= last; column++) {
      const left = fromX + column * width;
      const part = Math.min(end, left + width) - Math.max(start, left);
      if (part > 0) filled[slot][column * SIZES + step] += part;
    }
  }
  return filled.map((row) => {
    return Int8Array.from({ length: COLUMNS }, (_, column) => {
      let best = -1;
      for (let step = 0; step < SIZES; step++) {
        const here = row[column * SIZES + step];
        if (here > 0 && (best < 0 || here > row[column * SIZES + best])) best = step;
      }
      return best;
    });
  });
}
