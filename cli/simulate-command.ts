/** `tenantry simulate`: runs a scenario under virtual time; exit status 1 when it misses what it expects. */
import { basename, dirname, join } from "node:path";
import { Command, Option } from "commander";
import type { ScenarioResult } from "../simulations/index.js";
import { choices, count, seed, weight } from "./arguments.js";
import { checkWritable, progress, write } from "./long-run.js";
import { CommandFailure, print, short, styled, table, tell } from "./terminal.js";

interface Options {
  list?: true;
  seed: number;
  quick?: true;
  cores?: number;
  json?: true;
  report?: string;
  pictures?: string;
  threads?: number;
  rate?: number;
  utilisation?: number;
  scheduler?: string[];
  estimator?: string[];
}

export function simulateCommand(): Command {
  return new Command("simulate")
    .description("run a scenario under virtual time")
    .argument("[NAME]", "which (--list shows what there is)")
    .argument(
      "[FILE]",
      "a recorded trace, FILE.csv or FILE.csv.gz with columns arrival_us,tenant,api,cost: of scenario trace, or in the place of the one a workload replays",
    )
    .option("--list", "show the scenarios there are")
    .addOption(new Option("--seed <N>", "the same seed gives the same run").default(1).argParser(seed))
    .option("--quick", "a few runs instead of many, of scenarios that have many")
    .addOption(new Option("--cores <N>", "use no more of them (default: all)").argParser(count))
    .option("--json", "one object: figures, expectations, trace hash")
    .option("--report <FILE>", "write pictures of it, as one HTML page")
    .option("--pictures <FOLDER>", "write each picture of it as an SVG file")
    .addOption(new Option("--threads <N>", "trace: slots (default 32)").argParser(count))
    .addOption(
      new Option("--rate <UNITS>", "trace: cost one slot works off per second (default: by utilisation)").argParser(weight),
    )
    .addOption(new Option("--utilisation <PART>", "trace: how full the slots are (default 0.9)").argParser(weight))
    .addOption(new Option("--scheduler <KINDS>", "trace: which, by commas (default fifo,wfq,wf2q,2dfq)").argParser(choices))
    .addOption(
      new Option("--estimator <KINDS>", "trace: known, moving-average, pessimistic (default the latter two)").argParser(choices),
    )
    .action(run);
}

async function run(name: string | undefined, file: string | undefined, options: Options): Promise<void> {
  // Loaded only here: other commands need none of it.
  const { listScenarios, outcomeOf, renderReport, renderChart } = await import("../simulations/index.js");
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
  if (name === "trace" && file === undefined)
    throw new CommandFailure("which trace? expected tenantry simulate trace FILE.csv or FILE.csv.gz", 2);
  if (name !== "trace" && (options.threads || options.rate || options.utilisation))
    throw new CommandFailure(
      `scenario "${name}" has its own settings; --threads, --rate and --utilisation are for scenario trace`,
      2,
    );
  // A run can take long: that its report has nowhere to go is said before it.
  if (options.report !== undefined) checkWritable(options.report, dirname(options.report));
  if (options.pictures !== undefined) checkWritable(options.pictures, options.pictures);
  const result = name === "trace" ? await runTrace(file as string, options) : await runNamed(name, file, options);
  if (options.report !== undefined) write(options.report, renderReport(result.report));
  if (options.pictures !== undefined) {
    for (const [k, picture] of result.charts.entries()) {
      write(join(options.pictures, `${name.replace("/", "-")}-${k + 1}.svg`), `${renderChart(picture, result.charts)}\n`);
    }
  }
  print(options.json ? JSON.stringify(outcomeOf(result)) : resultText(result));
  if (options.report !== undefined) tell(`pictures are in ${options.report}`);
  if (!result.met) process.exitCode = 1;
}

async function runNamed(name: string, file: string | undefined, options: Options): Promise<ScenarioResult> {
  const { readRecording, runScenarioOnCores } = await import("../simulations/io/index.js");
  const { seed, quick = false, cores } = options;
  const given = { ...(await readRecording(name, file)), ...(cores === undefined ? {} : { cores }) };
  return runScenarioOnCores(name, { seed, quick, ...given, onProgress: progress() });
}

async function runTrace(file: string, options: Options): Promise<ScenarioResult> {
  const { readTrace } = await import("../simulations/io/index.js");
  const { conductTrace } = await import("../simulations/index.js");
  const { workload } = await readTrace(file);
  return conductTrace(
    basename(file),
    workload,
    {
      ...(options.threads === undefined ? {} : { slots: options.threads }),
      ...(options.rate === undefined ? {} : { unitsPerSecPerSlot: options.rate }),
      ...(options.utilisation === undefined ? {} : { utilisation: options.utilisation }),
      ...(options.scheduler === undefined ? {} : { schedulers: options.scheduler }),
      ...(options.estimator === undefined ? {} : { estimators: options.estimator }),
    },
    { seed: options.seed, onProgress: progress() },
  );
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
