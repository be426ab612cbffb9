/**
 * What a scenario is: a named experiment that runs the production code under virtual time from one seed, measures figures,
 * and says which of them it expects. A new scenario is one file and one line in `index.ts`.
 */

import type { Policy } from "../policies/index.js";
import { TenantryError } from "../proto/errors.js";
import type { Chart, Report, Table } from "./report/index.js";

export interface ScenarioRun {
  /** 0 … 2^32 − 1. The same seed gives the same run, to the last bit. */
  readonly seed: number;
  /** Called now and then with the fraction done, 0…1. */
  readonly onProgress?: (fraction: number) => void;
  /**
   * Policies that decide in the place of those of this name: a scenario hands them to its world, as it does its seed, and knows
   * nothing else of them.
   */
  readonly inPlaceOf?: Readonly<Record<string, Policy>>;
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
  charts: Chart[];
  tables?: Table[];
}

export interface Expectation {
  name: string;
  value: number;
  /** In words: "≥ 0.99". */
  bound: string;
  met: boolean;
}

export interface Scenario {
  /** `family/name`, or a name alone. */
  readonly name: string;
  /** One line for a list. */
  readonly title: string;
  run(options: ScenarioRun): Findings;
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
  const seed = options.seed ?? 1;
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new TenantryError(
      "BAD_ARGUMENT",
      `scenario "${scenario.name}": seed is ${seed}; expected a whole number, 0 … 2^32 − 1`,
    );
  }
  const findings = scenario.run({ ...options, seed });
  const met = findings.expectations.every((expectation) => expectation.met);
  const { title, name } = scenario;
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
