/** What `tenantry policy try` shows: two runs of a scenario beside each other, in words, as tables and as a page of pictures. */
import type { renderComparison, ScenarioOutcome, ScenarioResult, Table } from "../simulations/index.js";
import type { TryOutcome } from "./policy-try-thread.js";
import { short, styled, table } from "./terminal.js";

/** What a terminal shows. */
export function inText(outcome: TryOutcome): string {
  const { columns, rows } = expectations(outcome);
  const shown = rows.map((row) => row.map((cell) => (typeof cell === "number" ? short(cell) : cell)));
  const [set, refused] = [setInWords(outcome), refusedInWords(outcome)];
  return [
    styled("bold", titleOf(outcome)),
    ...(set === undefined ? [] : [set]),
    table(columns, shown),
    ...(refused === undefined ? [] : [styled("red", refused)]),
  ].join("\n");
}

/** The page, by `renderComparison`. */
export function pageOf(outcome: TryOutcome, render: typeof renderComparison): string {
  const { policy, insteadOf, current, tried } = outcome;
  const lines = [
    `Two runs: one as it is, where ${insteadOf} decides; and one where ${policy} does, wherever ${insteadOf} is named.`,
    setInWords(outcome),
    refusedInWords(outcome),
  ];
  const summary = lines.filter((line) => line !== undefined);
  return render(
    { title: titleOf(outcome), summary, tables: [expectations(outcome), figures(outcome)] },
    { name: `${insteadOf}, as it is`, summary: current.summary, charts: current.charts },
    { name: `${policy}, tried`, summary: tried.summary, charts: tried.charts },
  );
}

/** What a script reads. */
export function inJson(outcome: TryOutcome, outcomeOf: (result: ScenarioResult) => ScenarioOutcome): object {
  const { policy, insteadOf, params, byScenario, decisions, refusals, refused, current, tried } = outcome;
  const { scenario, seed } = tried;
  const runs = { current: outcomeOf(current), tried: outcomeOf(tried), met: isMet(outcome) };
  return { policy, insteadOf, scenario, seed, params, byScenario, decisions, refusals, refused, ...runs };
}

/** Is everything met, and was every decision one? */
export function isMet({ tried, refusals }: TryOutcome): boolean {
  return tried.met && refusals === 0;
}

function titleOf({ policy, insteadOf, tried }: TryOutcome): string {
  return `${policy} in the place of ${insteadOf} (${tried.scenario}, seed ${tried.seed})`;
}

/** Parameters that are not as the author of the policy left them, and how to have them so. */
function setInWords({ params, byScenario, insteadOf }: TryOutcome): string | undefined {
  if (byScenario.length === 0) return undefined;
  const set = byScenario.map((key) => `${key} is ${params[key]}`).join(", ");
  return `The scenario sets for ${insteadOf}, and so for the policy tried: ${set}; --param ${byScenario[0]}=NUMBER says otherwise.`;
}

function refusedInWords({ refusals, decisions, refused }: TryOutcome): string | undefined {
  if (refusals === 0) return undefined;
  return `refused in ${refusals} of ${decisions} windows, where the last good rates stood instead; first because: ${refused}`;
}

function expectations({ policy, insteadOf, current, tried }: TryOutcome): Table {
  const rows = tried.expectations.map(({ name, bound, value, met }) => {
    const before = current.expectations.find((each) => each.name === name);
    const word = (kept: boolean) => (kept ? "met" : "not met");
    return [name, bound, before?.value ?? "", before === undefined ? "" : word(before.met), value, word(met)];
  });
  return { title: "What was expected", columns: ["figure", "bound", insteadOf, "", policy, ""], rows };
}

function figures({ policy, insteadOf, current, tried }: TryOutcome): Table {
  const rows = Object.entries(tried.figures).flatMap(([name, value]) => {
    const before = current.figures[name];
    return typeof value === "number" && typeof before === "number" ? [[name, before, value]] : [];
  });
  return { title: "All figures", columns: ["figure", insteadOf, policy], rows };
}
