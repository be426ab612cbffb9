/**
 * What a scenario is: a named experiment that runs the production code under virtual time from one seed, measures figures,
 * and says which of them it expects. A new scenario is one file and one line in `index.ts`.
 */

import type { Policy } from "../policies/index.js";
import { TenantryError } from "../proto/errors.js";
import type { Workload } from "./pool/workload.js";
import type { Picture, Report, Table } from "./report/index.js";

/** How a scenario is to be run. */
export interface ScenarioRun {
  /** 0 … 2^32 − 1. The same seed gives the same run, to the last bit. */
  readonly seed: number;
  /** A few runs instead of many, where a scenario has many: what every commit can afford. Default false. */
  readonly quick?: boolean;
  /** Called now and then with the fraction done, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  /**
   * Policies that decide in the place of those of this name: a scenario hands them to each of its worlds, as it does its seed,
   * and knows nothing else of them.
   */
  readonly inPlaceOf?: Readonly<Record<string, Policy>>;
  /** What a scenario with `replays` replays. */
  readonly recording?: Recording;
}

/** A recorded trace, as it was read. */
export interface Recording {
  /** Where it was read, for messages and reports. */
  readonly path: string;
  readonly workload: Workload;
  /** Its further columns, by name: a number per request. */
  readonly numbers: Readonly<Record<string, readonly number[]>>;
}

/** Which trace a scenario replays. Traces are not part of the package: whoever runs the scenario brings one. */
export interface Replays {
  /** Where to look when no file is given, below the folder of data beside the project. */
  readonly file: string;
  /** Columns it needs beside those of every trace. */
  readonly columns: readonly string[];
}

/** What a run showed. */
export interface Findings {
  /** What was measured, by name; units stand at the end of names. */
  figures: Record<string, number | number[]>;
  expectations: Expectation[];
  /** 16 hex digits over every event of the run. */
  traceHash: string;
  /** What happened, in a few sentences with numbers. */
  summary: string[];
  charts: Picture[];
  tables?: Table[];
}

/** A figure, its bound, and whether it was met. */
export interface Expectation {
  name: string;
  value: number;
  /** In words: "≥ 0.99". */
  bound: string;
  met: boolean;
}

/** An experiment that can be run again: a name, and what it does with a seed. */
export interface Scenario {
  /** `family/name`, or a name alone. */
  readonly name: string;
  /** One line for a list. */
  readonly title: string;
  /** Name of the policy it is about: in whose place another is tried. Absent: it asks none, or is about several. */
  readonly policy?: string;
  run(options: ScenarioRun): Findings;
  /** How the work may be divided, when it may. */
  readonly parts?: Parts;
  /** What it needs to be given as `recording`, when it replays something. */
  readonly replays?: Replays;
}

/**
 * Work that falls into parts which know nothing of each other, so that several cores may do them: the runs of an experiment
 * with many seeds. What a part gives is plain data, for it may come from another thread.
 */
export interface Parts<P = unknown> {
  readonly count: number;
  /** How many of them, from the first on, a quick run does. */
  readonly quickCount: number;
  /** Depends on nothing but its arguments; `part` is 0 … count − 1. */
  run(seed: number, part: number): P;
  /** What those that were done, in order, show. */
  findings(parts: P[]): Findings;
}

/** What `runScenario` gives: the findings, and a report ready for `renderReport`. */
export interface ScenarioResult extends Findings {
  scenario: string;
  title: string;
  seed: number;
  /** Were all expectations met? */
  met: boolean;
  report: Report;
}

/** The part of a result that `--json` prints. */
export interface ScenarioOutcome {
  scenario: string;
  seed: number;
  figures: Record<string, number | number[]>;
  expectations: Expectation[];
  traceHash: string;
}

/** Checks a scenario's shape at the place where it is written. */
export function defineScenario(scenario: Scenario): Scenario {
  if (!/^[a-z0-9-]+(\/[a-z0-9-]+)?$/.test(scenario.name)) {
    throw new TenantryError("BAD_NAME", `scenario name "${scenario.name}": expected lower-case words, as in "retro/latency-slo"`);
  }
  return Object.freeze({ ...scenario });
}

/** A scenario in parts; one after the other they give what several cores give. */
export function defineInParts<P>({ name, title, ...parts }: { name: string; title: string } & Parts<P>): Scenario {
  return defineScenario({
    name,
    title,
    parts: parts as Parts,
    run({ seed, quick, onProgress }) {
      const count = quick ? parts.quickCount : parts.count;
      const done: P[] = [];
      while (done.length < count) {
        done.push(parts.run(seed, done.length));
        onProgress?.(done.length / count);
      }
      return parts.findings(done);
    },
  });
}

/** An expectation that `value` is at least `bound`. NaN meets nothing. */
export function atLeast(name: string, value: number, bound: number): Expectation {
  return { name, value, bound: `≥ ${bound}`, met: value >= bound };
}

/** An expectation that `value` is at most `bound`. */
export function atMost(name: string, value: number, bound: number): Expectation {
  return { name, value, bound: `≤ ${bound}`, met: value <= bound };
}

/** Runs one scenario; `seed` defaults to 1. */
export function conduct(scenario: Scenario, options: Partial<ScenarioRun>): ScenarioResult {
  const seed = checkedSeed(scenario.name, options.seed);
  return concluded(scenario, seed, scenario.run({ ...options, seed }));
}

/** @throws BAD_ARGUMENT unless it is a whole number that fits 32 bits; undefined gives 1 */
export function checkedSeed(name: string, seed = 1): number {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return seed;
  throw new TenantryError("BAD_ARGUMENT", `scenario "${name}": seed is ${seed}; expected a whole number, 0 … 2^32 − 1`);
}

/** Judges what was found, and makes a report of it. */
export function concluded({ name, title }: Scenario, seed: number, findings: Findings): ScenarioResult {
  const met = findings.expectations.every((expectation) => expectation.met);
  const expectations: Table = {
    title: "What was expected",
    columns: ["figure", "value", "bound", ""],
    rows: findings.expectations.map((e) => [e.name, e.value, e.bound, e.met ? "met" : "not met"]),
  };
  const tables = [expectations, ...(findings.tables ?? [])];
  const report: Report = {
    title: `${title} (${name}, seed ${seed})`,
    summary: findings.summary,
    charts: findings.charts,
    tables,
  };
  return { ...findings, scenario: name, title, seed, met, report };
}

/** What a script wants to read of a result: no charts. */
export function outcomeOf(result: ScenarioResult): ScenarioOutcome {
  const { scenario, seed, figures, expectations, traceHash } = result;
  return { scenario, seed, figures, expectations, traceHash };
}
