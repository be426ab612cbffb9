/**
 * Boxes: the middle half of a distribution as a box, its median as a bar, whiskers to the ends given; a cross where a value
 * stands to compare with. Their names stand at the right, as in other pictures.
 */
import type { Box, BoxChart } from "./chart.js";
import { at, besideNames, type Drawing, labels, rows, svg, visible } from "./frame.js";
import { linearScale, logScale, type Scale } from "./scale.js";
import { COLOURS } from "./style.js";
import { escaped } from "./text.js";

export function drawBoxes(chart: BoxChart, { style, paint = (_, place) => place }: Drawing): string {
  const inner = besideNames(chart.series.map(({ name }) => name));
  const log = chart.yScale === "log";
  const scale = scaleOf(chart, log);
  const py = (value: number) => inner.bottom - scale.place(value) * (inner.bottom - inner.top);
  const group = (inner.right - inner.left) / Math.max(chart.groups.length, 1);
  const step = (0.84 * group) / Math.max(chart.series.length, 1);
  const parts = [rows(scale, inner), labels(undefined, chart.yLabel, inner)];
  parts.push(`<path class="axis" d="M${inner.left} ${inner.bottom}H${at(inner.right)}"/>`);
  chart.groups.forEach((name, g) => {
    const left = inner.left + g * group;
    if (g > 0) parts.push(`<path class="grid" d="M${at(left)} ${inner.top}V${inner.bottom}"/>`);
    parts.push(`<text x="${at(left + group / 2)}" y="${inner.bottom + 19}" text-anchor="middle">${escaped(name)}</text>`);
    chart.series.forEach((series, i) => {
      const middle = left + 0.08 * group + (i + 0.5) * step;
      const box = series.boxes[g];
      const half = Math.min(0.36 * step, 14);
      if (box !== undefined) parts.push(boxOf(box, { middle, half, colour: paint(series.name, i) % COLOURS, log, py }));
      const mark = series.marks?.[g] ?? Number.NaN;
      if (!visible(mark, log)) return;
      const y = py(mark);
      parts.push(
        `<path class="mark" d="M${at(middle - 4)} ${at(y - 4)}l8 8m-8 0l8 -8"><title>${escaped(String(mark))}</title></path>`,
      );
    });
  });
  chart.series.forEach((series, i) => {
    const y = inner.top + 12 + 18 * i;
    const colour = paint(series.name, i) % COLOURS;
    parts.push(`<text class="name f${colour}" x="${at(inner.right + 16)}" y="${y}">${escaped(series.name)}</text>`);
  });
  return svg(chart, style, parts);
}

interface Place {
  middle: number;
  half: number;
  colour: number;
  log: boolean;
  py(value: number): number;
}

function boxOf({ low, q25, q50, q75, high }: Box, { middle, half, colour, log, py }: Place): string {
  if (![low, q25, q50, q75, high].every((value) => visible(value, log))) return "";
  const [bottom, top] = [py(q25), py(q75)];
  const [left, right] = [at(middle - half), at(middle + half)];
  const whiskers = `M${at(middle)} ${at(py(low))}V${at(bottom)}M${at(middle)} ${at(top)}V${at(py(high))}`;
  const caps = `M${at(middle - half / 2)} ${at(py(low))}h${at(half)}M${at(middle - half / 2)} ${at(py(high))}h${at(half)}`;
  return (
    `<path class="line c${colour}" style="stroke-width:1.2" d="${whiskers}${caps}"/>` +
    `<rect class="box c${colour}" x="${left}" y="${at(top)}" width="${at(2 * half)}" height="${at(Math.max(bottom - top, 0.5))}"/>` +
    `<path class="mid c${colour}" d="M${left} ${at(py(q50))}H${right}"/>`
  );
}

function scaleOf(chart: BoxChart, log: boolean): Scale {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  const see = (value: number | undefined) => {
    if (value === undefined || !visible(value, log)) return;
    from = Math.min(from, value);
    to = Math.max(to, value);
  };
  for (const { boxes, marks } of chart.series) {
    for (const box of boxes) for (const value of box === undefined ? [] : Object.values(box)) see(value);
    for (const mark of marks ?? []) see(mark);
  }
  if (from > to) [from, to] = log ? [1, 10] : [0, 1];
  return log ? logScale(from, Math.max(to, from * 2)) : linearScale(Math.min(from, 0), Math.max(to, 0), 5, true);
}
