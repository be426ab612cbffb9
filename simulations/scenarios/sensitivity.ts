/**
 * How much depends on the numbers one may turn? Retro gives no value of α and β and no study of any. Here every parameter of three
 * policies, the window and the half-life are turned, two at a time, while all else stays at its default; each cell is a run of
 * `sensitivity-cells.ts`. It is wished that no cell of a grid is much better than the default, and expected that none is far better.
 *
 *   score = mean over what is measured of min(1, value / worst)        0 is perfect
 */
import { DEFAULT_CONFIG } from "../../controller/index.js";
import { bottleneckFairness, dominantResourceFairness, latencySlo, type Params } from "../../policies/index.js";
import { meanOf } from "../measures.js";
import type { HeatMap, Table } from "../report/index.js";
import { atMost, defineInParts, type Findings } from "../scenario.js";
import { Trace } from "../world/trace.js";
import { division, type Measured, objective, type Setting } from "./sensitivity-cells.js";

/** Values from which on a measure is as bad as can be. */
const WORST: Record<string, number> = {
  "settled (s)": 20,
  "unfair (%)": 10,
  slowdown: 40,
  "swing (%)": 25,
  "lost (%)": 20,
  "lost after (%)": 20,
  "missed (%)": 50,
};

interface Axis {
  name: string;
  values: number[];
}

interface Study {
  policy: { name: string; params: Params };
  cell: (seed: number, setting: Setting) => Measured;
  x: Axis;
  y: Axis;
}

const alpha = { name: "alpha", values: [0.05, 0.1, 0.3, 0.5, 0.9] };
const beta = { name: "beta", values: [0.02, 0.05, 0.1, 0.2, 0.5] };
const threshold = { name: "threshold", values: [2, 4, 8, 16, 32] };
const settle = { name: "settle", values: [1, 1.5, 2, 3, 5] };
const windowUs = { name: "windowUs", values: [250_000, 500_000, 1_000_000, 2_000_000, 4_000_000] };
const halfLife = { name: "halfLifeWindows", values: [0.1, 0.25, 0.5, 1, 2] };

const divided = [bottleneckFairness, dominantResourceFairness].flatMap((policy): Study[] => [
  { policy, cell: division, x: alpha, y: settle },
  { policy, cell: division, x: beta, y: threshold },
  { policy, cell: division, x: windowUs, y: halfLife },
]);

const STUDIES: Study[] = [
  ...divided,
  {
    policy: latencySlo,
    cell: objective,
    x: { name: "margin", values: [0.4, 0.5, 0.65, 0.8, 1] },
    y: settle,
  },
  { policy: latencySlo, cell: objective, x: { name: "alpha", values: [0.05, 0.1, 0.2, 0.4, 0.8] }, y: beta },
  { policy: latencySlo, cell: objective, x: windowUs, y: halfLife },
];

/** What a study measured: by y, then x. */
type Grid = Measured[][];

export const sensitivity = defineInParts<Grid>({
  name: "retro/sensitivity",
  title: "What depends on the parameters, the window and the half-life, and are the defaults good ones",
  count: STUDIES.length,
  quickCount: 1,
  run: (seed, part) => measure(STUDIES[part], seed),
  findings,
});

function measure({ policy, x, y, cell }: Study, seed: number): Grid {
  return y.values.map((yValue) => x.values.map((xValue) => cell(seed, settingOf(policy, [x.name, xValue], [y.name, yValue]))));
}

function findings(grids: Grid[]): Findings {
  const trace = new Trace();
  const charts: HeatMap[] = [];
  const rows: Table["rows"] = [];
  const expectations: Findings["expectations"] = [];
  const figures: Findings["figures"] = {};
  grids.forEach((grid, i) => {
    const study = STUDIES[i];
    const { policy, x, y } = study;
    for (const row of grid) for (const cell of row) for (const value of Object.values(cell)) trace.number(value);
    const mark = { x: x.values.indexOf(defaultOf(policy, x.name)), y: y.values.indexOf(defaultOf(policy, y.name)) };
    const key = `${policy.name} ${x.name} ${y.name}`;
    const scores = grid.map((row) => row.map(score));
    const best = bestOf(scores);
    const ours = scores[mark.y][mark.x];
    const least = scores[best.y][best.x];
    figures[`${key} default`] = ours;
    figures[`${key} best`] = least;
    expectations.push(atMost(`${key}: how much worse the default is than the best cell, of 1 (wished: 0.1)`, ours - least, 0.3));
    rows.push([policy.name, x.name, y.name, ours, `${x.values[best.x]}, ${y.values[best.y]}`, least]);
    charts.push(mapOf(study, grid, mark));
  });
  const columns = ["policy", "x", "y", "default's score", "best cell (x, y)", "its score"];
  return {
    figures,
    expectations,
    traceHash: trace.hash,
    summary: ["The framed cells are the defaults, and the darker a cell the worse."],
    charts,
    tables: [{ title: "Defaults beside the best cells", columns, rows }],
  };
}

function mapOf({ policy, x, y }: Study, measured: Measured[][], mark: { x: number; y: number }): HeatMap {
  return {
    kind: "heat-map",
    title: `${policy.name}: ${x.name} and ${y.name}`,
    xLabel: x.name,
    yLabel: y.name,
    xs: x.values,
    ys: y.values,
    mark,
    panels: Object.keys(measured[0][0]).map((name) => ({
      name,
      worst: WORST[name],
      values: measured.map((row) => row.map((cell) => cell[name])),
    })),
  };
}

function score(cell: Measured): number {
  return meanOf(Object.entries(cell).map(([name, value]) => Math.min(1, value / WORST[name])));
}

function bestOf(scores: readonly (readonly number[])[]): { x: number; y: number } {
  let best = { x: 0, y: 0 };
  scores.forEach((row, y) => {
    row.forEach((value, x) => {
      if (value < scores[best.y][best.x]) best = { x, y };
    });
  });
  return best;
}

function defaultOf({ params }: { params: Params }, name: string): number {
  return params[name] ?? (DEFAULT_CONFIG as unknown as Record<string, number>)[name];
}

function settingOf(policy: { name: string; params: Params }, ...pairs: [string, number][]): Setting {
  const ofPolicy = pairs.filter(([name]) => Object.hasOwn(policy.params, name));
  const ofController = pairs.filter(([name]) => !Object.hasOwn(policy.params, name));
  return { policy: policy.name, params: Object.fromEntries(ofPolicy), config: Object.fromEntries(ofController) };
}
