/** `tenantry simulate`: runs a scenario under virtual time; exit status 1 when it misses what it expects. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import type { ScenarioResult } from "../simulations/index.js";
import { seed } from "./arguments.js";
import { CommandFailure, print, short, styled, table, tell } from "./terminal.js";

interface Options {
  list?: true;
  seed: number;
  json?: true;
  report?: string;
}

export function simulateCommand(): Command {
  return new Command("simulate")
    .description("run a scenario under virtual time")
    .argument("[NAME]", "which (--list shows what there is)")
    .option("--list", "show the scenarios there are")
    .addOption(new Option("--seed <N>", "the same seed gives the same run").default(1).argParser(seed))
    .option("--json", "one object: figures, expectations, trace hash")
    .option("--report <FILE>", "write pictures of it, as one HTML page")
    .action(run);
}

async function run(name: string | undefined, options: Options): Promise<void> {
  // Loaded only here: other commands need none of it.
  const { listScenarios, outcomeOf, renderReport, runScenario } = await import("../simulations/index.js");
  if (options.list) {
    const scenarios = listScenarios();
    print(
      options.json
        ? JSON.stringify(scenarios)
        : table(
            ["scenario", ""],
            scenarios.map((each) => [each.name, each.title]),
          ),
    );
    return;
  }
  if (name === undefined)
    throw new CommandFailure("which scenario? expected a name; tenantry simulate --list shows what there is", 2);
  if (!listScenarios().some((scenario) => scenario.name === name)) {
    const names = listScenarios().map((scenario) => scenario.name);
    throw new CommandFailure(`there is no scenario "${name}"; there are: ${names.join(", ")}`, 2);
  }
  // A run can take long: that its report has nowhere to go is said before it.
  if (options.report !== undefined) attempt(options.report, () => accessSync(dirname(options.report ?? ""), constants.W_OK));
  const result = runScenario(name, { seed: options.seed, ...progress() });
  if (options.report !== undefined) write(options.report, renderReport(result.report));
  print(options.json ? JSON.stringify(outcomeOf(result)) : resultText(result));
  if (options.report !== undefined) tell(`pictures are in ${options.report}`);
  if (!result.met) process.exitCode = 1;
}

/** On a terminal a line that counts up; in a pipe nothing. */
function progress(): { onProgress?: (fraction: number) => void } {
  if (process.stderr.isTTY !== true) return {};
  let shown = -1;
  return {
    onProgress(fraction) {
      const percent = Math.floor(fraction * 100);
      if (percent === shown) return;
      shown = percent;
      process.stderr.write(percent >= 100 ? "\r\x1b[K" : `\r${percent} %`);
    },
  };
}

function resultText(result: ScenarioResult): string {
  const rows = result.expectations.map(({ name, value, bound, met }) => [
    met ? styled("green", "met") : styled("red", "not met"),
    name,
    short(value),
    bound,
  ]);
  const width = (met: boolean) => (met ? "met" : "not met").length;
  const padded = rows.map(([verdict, ...rest], i) => [verdict + " ".repeat(7 - width(result.expectations[i].met)), ...rest]);
  return [
    styled("bold", `${result.title} (${result.scenario}, seed ${result.seed})`),
    ...result.summary,
    "",
    ...padded.map(([verdict, name, value, bound]) => `${verdict}  ${name}: ${value} (expected ${bound})`),
    "",
    styled("dim", `trace ${result.traceHash}`),
  ].join("\n");
}

function write(path: string, text: string): void {
  attempt(path, () => writeFileSync(path, text));
}

/** @throws CommandFailure in plain words when `act` cannot do with the file what it should */
function attempt(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new CommandFailure(
      `${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? error}; is its folder there?`,
    );
  }
}
