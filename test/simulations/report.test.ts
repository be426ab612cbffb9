/** Reports: one file, nothing fetched, nothing run, whatever is put in. */
import { describe, expect, test } from "vitest";
import { type Chart, type HeatMap, renderChart, renderReport } from "../../simulations/index.js";
import { linearScale, logScale, readable } from "../../simulations/report/scale.js";

const line = (count: number, y: (x: number) => number) => Array.from({ length: count }, (_, x) => ({ x, y: y(x) }));
const chart = (over: Partial<Chart> = {}): Chart => ({
  title: "Throughput",
  xLabel: "time (s)",
  yLabel: "MB/s",
  series: [{ name: "sort", points: line(60, (x) => 100 + x) }],
  ...over,
});

describe("a report", () => {
  test("is self-contained: no script, no link, nothing fetched", () => {
    const html = renderReport({
      title: "t",
      summary: ["s"],
      charts: [chart()],
      tables: [{ title: "n", columns: ["a"], rows: [[1]] }],
    });
    expect(html).not.toMatch(/<script|<link|<img|url\(|@import|href=|src=/i);
    expect(html.match(/https?:\/\/[^"]*/g)).toEqual(["http://www.w3.org/2000/svg"]);
    expect(html).toContain("prefers-color-scheme:dark");
  });

  test("shows text as text, whatever it is", () => {
    const evil = `<script>alert("x")</script>&'\u0000\ud800`;
    const html = renderReport({
      title: evil,
      summary: [evil],
      charts: [
        chart({
          title: evil,
          caption: evil,
          xLabel: evil,
          series: [{ name: evil, points: line(3, (x) => x) }],
          bands: [{ fromX: 0, toX: 2, label: evil }],
          lines: [{ y: 1, label: evil }],
        }),
      ],
      tables: [{ title: evil, caption: evil, columns: [evil], rows: [[evil]] }],
    });
    expect(html).not.toContain("<script");
    expect([...html].some((c) => c === "\u0000" || c === "\ud800")).toBe(false);
  });

  test("the same input gives the same bytes", () => {
    expect(renderChart(chart())).toBe(renderChart(chart()));
  });
});

describe("a chart", () => {
  test.each<[string, Partial<Chart>]>([
    ["no series", { series: [] }],
    ["no points", { series: [{ name: "a", points: [] }] }],
    ["one point", { series: [{ name: "a", points: [{ x: 3, y: 4 }] }] }],
    ["all the same", { series: [{ name: "a", points: line(9, () => 5) }] }],
    ["all zero", { series: [{ name: "a", points: line(9, () => 0) }] }],
    ["nothing finite", { series: [{ name: "a", points: line(9, () => Number.NaN) }] }],
    ["gaps", { series: [{ name: "a", points: line(9, (x) => (x % 3 === 0 ? Number.NaN : x)) }] }],
    ["below zero", { series: [{ name: "a", points: line(9, (x) => -x) }] }],
    ["log of zero", { yScale: "log", series: [{ name: "a", points: line(9, (x) => x) }] }],
    ["log of nothing", { yScale: "log", series: [], lines: [{ y: 0, label: "none" }] }],
    ["log of one", { yScale: "log", series: [{ name: "a", points: line(3, () => 7) }] }],
    ["huge", { series: [{ name: "a", points: line(9, (x) => x * 1e300) }] }],
    ["tiny", { series: [{ name: "a", points: line(9, (x) => x * 1e-9) }] }],
    ["thirty lines", { series: Array.from({ length: 30 }, (_, i) => ({ name: `tenant ${i}`, points: line(9, () => 1) })) }],
  ])("draws %s with finite coordinates", (_, over) => {
    const svg = renderChart(chart(over));
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(svg.startsWith("<svg")).toBe(true);
    expect(svg.endsWith("</svg>")).toBe(true);
  });

  test("keeps peaks when there are more points than can be seen", () => {
    const svg = renderChart(chart({ series: [{ name: "a", points: line(200_000, (x) => (x === 77_777 ? 10 : 1)) }] }));
    expect(svg.length).toBeLessThan(60_000);
    // The one peak reaches the top tick, at the upper edge of the drawing.
    expect(svg).toMatch(/L[\d.]+ 24[ML"]/);
  });
});

describe("a heat map", () => {
  const map: HeatMap = {
    kind: "heat-map",
    title: "<Grid>",
    xLabel: "alpha & beta",
    yLabel: "y",
    xs: [1, 2],
    ys: [3, 4, 5],
    mark: { x: 1, y: 2 },
    panels: [
      {
        name: "lost (%)",
        worst: 20,
        values: [
          [0, 1],
          [Number.NaN, Number.POSITIVE_INFINITY],
          [40, 5],
        ],
      },
    ],
  };

  test("draws every cell with finite coordinates, whatever its value, and frames the default", () => {
    const svg = renderChart(map);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<Grid>/);
    expect(svg.match(/<rect/g)).toHaveLength(6);
    expect(svg.match(/currentColor/g)).toHaveLength(1);
    expect(renderReport({ title: "t", summary: [], charts: [map] })).toContain("lost (%)");
  });
});

describe("ticks", () => {
  test("stand at round numbers and enclose what is drawn", () => {
    expect(linearScale(0, 97, 5, true).ticks).toEqual([0, 20, 40, 60, 80, 100]);
    expect(linearScale(-0.3, 0.3, 5, true).ticks).toEqual([-0.4, -0.2, 0, 0.2, 0.4]);
    expect(logScale(1, 60).ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
    expect(logScale(3, 2e6).ticks).toEqual([1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7]);
  });

  test("are readable", () => {
    expect([0, 0.25, 12, 1500, 2_500_000, 3e9, 0.00002].map(readable)).toEqual([
      "0",
      "0.25",
      "12",
      "1 500",
      "2.5 M",
      "3 G",
      "2.0·10^-5",
    ]);
  });
});

test("names of bands that would meet stand in different rows, the others in one", () => {
  const bands = (...names: string[]) => names.map((label, i) => ({ fromX: 10 * i, toX: 10 * (i + 1), label }));
  const rows = (over: Partial<Chart>) =>
    [...renderChart(chart(over)).matchAll(/class="band-name" x="[\d.]+" y="([\d.-]+)"/g)].map(([, y]) => Number(y));
  expect(new Set(rows({ bands: bands("one", "two", "three") })).size).toBe(1);
  const narrow = rows({ bands: bands("a name that is long", "another that is long", "one", "two", "three", "four") });
  expect(narrow[0]).not.toBe(narrow[1]);
  expect(Math.min(...narrow)).toBeGreaterThan(8);
});

test("names of levels that lie close stand on either side of them, one that stands alone above its line", () => {
  const places = (...ys: number[]) => {
    const svg = renderChart(
      chart({ series: [{ name: "a", points: line(10, () => 1) }], lines: ys.map((y) => ({ y, label: "l" })) }),
    );
    const heights = [...svg.matchAll(/class="level" d="M[\d.]+ ([\d.]+)H/g)].map(([, y]) => Number(y));
    const names = [...svg.matchAll(/class="level-name halo" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) => Number(y));
    return names.map((name, i) => (name < heights[i] ? "above" : "below"));
  };
  expect(places(500)).toEqual(["above"]);
  expect(places(500, 1_000)).toEqual(["above", "above"]);
  expect(places(980, 1_000)).toEqual(["below", "above"]);
});
