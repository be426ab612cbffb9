/** `tenantry policy try FILE`: a scenario with the current policy and with this one; exit status 1 when this one misses what is expected. */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { milliseconds, parameter, seed } from "./arguments.js";
import { checkWritable, progress, write } from "./long-run.js";
import { loopInWords } from "./policy-check-command.js";
import type { TryInput, TryOutcome } from "./policy-try-thread.js";
import { CommandFailure, print, tell } from "./terminal.js";

interface Options {
  scenario: string;
  seed: number;
  quick?: true;
  insteadOf?: string;
  param?: Record<string, number>;
  report?: string;
  limitMs: number;
  json?: true;
}

export function policyTryCommand(): Command {
  return new Command("try")
    .description("simulate with a policy in the place of the current one, and show both side by side")
    .argument("<FILE>", "the policy, TypeScript or JavaScript")
    .requiredOption("--scenario <NAME>", "which, such as retro/bottleneck-fairness (tenantry simulate --list has all)")
    .addOption(new Option("--seed <N>", "the same seed gives the same runs").default(1).argParser(seed))
    .option("--quick", "without what takes long, of scenarios that have such")
    .option("--instead-of <POLICY>", "whose place it takes (default: that of the one the scenario is about)")
    .addOption(
      new Option("--param <NAME=NUMBER>", "a parameter, whatever the scenario sets; may be repeated").argParser(parameter),
    )
    .option("--report <FILE>", "where the pictures go (default: the policy's name, with -try.html)")
    .addOption(new Option("--limit-ms <N>", "most one decision may take").default(5_000).argParser(milliseconds))
    .option("--json", "one object: both outcomes")
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  if (!existsSync(file)) throw new CommandFailure(`${file} is not there; tenantry policy new NAME writes one to start from`, 2);
  const [{ watched }, { listScenarios, outcomeOf, renderComparison }, { inJson, inText, isMet, pageOf }] = await Promise.all([
    import("./watched-thread.js"),
    import("../simulations/index.js"),
    import("./policy-try-page.js"),
  ]);
  const { scenario, quick = false, param: params = {} } = options;
  const insteadOf = await placeIn(scenario, listScenarios(), options.insteadOf);
  checkWritable(options.report ?? "its report", dirname(options.report ?? "."));
  const outcome = await watched<TryOutcome>({
    program: new URL("./policy-try-thread.js", import.meta.url),
    data: { path: file, scenario, seed: options.seed, quick, insteadOf, params } satisfies TryInput,
    limitMs: options.limitMs,
    onProgress: progress(),
  });
  if ("failed" in outcome) throw new CommandFailure(outcome.failed);
  if ("looped" in outcome) throw new CommandFailure(await loopInWords(outcome.looped, options.limitMs));
  const { done } = outcome;
  const report = options.report ?? `${done.policy}-try.html`;
  write(report, pageOf(done, renderComparison));
  print(options.json ? JSON.stringify(inJson(done, outcomeOf)) : inText(done));
  tell(`pictures are in ${report}`);
  if (!isMet(done)) process.exitCode = 1;
}

/** Name of the policy whose place it takes: the one that is said, or that the scenario is about. */
async function placeIn(
  name: string,
  scenarios: readonly { name: string; policy?: string }[],
  said: string | undefined,
): Promise<string> {
  const scenario = scenarios.find((each) => each.name === name);
  const fit = scenarios.filter(({ policy }) => policy !== undefined).map((each) => each.name);
  if (scenario === undefined) {
    throw new CommandFailure(`there is no scenario "${name}"; those about a policy are: ${fit.join(", ")}`, 2);
  }
  if (scenario.policy === undefined) {
    throw new CommandFailure(`scenario ${name} is not about one policy; those that are: ${fit.join(", ")}`, 2);
  }
  if (said === undefined) return scenario.policy;
  const { POLICIES } = await import("../policies/index.js");
  const names = POLICIES.map((policy) => policy.name);
  if (names.includes(said)) return said;
  throw new CommandFailure(`--instead-of "${said}": the package has no such policy; it has ${names.join(", ")}`, 2);
}
