/** docs/2dfq.md says what was measured: its tables are those of docs/2dfq/figures.json, its pictures are there and no others. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), "utf8");

/** What `tenantry simulate … --json` said when the page was written. */
interface Published {
  matrix: Record<string, number[]>;
  credit: Record<string, number[]>;
  expensive: Record<string, number[]>;
  production: Record<string, number | number[]>;
  unpredictable: Record<string, number[]>;
  random: Record<string, number | number[]>;
  traces: Record<string, Record<string, number>>;
}

/** σ(lag) under WFQ, WF2Q, 2DFQ in s, by number of expensive tenants: figure 8c of the paper. */
const PUBLISHED_SIGMA = [
  [0.061, 0.079, 0.028],
  [0.141, 0.224, 0.035],
  [0.214, 0.285, 0.038],
  [0.37, 0.274, 0.07],
  [0.427, 0.137, 0.085],
];

/** p99 of T1 in ms with none, 33 % and 66 % of the tenants unpredictable: figure 12. */
const PUBLISHED_T1: [string, string, number[]][] = [
  ["WFQ moving-average", "wfq", [4.49, 499, 1392]],
  ["WF2Q moving-average", "wf2q", [28, 316, 926]],
  ["2DFQ pessimistic", "2dfq", [3.32, 8.33, 17.9]],
];

/** Medians of speed-ups: figure 13. */
const PUBLISHED_SPEEDUP: Record<string, string> = { T1Overwfq: "3.8", T1Overwf2q: "35.8", t1Overwfq: "26.9" };

describe("docs/2dfq.md", () => {
  test("shows every picture there is, drawn for light and dark", () => {
    const shown = [...read("docs/2dfq.md").matchAll(/\]\(2dfq\/([\w-]+\.svg)\)/g)].map((match) => match[1]);
    expect(readdirSync(join(ROOT, "docs/2dfq")).sort()).toEqual([...shown, "figures.json"].sort());
    for (const name of shown) expect(read(`docs/2dfq/${name}`)).toContain("prefers-color-scheme:dark");
  });

  test("says what was measured", () => {
    const { matrix, credit, expensive, production, unpredictable, random, traces } = JSON.parse(
      read("docs/2dfq/figures.json"),
    ) as Published;
    const lines = read("docs/2dfq.md").split("\n");
    const said = (cells: (string | number)[]) =>
      expect(lines).toContain(
        `| ${cells.map((cell) => (typeof cell === "number" ? Number(cell.toPrecision(3)) : cell)).join(" | ")} |`,
      );
    const having = (figures: object, end: string) =>
      Object.keys(figures).flatMap((key) => (key.endsWith(end) ? [key.slice(0, -end.length)] : []));
    expect(having(matrix, ": overall").length).toBeGreaterThan(20);
    for (const entry of having(matrix, ": overall")) {
      const of = (figure: string, level: number) => matrix[`${entry}: ${figure}`][level];
      const [wild, tame] = [0, 1].map((level) => ["T1 p99Ms", "t1 p99Ms", "T10 p99Ms", "overall"].map((each) => of(each, level)));
      said([entry, ...tame, ...wild]);
    }
    unpredictable.unpredictablePercent.forEach((percent, level) => {
      for (const [name, key, published] of PUBLISHED_T1) {
        const ours = ["T1Median", "T1", "Fixed1", "T10"].map((each) => unpredictable[`${key}P99Ms${each}`][level]);
        said([`${percent} %`, name, String(published[level]), ...ours]);
      }
    });
    const kinds = ["wfq", "wf2q", "wf2qCoarse", "2dfq"];
    const ofTenant = (key: string, t: number) => kinds.map((kind) => (production[`${kind}${key}`] as number[])[t]);
    said(["σ, first quartile of 250", ...kinds.map((kind) => production[`${kind}QuartileSigmaSec`] as number)]);
    for (let t = 0; t < 7; t++) {
      said([`σ, t${t + 1}`, ...ofTenant("FixedSigmaSec", t)]);
      said([`range, t${t + 1}`, ...ofTenant("FixedRangeSec", t)]);
    }
    for (const tenant of ["T1", "T5", "T10", "t1", "t4"]) {
      for (const [name, kind] of [
        ["WFQ", "wfq"],
        ["WF2Q", "wf2q"],
      ]) {
        const key = `${tenant}Over${kind}`;
        said([tenant, name, ...(random[key] as number[]), PUBLISHED_SPEEDUP[key] ?? ""]);
      }
    }
    credit.creditJobs.forEach((jobs, c) => {
      const setting = ["pessimistic", "pessimistic, v every 5 ms"];
      said([
        jobs,
        ...setting.flatMap((each) => ["c1 share", "c1 p99Ms", "T1 p99Ms"].map((figure) => credit[`${each}: ${figure}`][c])),
      ]);
    });
    for (const figures of Object.values(traces)) {
      for (const entry of having(figures, ": lightP99Ms")) {
        said([entry, ...["lightP50Ms", "lightP99Ms", "lightSigmaSec", "p99Ms"].map((each) => figures[`${entry}: ${each}`])]);
      }
    }
    expensive.expensive.forEach((n, k) => {
      const ours = ["wfq", "wf2q", "2dfq"].flatMap((kind) => [
        expensive[`${kind}SigmaSec`][k],
        expensive[`${kind}CoarseSigmaSec`][k],
      ]);
      const published = PUBLISHED_SIGMA[k];
      said([n, ...[0, 1, 2].flatMap((kind) => [published[kind], ours[2 * kind], ours[2 * kind + 1]])]);
    });
  });
});
