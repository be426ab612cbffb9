/** The run as a page of pictures: the same drawing the simulations use. */
import { type Chart, type Report, renderReport, type Series, type Table } from "tenantry/simulations";
import type { Act } from "./acts.js";
import { cast, figuresOf, latenciesOf, limitOf, type Moment, quantile, rawSlowdown } from "./measure.js";
import { ms, type Phase, percent, sentences } from "./story.js";
import type { TenantName } from "./workload.js";

/** A stretch of the run, s since it began. */
export interface Stretch {
  name: string;
  fromSec: number;
  toSec: number;
}

/** What there is to show. */
export interface Shown {
  policy: string;
  act: Act;
  phases: readonly Phase[];
  moments: readonly Moment[];
  stretches: readonly Stretch[];
}

export function page({ policy, act, phases, moments, stretches }: Shown): string {
  const bottleneck = phases[0].bottleneck;
  const bands = stretches.map(({ name, fromSec, toSec }) => ({ fromX: fromSec, toX: toSec, label: name }));
  const chart = (rest: Omit<Chart, "xLabel" | "bands">): Chart => ({ ...rest, xLabel: "time (s)", bands });
  const byTenant = (of: (moment: Moment, tenant: TenantName) => number) =>
    cast(act).map((name) => ({ name, points: moments.map((moment) => ({ x: moment.atSec, y: of(moment, name) })) }));
  const report: Report = {
    title: `The main job: ${act.title}`,
    summary: sentences(phases, policy, act),
    charts: [
      chart({
        title: "Latency",
        caption: "99th percentile of each second, as the client saw it, logarithmic. A throttled tenant's waiting is part of it.",
        yLabel: "p99 (ms)",
        yScale: "log",
        series: byTenant((moment, name) => quantile(latenciesOf([moment], name), 0.99)),
      }),
      chart({
        title: `Share of ${bottleneck}`,
        caption: "Part of all its work that was done for each tenant.",
        yLabel: "share (%)",
        series: byTenant((moment, name) => 100 * figuresOf([moment], bottleneck, act).tenants[name].share),
      }),
      chart({
        title: "Dominant shares",
        caption: "Of the resource that each tenant had the largest part of, that part.",
        yLabel: "share (%)",
        series: byTenant((moment, name) => 100 * figuresOf([moment], bottleneck, act).tenants[name].dominant.share),
      }),
      chart({
        title: "Slowdown of each resource",
        caption: "(Waiting + service) / service, logarithmic: 1 is no waiting at all.",
        yLabel: "slowdown",
        yScale: "log",
        series: resources(moments),
      }),
      chart({
        title: "Rates in force",
        caption: "The tightest rate of each tenant that was held back; where there is no line it was unlimited.",
        yLabel: "requests/s",
        series: byTenant(({ view }, name) => {
          const limit = limitOf(view, name);
          return limit?.inForce ? limit.ratePerSec : Number.NaN;
        }).filter(({ points }) => points.some(({ y }) => Number.isFinite(y))),
      }),
      chart({
        title: "Throughput",
        caption: "Requests served.",
        yLabel: "requests/s",
        series: byTenant(({ seens, forSec }, name) => (seens[name]?.latenciesMs.length ?? 0) / forSec),
      }),
    ],
    tables: [phaseTable(phases, act), verdictTable(phases, act)],
  };
  return renderReport(report);
}

function resources(moments: readonly Moment[]): Series[] {
  const names = new Set(moments.flatMap(({ view }) => view?.resources.map(({ name }) => name) ?? []));
  return [...names].map((name) => ({
    name,
    points: moments.map(({ atSec, view }) => ({ x: atSec, y: view === undefined ? Number.NaN : rawSlowdown(view, name) })),
  }));
}

function phaseTable(phases: readonly Phase[], act: Act): Table {
  return {
    title: "Each phase in numbers",
    caption: "Percentiles are of every request of the measured part of a phase.",
    columns: ["phase", "tenant", "requests/s", "p50", "p99", `share of ${phases[0].bottleneck}`],
    rows: phases.flatMap((phase) =>
      cast(act).map((name) => {
        const { throughputPerSec, p50Ms, p99Ms, share } = phase.tenants[name];
        return [phase.name, name, throughputPerSec.toFixed(1), ms(p50Ms), ms(p99Ms), percent(share)];
      }),
    ),
  };
}

function verdictTable(phases: readonly Phase[], act: Act): Table {
  return {
    title: "What the policy is held to",
    columns: ["figure", "measured", "bound", ""],
    rows: act.verdict(phases).map(({ what, value, bound, met }) => [what, value.toFixed(2), bound, met ? "met" : "not met"]),
  };
}
