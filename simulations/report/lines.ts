/**
 * Lines: a grid, bands, level lines, the lines themselves, and each line's name at its end, moved apart where they would overlap.
 */
import type { Chart, Point, Series } from "./chart.js";
import { at, besideNames, columns, type Drawing, type Inner, labels, rows, svg, visible } from "./frame.js";
import { linearScale, logScale, type Scale } from "./scale.js";
import { COLOURS, DASHES, LIKE_DASH } from "./style.js";
import { escaped } from "./text.js";

/** Names are at least this far apart, in units of the drawing; the height of a line of text. */
const NAME_STEP = 15;
/** How far below its line the name of a level stands, where it stands below. */
const LEVEL_BELOW = 13;
/** Rows of the names of bands are this far apart, and a character of them is about so wide, at the most. */
const BAND_STEP = 14;
const BAND_CHARACTER = 7;
/** More points than this in one line cannot be told apart: per column of the drawing the lowest and the highest remain. */
const MAX_POINTS = 1600;
/** Lines with no more points than this show them. */
const MAX_DOTS = 12;

export function drawLines(chart: Chart, { style, paint: given = (_, place) => place }: Drawing): string {
  const inner = besideNames(chart.series.map(({ name }) => name));
  const { x, y } = scalesOf(chart);
  const px = (value: number) => inner.left + x.place(value) * (inner.right - inner.left);
  const bands = bandsOf(chart, x, px);
  inner.top += BAND_STEP * Math.max(0, ...bands.map(({ row }) => row));
  const py = (value: number) => inner.bottom - y.place(value) * (inner.bottom - inner.top);
  // What is like another series has its colour.
  const paint = (series: Series, place: number) => {
    const model = chart.series.findIndex((each) => each.name === series.like);
    return model < 0 ? given(series.name, place) : given(chart.series[model].name, model);
  };
  const pen: Pen = { logX: chart.xScale === "log", logY: chart.yScale === "log", px, py };
  const parts: string[] = [];

  for (const { label, from, to, shaded, row } of bands) {
    const height = inner.bottom - inner.top;
    if (shaded) parts.push(`<rect class="band" x="${at(from)}" y="${inner.top}" width="${at(to - from)}" height="${height}"/>`);
    else parts.push(`<path class="edge" d="M${at(from)} ${inner.top}V${inner.bottom}"/>`);
    const place = `x="${at((from + to) / 2)}" y="${inner.top - 8 - BAND_STEP * row}"`;
    parts.push(`<text class="band-name" ${place} text-anchor="middle">${escaped(label)}</text>`);
  }
  parts.push(rows(y, inner), columns(x, inner), labels(chart.xLabel, chart.yLabel, inner));
  chart.series.forEach((series, i) => {
    const dash = series.like === undefined ? DASHES[i % DASHES.length] : LIKE_DASH;
    parts.push(lineOf(series, { dash, colour: paint(series, i) % COLOURS }, pen));
  });
  const levels = (chart.lines ?? []).filter((level) => visible(level.y, pen.logY));
  for (const { y: value, label } of levels) {
    const height = py(value);
    // A name stands above its line, or below it where the next line leaves no room.
    const crowded = levels.some((other) => other.y > value && height - py(other.y) < NAME_STEP);
    parts.push(`<path class="level" d="M${inner.left} ${at(height)}H${at(inner.right)}"/>`);
    const place = `x="${inner.left + 6}" y="${at(crowded ? height + LEVEL_BELOW : height - 5)}"`;
    parts.push(`<text class="level-name halo" ${place}>${escaped(label)}</text>`);
  }
  parts.push(names(chart, inner, paint, pen));
  return svg(chart, style, parts);
}

interface DrawnBand {
  label: string;
  from: number;
  to: number;
  shaded: boolean;
  /** Of its name, from below: names that would meet stand in different rows. */
  row: number;
}

/** The bands that can be seen, and where their names have room. */
function bandsOf({ bands = [] }: Chart, x: Scale, px: (value: number) => number): DrawnBand[] {
  const drawn: DrawnBand[] = [];
  /** By row, where the last name ends. */
  const ends: number[] = [];
  for (const [i, { fromX, toX, label }] of bands.entries()) {
    const from = px(Math.max(fromX, x.from));
    const to = px(Math.min(toX, x.to));
    if (!(to > from)) continue;
    const half = (label.length * BAND_CHARACTER) / 2;
    let row = ends.findIndex((end) => end < (from + to) / 2 - half);
    if (row < 0) row = ends.length;
    ends[row] = (from + to) / 2 + half;
    drawn.push({ label, from, to, shaded: i % 2 === 1, row });
  }
  return drawn;
}

/** How points come to paper. */
interface Pen {
  logX: boolean;
  logY: boolean;
  px(value: number): number;
  py(value: number): number;
}

