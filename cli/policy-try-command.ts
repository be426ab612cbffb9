/** `tenantry policy try FILE`: a scenario with the current policy and with this one; exit status 1 when this one misses what is expected. */
import { existsSync, writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import type { ScenarioOutcome, Table } from "../simulations/index.js";
import { milliseconds, seed } from "./arguments.js";
import { loopInWords } from "./policy-check-command.js";
import type { TryInput, TryOutcome } from "./policy-try-thread.js";
import { CommandFailure, print, short, styled, table, tell } from "./terminal.js";

interface Options {
  scenario: string;
  seed: number;
  insteadOf?: string;
  report?: string;
  limitMs: number;
  json?: true;
}

export function policyTryCommand(): Command {
  return new Command("try")
    .description("simulate with a policy in the place of the current one, and show both side by side")
    .argument("<FILE>", "the policy, TypeScript or JavaScript")
    .requiredOption("--scenario <NAME>", "which (tenantry simulate --list shows what there is)")
    .addOption(new Option("--seed <N>", "the same seed gives the same runs").default(1).argParser(seed))
    .option("--instead-of <POLICY>", "whose place it takes (default: that of the one the scenario asks)")
    .option("--report <FILE>", "where the pictures go (default: the policy's name, with -try.html)")
    .addOption(new Option("--limit-ms <N>", "most one decision may take").default(5_000).argParser(milliseconds))
    .option("--json", "one object: both outcomes")
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  if (!existsSync(file)) throw new CommandFailure(`${file} is not there; tenantry policy new NAME writes one to start from`, 2);
  const [{ watched }, { listScenarios, outcomeOf, renderComparison }] = await Promise.all([
    import("./watched-thread.js"),
    import("../simulations/index.js"),
  ]);
  const names = listScenarios().map(({ name }) => name);
  if (!names.includes(options.scenario)) {
    throw new CommandFailure(`there is no scenario "${options.scenario}"; there are: ${names.join(", ")}`, 2);
  }
  const { scenario, insteadOf } = options;
  const data: TryInput = { path: file, scenario, seed: options.seed, insteadOf };
  const program = new URL("./policy-try-thread.js", import.meta.url);
  const outcome = await watched<TryOutcome>({ program, data, limitMs: options.limitMs });
  if ("failed" in outcome) throw new CommandFailure(outcome.failed);
  if ("looped" in outcome) throw new CommandFailure(await loopInWords(outcome.looped, options.limitMs));
  const { done } = outcome;
  const report = options.report ?? `${done.policy}-try.html`;
  const tables = [expectations(done), figures(done)];
  const title = `${done.policy} in the place of ${done.insteadOf} (${scenario}, seed ${options.seed})`;
  const page = renderComparison(
    { title, summary: done.tried.summary, tables },
    { name: `${done.insteadOf}, as it is`, charts: done.current.charts },
    { name: `${done.policy}, tried`, charts: done.tried.charts },
  );
  try {
    writeFileSync(report, page);
  } catch (error) {
    throw new CommandFailure(
      `${report} cannot be written: ${(error as NodeJS.ErrnoException).code ?? error}; is its folder there?`,
    );
  }
  if (options.json) print(JSON.stringify(both(done, outcomeOf(done.current), outcomeOf(done.tried))));
  else print([styled("bold", title), inText(tables[0])].join("\n"));
  tell(`pictures are in ${report}`);
  if (!done.tried.met) process.exitCode = 1;
}

function both({ policy, insteadOf, tried }: TryOutcome, current: ScenarioOutcome, outcome: ScenarioOutcome): object {
  return { policy, insteadOf, scenario: current.scenario, seed: current.seed, current, tried: outcome, met: tried.met };
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

function inText({ columns, rows }: Table): string {
  return table(
    columns,
    rows.map((row) => row.map((cell) => (typeof cell === "number" ? short(cell) : cell))),
  );
}
