/** The runs as one page: who held which thread when, and what a page waited. */
import { type Picture, renderReport } from "tenantry/simulations";
import { percent, type Run } from "./figures.js";

export function page(runs: readonly Run[], { threads, reportMs }: { threads: number; reportMs: number }): string {
  const [first, fair] = runs.map(({ figures }) => figures);
  return renderReport({
    title: "A pool of threads, by its own queue and with 2DFQ in front",
    summary: [
      `A page takes a millisecond of a thread, a report ${reportMs}. Half of all pages took ${first.pageP50Ms.toFixed(0)} ms by the pool's own queue and ${fair.pageP50Ms.toFixed(1)} ms behind 2DFQ; there were ${first.pagesPerSec.toFixed(0)} and ${fair.pagesPerSec.toFixed(0)} a second.`,
      `All threads were held by reports for ${percent(first.allTaken)} of the time, and for ${percent(fair.allTaken)} with 2DFQ. The threads were ${percent(first.busy)} and ${percent(fair.busy)} busy.`,
    ],
    charts: [
      ...runs.map((run) => threadsOf(run, threads)),
      {
        title: "What a page took, from asking to having",
        caption:
          "Each line is a run; each point the median of the pages that were done in a tenth of a second, with a gap where none was. Logarithmic.",
        xLabel: "time (s)",
        yLabel: "page (ms)",
        yScale: "log",
        series: runs.map((run) => ({ name: run.name, points: medians(run) })),
      },
    ],
    tables: [
      {
        title: "In numbers",
        columns: ["", "pages/s", "page p50 (ms)", "page p99 (ms)", "reports/s", "report p50 (ms)", "busy", "all held by reports"],
        rows: runs.map(({ figures: f }) => [
          f.name,
          f.pagesPerSec,
          f.pageP50Ms,
          f.pageP99Ms,
          f.reportsPerSec,
          f.reportP50Ms,
          percent(f.busy),
          percent(f.allTaken),
        ]),
      },
    ],
  });
}

function threadsOf({ name, served, fromMs: from, untilMs }: Run, threads: number): Picture {
  const ids = [...new Set(served.map(({ thread }) => thread))].sort((a, b) => a - b);
  return {
    kind: "occupancy",
    title: `Who holds which thread: ${name}`,
    caption: "A row per thread, coloured by how long a job held it.",
    xLabel: "time (s)",
    slots: threads,
    fromX: 0,
    toX: (untilMs - from) / 1_000,
    sizeLabel: "held (ms)",
    stints: served.map(({ thread, fromMs, toMs }) => ({
      slot: ids.indexOf(thread),
      fromX: (fromMs - from) / 1_000,
      toX: (toMs - from) / 1_000,
      size: toMs - fromMs,
    })),
  };
}

function medians({ served, fromMs: from, untilMs }: Run): { x: number; y: number }[] {
  const byTenth: number[][] = [];
  for (const { api, toMs, tookMs } of served) {
    if (api !== "page" || toMs > untilMs) continue;
    const tenth = Math.floor((toMs - from) / 100);
    byTenth[tenth] ??= [];
    byTenth[tenth].push(tookMs);
  }
  return Array.from(byTenth, (took, i) => ({ x: (i + 0.5) / 10, y: took === undefined ? Number.NaN : middle(took) }));
}

function middle(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}