function scalesOf(chart: Chart): { x: Scale; y: Scale } {
  const log = chart.yScale === "log";
  const logX = chart.xScale === "log";
  let fromX = Number.POSITIVE_INFINITY;
  let toX = Number.NEGATIVE_INFINITY;
  let fromY = Number.POSITIVE_INFINITY;
  let toY = Number.NEGATIVE_INFINITY;
  for (const series of [...chart.series, ...(chart.roomFor ?? [])]) {
    for (const point of series.points) {
      if (!visible(point.x, logX) || !visible(point.y, log)) continue;
      fromX = Math.min(fromX, point.x);
      toX = Math.max(toX, point.x);
      fromY = Math.min(fromY, point.y);
      toY = Math.max(toY, point.y);
    }
  }
  for (const band of chart.bands ?? []) {
    fromX = Math.min(fromX, band.fromX);
    toX = Math.max(toX, band.toX);
  }
  for (const level of chart.lines ?? []) {
    if (!visible(level.y, log)) continue;
    fromY = Math.min(fromY, level.y);
    toY = Math.max(toY, level.y);
  }
  if (fromX > toX) [fromX, toX] = logX ? [1, 10] : [0, 1];
  if (fromY > toY) [fromY, toY] = log ? [1, 10] : [0, 1];
  return {
    x: logX ? logScale(fromX, Math.max(toX, fromX * 2)) : linearScale(fromX, toX, 10, false),
    y: log ? logScale(fromY, Math.max(toY, fromY * 2)) : linearScale(Math.min(fromY, 0), Math.max(toY, 0), 5, true),
  };
}

function lineOf(series: Series, { dash, colour }: { dash: string; colour: number }, { logX, logY, px, py }: Pen): string {
  let path = "";
  let dots = "";
  let run: Point[] = [];
  const every = series.points.length <= MAX_DOTS;
  const flush = () => {
    run.forEach((point, k) => {
      if (run.length > 1) path += `${k === 0 ? "M" : "L"}${at(px(point.x))} ${at(py(point.y))}`;
      if (every || run.length === 1) dots += dotOf(point, series.like !== undefined, colour, px, py);
    });
    run = [];
  };
  for (const point of thinned(series.points)) {
    if (visible(point.y, logY) && visible(point.x, logX)) run.push(point);
    else flush();
  }
  flush();
  const line =
    path === "" ? "" : `<path class="line c${colour}"${dash === "" ? "" : ` stroke-dasharray="${dash}"`} d="${path}"/>`;
  return line + dots;
}

/** A point of its own, hollow when it is only compared with, and how certain it is. */
function dotOf({ x, y, within }: Point, hollow: boolean, colour: number, px: Pen["px"], py: Pen["py"]): string {
  const place = `cx="${at(px(x))}" cy="${at(py(y))}" r="${hollow ? 3 : 2.5}"`;
  const dot = hollow ? `<circle class="hollow c${colour}" ${place}/>` : `<circle class="f${colour}" ${place}/>`;
  if (within === undefined || !(within > 0) || within >= y) return dot;
  const [low, high] = [at(py(y - within)), at(py(y + within))];
  const [left, right] = [at(px(x) - 4), at(px(x) + 4)];
  return `<path class="line c${colour}" d="M${at(px(x))} ${low}V${high}M${left} ${low}H${right}M${left} ${high}H${right}"/>${dot}`;
}

/** At most about `MAX_POINTS`, with every peak and dip kept. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MAX_POINTS) return points;
  const kept: Point[] = [];
  const size = Math.ceil((2 * points.length) / MAX_POINTS);
  for (let start = 0; start < points.length; start += size) {
    const slice = points.slice(start, start + size);
    let low = 0;
    let high = 0;
    for (let k = 1; k < slice.length; k++) {
      if (!(slice[k].y >= slice[low].y)) low = k;
      if (slice[k].y > slice[high].y) high = k;
    }
    kept.push(slice[Math.min(low, high)]);
    if (low !== high) kept.push(slice[Math.max(low, high)]);
  }
  return kept;
}

/** Each line's name beside its last point, moved apart, with a hair line from one to the other. */
function names(
  chart: Chart,
  inner: Inner,
  paint: (series: Series, place: number) => number,
  { logX, logY, px, py }: Pen,
): string {
  const ends = chart.series.flatMap((series, i) => {
    const last = series.points.findLast((point) => visible(point.y, logY) && visible(point.x, logX));
    if (last === undefined) return [];
    return [{ name: series.name, i: paint(series, i), x: px(last.x), y: py(last.y), at: py(last.y) }];
  });
  ends.sort((a, b) => a.y - b.y || a.i - b.i);
  const step = Math.min(NAME_STEP, (inner.bottom - inner.top + NAME_STEP) / Math.max(ends.length, 1));
  for (let k = 1; k < ends.length; k++) ends[k].at = Math.max(ends[k].at, ends[k - 1].at + step);
  const over = ends.length === 0 ? 0 : ends[ends.length - 1].at - inner.bottom;
  if (over > 0) {
    ends[ends.length - 1].at -= over;
    for (let k = ends.length - 2; k >= 0; k--) ends[k].at = Math.min(ends[k].at, ends[k + 1].at - step);
  }
  return ends
    .map((end) => {
      const colour = end.i % COLOURS;
      const lead = `<path class="lead c${colour}" d="M${at(end.x + 3)} ${at(end.y)}L${at(inner.right + 12)} ${at(end.at)}"/>`;
      return `${lead}<text class="name f${colour}" x="${at(inner.right + 16)}" y="${at(end.at + 4)}">${escaped(end.name)}</text>`;
    })
    .join("");
}
