/**
 * What a picture shows, apart from how it is drawn. A caller says nothing about colours or sizes.
 */
export type Picture = Chart | BoxChart | OccupancyChart | HeatMap;

/** Lines over a common x, bands that name stretches of it, and level lines worth comparing with. */
export interface Chart {
  kind?: "lines";
  /** What one should see, in a few words. */
  title: string;
  /** One sentence below the title: what was measured, and how. */
  caption?: string;
  /** With its unit, e.g. "time (s)". */
  xLabel: string;
  /** With its unit, e.g. "throughput (MB/s)". */
  yLabel: string;
  series: Series[];
  /** Default "linear", which always shows zero; "log" leaves out what is not positive. */
  yScale?: "linear" | "log";
  /** Default "linear"; "log" leaves out what is not positive. */
  xScale?: "linear" | "log";
  /** Not drawn, but given room: two pictures that have each other's lines here can be compared at a glance. */
  roomFor?: readonly Series[];
  /** Stretches of x with a name, such as the phases of a run. */
  bands?: Band[];
  /** Levels of y with a name, such as a target. */
  lines?: Level[];
}

/** One line, with a name. */
export interface Series {
  name: string;
  /** In order of x. A point whose y is not finite is a gap. */
  points: readonly Point[];
  /** Name of the series this is to be compared with, such as the measured one of a published one: the same colour, dotted. */
  like?: string;
}

export interface Point {
  x: number;
  y: number;
  /** Half the width of a confidence interval around y, drawn as a bar. */
  within?: number;
}

export interface Band {
  fromX: number;
  toX: number;
  label: string;
}

export interface Level {
  y: number;
  label: string;
}

/** Distributions side by side: for each group of x one box per series. */
export interface BoxChart {
  kind: "boxes";
  title: string;
  caption?: string;
  /** With its unit. */
  yLabel: string;
  yScale?: "linear" | "log";
  /** Along x. */
  groups: string[];
  series: BoxSeries[];
}

/** Boxes of one colour and name. */
export interface BoxSeries {
  name: string;
  /** One per group; undefined: nothing to show there. */
  boxes: readonly (Box | undefined)[];
  /** One value per group to compare with, such as a published one, drawn as a cross; NaN: none. */
  marks?: readonly number[];
}

/** Quantiles, lowest first. */
export interface Box {
  low: number;
  q25: number;
  q50: number;
  q75: number;
  high: number;
}

/** Who occupied which slot when: a row per slot, coloured by a size. */
export interface OccupancyChart {
  kind: "occupancy";
  title: string;
  caption?: string;
  /** With its unit, e.g. "time (s)". */
  xLabel: string;
  slots: number;
  fromX: number;
  toX: number;
  /** What the colour tells, with its unit, e.g. "cost (µs)". */
  sizeLabel: string;
  /** In no order; sizes > 0, told apart by their logarithm. */
  stints: readonly { slot: number; fromX: number; toX: number; size: number }[];
}

/** Rows of words and numbers; columns of numbers are aligned at the right. */
export interface Table {
  title: string;
  caption?: string;
  columns: string[];
  rows: (string | number)[][];
}

/** How something depends on two numbers: pictures side by side, one for each thing measured; the darker a cell, the worse. */
export interface HeatMap {
  kind: "heat-map";
  title: string;
  caption?: string;
  xLabel: string;
  yLabel: string;
  xs: readonly number[];
  ys: readonly number[];
  /** The pair that is the default, by index. */
  mark?: { x: number; y: number };
  panels: readonly Panel[];
}

/** One thing measured, over all pairs. */
export interface Panel {
  /** What was measured, with its unit; the less the better. */
  name: string;
  /** From here on it is as bad as can be, for the colour; 0 is as good as can be. */
  worst: number;
  /** By y, then x. */
  values: readonly (readonly number[])[];
}
