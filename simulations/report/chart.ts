/**
 * What a picture shows, apart from how it is drawn: lines over a common x, bands that name stretches of it, and level lines
 * worth comparing with. A caller says nothing about colours or sizes.
 */
export interface Chart {
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
  /** Not drawn, but given room: two pictures that have each other's lines here can be compared at a glance. */
  roomFor?: readonly Series[];
  /** Stretches of x with a name, such as the phases of a run. */
  bands?: Band[];
  /** Levels of y with a name, such as a target. */
  lines?: Level[];
}

export interface Series {
  name: string;
  /** In order of x. A point whose y is not finite is a gap. */
  points: readonly Point[];
}

export interface Point {
  x: number;
  y: number;
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

/** Rows of words and numbers; columns of numbers are aligned at the right. */
export interface Table {
  title: string;
  caption?: string;
  columns: string[];
  rows: (string | number)[][];
}
