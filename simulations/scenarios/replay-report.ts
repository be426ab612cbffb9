/** What replays of one trace under several policies are judged by, and how they are shown side by side. */

import { meanOf, quantileOf } from "../measures.js";
import { boxOf } from "../pool/experiment.js";
import type { BoxChart, Chart, Table } from "../report/index.js";
import { atMost, type Expectation } from "../scenario.js";
import { Trace } from "../world/trace.js";
import { type Division, type Replayed, usedWhileFull } from "./replay.js";

/** A replay, as it is called in pictures. */
export interface Run {
  name: string;
  replayed: Replayed;
}

/** Tenants that are shown as one. */
export interface Class {
  name: string;
  tenants: readonly string[];
}

/** How long the jobs of these tenants took, s. */
export function tookSec({ jobs }: Replayed, { tenants }: Class): number[] {
  return tenants.flatMap((tenant) => jobs.get(tenant)!.map((job) => job.tookSec));
}

/** Jain's index of the hungry, the mean over windows that had several. */
export function fairnessOf({ fairness }: Division): number {
  return meanOf(fairness.map(({ jain }) => jain));
}

/** Every job is done, and nothing was refused. */
export function nothingLost(runs: readonly Run[]): Expectation[] {
  return runs.map(({ name, replayed }) => atMost(`${name}: jobs lost or refused`, replayed.unfinished + replayed.refused, 0));
}

export function hashOf(runs: readonly Run[]): string {
  const hash = new Trace();
  for (const { replayed } of runs) hash.text(replayed.hash);
  return hash.hash;
}

/** Boxes of job times: a group for each class, a colour for each run. */
export function timesChart(runs: readonly Run[], classes: readonly Class[], title: string): BoxChart {
  return {
    kind: "boxes",
    title,
    caption: "From coming to being done; boxes from the first to the third quartile of jobs, whiskers from p1 to p99.",
    yLabel: "seconds",
    yScale: "log",
    groups: classes.map(({ name }) => name),
    series: runs.map(({ name, replayed }) => ({
      name,
      boxes: classes.map((each) => boxOf(Float64Array.from(tookSec(replayed, each)).sort())),
    })),
  };
}

/** Over how long jobs are taken together, s. */
const STEP = 10;

/** Mean time of the jobs of one class, by when they came. */
export function overTimeChart(runs: readonly Run[], { tenants }: Class, title: string): Chart {
  return {
    title,
    caption: `Means over jobs that came within ${STEP} s.`,
    xLabel: "time (s)",
    yLabel: "seconds",
    yScale: "log",
    series: runs.map(({ name: run, replayed }) => {
      const sums: { sum: number; count: number }[] = [];
      for (const { atSec, tookSec } of tenants.flatMap((tenant) => replayed.jobs.get(tenant)!)) {
        const place = Math.floor(atSec / STEP);
        sums[place] ??= { sum: 0, count: 0 };
        sums[place].sum += tookSec;
        sums[place].count += 1;
      }
      // A stretch in which nobody came is a gap.
      const points = Array.from(sums, (each, place) => ({
        x: (place + 0.5) * STEP,
        y: each === undefined ? Number.NaN : each.sum / each.count,
      }));
      return { name: run, points };
    }),
  };
}

/** Each run's figures in a row, for one resource after the other. */
export function runsTable(runs: readonly Run[], classes: readonly Class[], resources: readonly ("disk" | "cpu")[]): Table {
  return {
    title: "Runs",
    caption:
      "Mean and p99 of job times, s. Of each resource: the part in use while somebody was hungry (had more waiting than it was due), and Jain's index of the hungry.",
    columns: [
      "",
      ...classes.flatMap(({ name }) => [`${name} mean`, `${name} p99`]),
      ...resources.flatMap((resource) => [`${resource} used`, `${resource} Jain`]),
      "done at, s",
    ],
    rows: runs.map(({ name, replayed }) => [
      name,
      ...classes.flatMap((each) => {
        const took = tookSec(replayed, each);
        return [meanOf(took), quantileOf(took, 0.99)];
      }),
      ...resources.flatMap((resource) => [usedWhileFull(replayed[resource]), fairnessOf(replayed[resource])]),
      replayed.endSec,
    ]),
  };
}
