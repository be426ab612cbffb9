/** What all pictures share: the size, the grid with its ticks, the words along the axes. */
import type { Picture } from "./chart.js";
import { readable, type Scale } from "./scale.js";
import { escaped } from "./text.js";

export const WIDTH = 860;
export const HEIGHT = 320;
export const LEFT = 72;
export const TOP = 24;
export const BOTTOM = 46;
/** About the mean width of a character, to leave room for names. */
export const CHARACTER = 8.4;

/** Where the drawing proper is, in units of the picture. */
export interface Inner {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** What a page knows better than a picture. */
export interface Drawing {
  /** Styles to put into the picture; none for a page that has them. */
  style?: string;
  /** Number of a series' colour, by its name and its place in the picture; default: its place. Dashes go by place. */
  paint?: (name: string, place: number) => number;
}

/** Where a drawing is that has names at its right: they get the room the longest needs. */
export function besideNames(names: readonly string[]): Inner {
  const longest = Math.max(0, ...names.map((name) => name.length));
  const right = Math.min(Math.max(longest * CHARACTER + 26, 40), 260);
  return { left: LEFT, right: WIDTH - right, top: TOP, bottom: HEIGHT - BOTTOM };
}

/** The picture around its parts. */
export function svg(picture: Picture, style: string | undefined, parts: readonly string[], height = HEIGHT): string {
  const label = escaped(`${picture.title}. ${picture.caption ?? ""}`);
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">`;
  return `${head}${style === undefined ? "" : `<style>${style}</style>`}${parts.join("")}</svg>`;
}

/** Grid lines across, a number at each. */
export function rows(scale: Scale, { left, right, top, bottom }: Inner): string {
  let parts = "";
  for (const tick of scale.ticks) {
    const y = bottom - scale.place(tick) * (bottom - top);
    parts += `<path class="grid" d="M${left} ${at(y)}H${at(right)}"/>`;
    parts += `<text x="${left - 8}" y="${at(y + 4)}" text-anchor="end">${readable(tick)}</text>`;
  }
  return parts;
}

/** The axis below, ticks with numbers along it. */
export function columns(scale: Scale, { left, right, bottom }: Inner): string {
  let parts = "";
  for (const tick of scale.ticks) {
    const x = left + scale.place(tick) * (right - left);
    parts += `<path class="axis" d="M${at(x)} ${bottom}v5"/>`;
    parts += `<text x="${at(x)}" y="${bottom + 19}" text-anchor="middle">${readable(tick)}</text>`;
  }
  return `${parts}<path class="axis" d="M${left} ${bottom}H${at(right)}"/>`;
}

/** The words along the axes. */
export function labels(xLabel: string | undefined, yLabel: string, { left, right, top, bottom }: Inner, height = HEIGHT): string {
  const x =
    xLabel === undefined
      ? ""
      : `<text x="${at((left + right) / 2)}" y="${height - 8}" text-anchor="middle">${escaped(xLabel)}</text>`;
  const middle = at((top + bottom) / 2);
  return `${x}<text transform="translate(14 ${middle}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`;
}

/** A coordinate with one decimal. */
export function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Can it be drawn on such a scale? */
export function visible(value: number, log: boolean): boolean {
  return Number.isFinite(value) && (!log || value > 0);
}
