/** What a run came to, in numbers. */
import type { Loaded, Served } from "./load.js";

export interface Run extends Loaded {
  name: string;
  figures: Figures;
}

export interface Figures {
  name: string;
  pagesPerSec: number;
  pageP50Ms: number;
  pageP99Ms: number;
  reportsPerSec: number;
  reportP50Ms: number;
  /** Part of the threads' time that was used. */
  busy: number;
  /** Part of the time in which reports held all threads. */
  allTaken: number;
}

export function figuresOf(name: string, loaded: Loaded, threads: number): Run {
  const { served, fromMs, untilMs } = loaded;
  const lengthMs = untilMs - fromMs;
  const [pages, reports] = ["page", "report"].map((api) => served.filter((each) => each.api === api));
  const perSec = (jobs: Served[]) => (jobs.filter(({ toMs }) => toMs <= untilMs).length * 1_000) / lengthMs;
  const cut = served.map((each) => ({ ...each, toMs: Math.min(each.toMs, untilMs) })).filter((each) => each.toMs > each.fromMs);
  const usedMs = cut.reduce((sum, each) => sum + each.toMs - each.fromMs, 0);
  return {
    name,
    ...loaded,
    figures: {
      name,
      pagesPerSec: perSec(pages),
      pageP50Ms: quantile(pages, 0.5),
      pageP99Ms: quantile(pages, 0.99),
      reportsPerSec: perSec(reports),
      reportP50Ms: quantile(reports, 0.5),
      busy: usedMs / lengthMs / threads,
      allTaken:
        togetherMs(
          cut.filter(({ api }) => api === "report"),
          threads,
        ) / lengthMs,
    },
  };
}

export function tableOf(runs: readonly Run[]): string {
  const head = ["", "pages/s", "page p50", "page p99", "reports/s", "report p50", "threads busy", "all held by reports"];
  const rows = runs.map(({ figures: f }) => [
    f.name,
    f.pagesPerSec.toFixed(0),
    `${f.pageP50Ms.toFixed(1)} ms`,
    `${f.pageP99Ms.toFixed(1)} ms`,
    f.reportsPerSec.toFixed(2),
    `${f.reportP50Ms.toFixed(0)} ms`,
    percent(f.busy),
    percent(f.allTaken),
  ]);
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  return [head, ...rows]
    .map((row) => row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join("  "))
    .join("\n");
}

export function percent(part: number): string {
  return `${Math.round(100 * part)} %`;
}

function quantile(served: readonly Served[], q: number): number {
  const sorted = served.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** How long so many of them ran at once. */
function togetherMs(served: readonly Served[], many: number): number {
  const edges = served.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, step: 1 },
    { atMs: toMs, step: -1 },
  ]);
  edges.sort((a, b) => a.atMs - b.atMs || a.step - b.step);
  let running = 0;
  let sum = 0;
  edges.forEach(({ atMs, step }, i) => {
    if (running >= many) sum += atMs - edges[i - 1].atMs;
    running += step;
  });
  return sum;
}
