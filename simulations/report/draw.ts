/**
 * From a picture's description to SVG, by hand: no script, no library, the same bytes for the same picture.
 */
import { drawBoxes } from "./boxes.js";
import type { Picture } from "./chart.js";
import type { Drawing } from "./frame.js";
import { drawHeatMap } from "./heat-map.js";
import { drawLines } from "./lines.js";
import { drawOccupancy } from "./occupancy.js";
import { COLOURS, PICTURE_STYLE } from "./style.js";

/**
 * One picture.
 *
 * @param among the pictures it will be seen with: a name has one colour in all of them
 * @returns `<svg>…</svg>`, self-contained, for light and dark
 * @example renderChart({ title: "Disk", xLabel: "time (s)", yLabel: "slowdown", series: [{ name: "disk", points }] })
 */
export function renderChart(picture: Picture, among: readonly Picture[] = [picture]): string {
  return drawPicture(picture, { style: PICTURE_STYLE, ...paintOf(among) });
}

/** As `renderChart`, for a page. */
export function drawPicture(picture: Picture, drawing: Drawing): string {
  if (picture.kind === "boxes") return drawBoxes(picture, drawing);
  if (picture.kind === "occupancy") return drawOccupancy(picture, drawing);
  if (picture.kind === "heat-map") return drawHeatMap(picture, drawing);
  return drawLines(picture, drawing);
}

/** A name keeps its colour over all pictures of a page, as long as there are colours for all names. */
export function paintOf(pictures: readonly Picture[]): Pick<Drawing, "paint"> {
  const names = [...new Set(pictures.flatMap(namesIn))];
  return names.length > COLOURS ? {} : { paint: (name) => names.indexOf(name) };
}

/** The names that have a colour in a picture. */
function namesIn(picture: Picture): string[] {
  if (picture.kind === "occupancy" || picture.kind === "heat-map") return [];
  if (picture.kind === "boxes") return picture.series.map((series) => series.name);
  return picture.series.filter((series) => series.like === undefined).map((series) => series.name);
}
