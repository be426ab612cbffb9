/**
 * Figures 5 and 6 of the 2DFQ paper: two slots, two tenants whose requests take 1 s, two whose take 4 s, all with requests waiting
 * at all times. WFQ and WF2Q serve the long ones at the same time and the short ones not at all meanwhile; 2DFQ keeps the second slot for
 * the short ones. Ties go to the lower tenant; slot 0 asks first.
 */
import { SlotPool } from "../pool/slot-pool.js";
import { NO_ARRIVALS, type Workload } from "../pool/workload.js";
import type { OccupancyChart } from "../report/index.js";
import { atLeast, atMost, defineScenario, type Findings, type ScenarioRun } from "../scenario.js";
import { Trace } from "../world/trace.js";

const TENANTS = ["A", "B", "C", "D"];
const COSTS = [1, 1, 4, 4];
const SLOTS = 2;
const SECONDS = 16;

/** What each slot does, a letter per second a request begins, as the paper draws it. */
const PUBLISHED = {
  wfq: ["AAAAC---AAAAC---", "BBBBD---BBBBD---"],
  wf2q: ["AC---AAAAC---AAA", "BD---BBBBD---BBB"],
  "2dfq": ["AC---D---C---D--", "BABABABABABABABA"],
};
type Kind = keyof typeof PUBLISHED;
const KINDS = Object.keys(PUBLISHED) as Kind[];

const WORKLOAD: Workload = {
  tenants: TENANTS,
  apis: ["any"],
  arrivals: NO_ARRIVALS,
  backlogged: COSTS.map((cost, tenant) => ({ tenant, stream: () => ({ api: 0, cost, next() {} }) })),
};

export const workedExample = defineScenario({
  name: "2dfq/worked-example",
  title: "Two slots, short and long requests: who runs when under WFQ, WF2Q and 2DFQ",
  run,
});

function run({ onProgress }: ScenarioRun): Findings {
  const trace = new Trace();
  const figures: Findings["figures"] = {};
  const charts: Findings["charts"] = [];
  const rows: string[][] = [];
  let alike = 0;
  for (const kind of KINDS) {
    const pool = new SlotPool({
      workload: WORKLOAD,
      slots: SLOTS,
      unitsPerSecPerSlot: 1,
      lagUnitsPerSec: (SLOTS * 1) / TENANTS.length,
      scheduler: kind,
      estimator: "known",
      watch: [0],
      // Until the last request that begins within the picture has ended.
      occupancy: { fromUs: 0, toUs: SECONDS * 1e6 },
    });
    pool.run((SECONDS + 4) * 1e6);
    trace.text(pool.trace.hash);
    const drawn = Array.from({ length: SLOTS }, () => new Array<string>(SECONDS).fill("-"));
    for (const { slot, tenant, fromUs } of pool.stints) drawn[slot][Math.round(fromUs / 1e6)] = TENANTS[tenant];
    const slots = drawn.map((seconds) => seconds.join(""));
    alike += slots.filter((text, slot) => text === PUBLISHED[kind][slot]).length;
    slots.forEach((text, slot) => {
      rows.push([kind, `slot ${slot}`, text, PUBLISHED[kind][slot]]);
    });
    const lags = pool.lag.series[0].slice(0, (SECONDS * 1e6) / 10_000);
    figures[`${kind}LagSec`] = [Math.min(...lags), Math.max(...lags)];
    figures[`${kind}GapSec`] = longestGap(slots);
    charts.push(picture(kind, pool));
  }
  onProgress?.(1);
  return {
    figures,
    expectations: [
      atLeast("slots of the three schedules that are the paper's", alike, SLOTS * KINDS.length),
      atMost("2DFQ: longest time without a request of A, s", Number(figures["2dfqGapSec"]), 2),
      atLeast("WFQ: the same, s", Number(figures.wfqGapSec), 4),
    ],
    traceHash: trace.hash,
    summary: [
      "A and B need 1 s per request, C and D 4 s; all four always have requests waiting, and there are two slots.",
      `WFQ and WF2Q serve C and D at the same time, and A gets nothing for ${figures.wfqGapSec} s again and again; 2DFQ gives C and D one slot, and A is served every ${figures["2dfqGapSec"]} s.`,
    ],
    charts,
    tables: [
      {
        title: "Who begins when",
        caption: "A letter per second in which a request begins; a dash: the one before goes on.",
        columns: ["scheduler", "slot", "measured", "published (figures 5, 6)"],
        rows,
      },
    ],
  };
}

/** Seconds from one beginning of a request of A to the next, at most. */
function longestGap(slots: readonly string[]): number {
  let last = 0;
  let longest = 0;
  for (let second = 0; second < SECONDS; second++) {
    if (!slots.some((text) => text[second] === "A")) continue;
    longest = Math.max(longest, second - last);
    last = second;
  }
  return longest;
}

function picture(kind: Kind, pool: SlotPool): OccupancyChart {
  return {
    kind: "occupancy",
    title: `${kind.toUpperCase()}: who runs where`,
    caption: "Requests of 1 s (A, B) and of 4 s (C, D) by their colours.",
    xLabel: "time (s)",
    slots: SLOTS,
    fromX: 0,
    toX: SECONDS,
    sizeLabel: "cost (s)",
    stints: pool.stints.map(({ slot, fromUs, toUs, cost }) => ({ slot, fromX: fromUs / 1e6, toX: toUs / 1e6, size: cost })),
  };
}
