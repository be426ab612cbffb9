/**
 * From a `Chart` to an SVG picture, by hand: a grid, bands, level lines, the lines themselves, and each line's name at its
 * end, moved apart where they would overlap. No script, no library, the same bytes for the same chart.
 */
import type { Chart, Point, Series } from "./chart.js";
import { linearScale, logScale, readable, type Scale } from "./scale.js";
import { COLOURS, DASHES, PICTURE_STYLE } from "./style.js";
import { escaped } from "./text.js";

const WIDTH = 860;
const HEIGHT = 320;
const LEFT = 62;
const TOP = 24;
const BOTTOM = 46;
/** Names are at least this far apart, in units of the drawing; the height of a line of text. */
const NAME_STEP = 15;
/** About the mean width of a character, to leave room for the names. */
const CHARACTER = 8.4;
/** More points than this in one line cannot be told apart: per column of the drawing the lowest and the highest remain. */
const MAX_POINTS = 1600;

/**
 * One chart as a picture.
 *
 * @returns `<svg>…</svg>`, self-contained, for light and dark
 * @example renderChart({ title: "Disk", xLabel: "time (s)", yLabel: "slowdown", series: [{ name: "disk", points }] })
 */
export function renderChart(chart: Chart): string {
  return drawChart(chart, { style: PICTURE_STYLE });
}

/** What a page knows better than a chart. */
export interface Drawing {
  /** Styles to put into the picture; none for a page that has them. */
  style?: string;
  /** Number of a line's colour, by its name and its place in the chart; default: its place. Dashes go by place. */
  paint?: (name: string, place: number) => number;
}

/** As `renderChart`, for a page. */
export function drawChart(chart: Chart, { style, paint = (_, place) => place }: Drawing): string {
  const longest = Math.max(0, ...chart.series.map((series) => series.name.length));
  const right = Math.min(Math.max(longest * CHARACTER + 26, 40), 260);
  const inner = { left: LEFT, right: WIDTH - right, top: TOP, bottom: HEIGHT - BOTTOM };
  const { x, y } = scalesOf(chart);
  const log = chart.yScale === "log";
  const px = (value: number) => inner.left + x.place(value) * (inner.right - inner.left);
  const py = (value: number) => inner.bottom - y.place(value) * (inner.bottom - inner.top);
  const parts: string[] = [];

  for (const [i, band] of (chart.bands ?? []).entries()) {
    const from = px(Math.max(band.fromX, x.from));
    const to = px(Math.min(band.toX, x.to));
    if (!(to > from)) continue;
    const height = inner.bottom - inner.top;
    if (i % 2 === 1)
      parts.push(`<rect class="band" x="${at(from)}" y="${inner.top}" width="${at(to - from)}" height="${height}"/>`);
    else parts.push(`<path class="edge" d="M${at(from)} ${inner.top}V${inner.bottom}"/>`);
    parts.push(
      `<text class="band-name" x="${at((from + to) / 2)}" y="${inner.top - 8}" text-anchor="middle">${escaped(band.label)}</text>`,
    );
  }
  for (const tick of y.ticks) {
    parts.push(`<path class="grid" d="M${inner.left} ${at(py(tick))}H${at(inner.right)}"/>`);
    parts.push(`<text x="${inner.left - 8}" y="${at(py(tick) + 4)}" text-anchor="end">${readable(tick)}</text>`);
  }
  for (const tick of x.ticks) {
    parts.push(`<path class="axis" d="M${at(px(tick))} ${inner.bottom}v5"/>`);
    parts.push(`<text x="${at(px(tick))}" y="${inner.bottom + 19}" text-anchor="middle">${readable(tick)}</text>`);
  }
  parts.push(`<path class="axis" d="M${inner.left} ${inner.bottom}H${at(inner.right)}"/>`);
  parts.push(
    `<text x="${at((inner.left + inner.right) / 2)}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(chart.xLabel)}</text>`,
  );
  const middle = at((inner.top + inner.bottom) / 2);
  parts.push(`<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(chart.yLabel)}</text>`);

  chart.series.forEach((series, i) => {
    parts.push(lineOf(series, { dash: DASHES[i % DASHES.length], colour: paint(series.name, i) % COLOURS }, log, px, py));
  });
  for (const level of chart.lines ?? []) {
    if (!visible(level.y, log)) continue;
    const height = at(py(level.y));
    parts.push(`<path class="level" d="M${inner.left} ${height}H${at(inner.right)}"/>`);
    parts.push(`<text class="level-name halo" x="${inner.left + 6}" y="${at(py(level.y) - 5)}">${escaped(level.label)}</text>`);
  }
  parts.push(names(chart, inner, paint, px, py));
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${chart.title}. ${chart.caption ?? ""}`)}">`;
  return `${head}${style === undefined ? "" : `<style>${style}</style>`}${parts.join("")}</svg>`;
}

function scalesOf(chart: Chart): { x: Scale; y: Scale } {
  const log = chart.yScale === "log";
  let fromX = Number.POSITIVE_INFINITY;
  let toX = Number.NEGATIVE_INFINITY;
  let fromY = Number.POSITIVE_INFINITY;
  let toY = Number.NEGATIVE_INFINITY;
  for (const series of [...chart.series, ...(chart.roomFor ?? [])]) {
    for (const point of series.points) {
      if (!Number.isFinite(point.x) || !visible(point.y, log)) continue;
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
  if (fromX > toX) [fromX, toX] = [0, 1];
  if (fromY > toY) [fromY, toY] = log ? [1, 10] : [0, 1];
  return {
    x: linearScale(fromX, toX, 10, false),
    y: log ? logScale(fromY, Math.max(toY, fromY * 2)) : linearScale(Math.min(fromY, 0), Math.max(toY, 0), 5, true),
  };
}

function visible(value: number, log: boolean): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}

type Place = (value: number) => number;

function lineOf(series: Series, { dash, colour }: { dash: string; colour: number }, log: boolean, px: Place, py: Place): string {
  let path = "";
  let dots = "";
  let run: Point[] = [];
  const flush = () => {
    if (run.length === 1) dots += `<circle class="f${colour}" cx="${at(px(run[0].x))}" cy="${at(py(run[0].y))}" r="2.5"/>`;
    else
      run.forEach((point, k) => {
        path += `${k === 0 ? "M" : "L"}${at(px(point.x))} ${at(py(point.y))}`;
      });
    run = [];
  };
  for (const point of thinned(series.points)) {
    if (visible(point.y, log) && Number.isFinite(point.x)) run.push(point);
    else flush();
  }
  flush();
  const line =
    path === "" ? "" : `<path class="line c${colour}"${dash === "" ? "" : ` stroke-dasharray="${dash}"`} d="${path}"/>`;
  return line + dots;
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
  inner: { right: number; top: number; bottom: number },
  paint: (name: string, place: number) => number,
  px: Place,
  py: Place,
): string {
  const log = chart.yScale === "log";
  const ends = chart.series.flatMap((series, i) => {
    const last = series.points.findLast((point) => visible(point.y, log) && Number.isFinite(point.x));
    if (last === undefined) return [];
    return [{ name: series.name, i: paint(series.name, i), x: px(last.x), y: py(last.y), at: py(last.y) }];
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

/** A coordinate with one decimal. */
function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}
