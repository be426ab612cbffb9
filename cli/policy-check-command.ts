/** `tenantry policy check FILE`: types, then the rules every policy keeps to; exit status 1 when one of them is broken. */
import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import type { Verdict } from "../policies/conformance/index.js";
import { milliseconds, seed, views } from "./arguments.js";
import type { CheckInput, CheckOutcome } from "./policy-check-thread.js";
import type { TypesVerdict } from "./policy-types.js";
import { CommandFailure, print, styled } from "./terminal.js";

interface Options {
  seed: number;
  views: number;
  limitMs: number;
  types: boolean;
  json?: true;
}

/** What `--json` prints. */
interface Report {
  file: string;
  /** Null when it could not be loaded. */
  policy: string | null;
  params: Record<string, number>;
  seed: number;
  /** Null: not asked for. */
  types: TypesVerdict | null;
  rules: Verdict[];
  /** Why there are no verdicts; null: there are. */
  error: string | null;
  met: boolean;
}

export function policyCheckCommand(): Command {
  return new Command("check")
    .description("check a policy: its types, and the rules every policy keeps to, on views at random")
    .argument("<FILE>", "the policy, TypeScript or JavaScript")
    .addOption(new Option("--seed <N>", "the same seed gives the same views").default(1).argParser(seed))
    .addOption(new Option("--views <N>", "views for each rule").default(300).argParser(views))
    .addOption(new Option("--limit-ms <N>", "most one decision may take").default(5_000).argParser(milliseconds))
    .option("--no-types", "leave the types unchecked")
    .option("--json", "one object: types, and a verdict for each rule")
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  if (!existsSync(file)) throw new CommandFailure(`${file} is not there; tenantry policy new NAME writes one to start from`, 2);
  const [{ watched }, { checkTypes }] = await Promise.all([import("./watched-thread.js"), import("./policy-types.js")]);
  const data: CheckInput = { path: file, seed: options.seed, views: options.views };
  const program = new URL("./policy-check-thread.js", import.meta.url);
  const types = options.types ? await checkTypes(file) : null;
  const outcome = await watched<CheckOutcome>({ program, data, limitMs: options.limitMs });
  const report: Report = { file, policy: null, params: {}, seed: options.seed, types, rules: [], error: null, met: false };
  if ("done" in outcome) {
    const { policy, params, verdicts } = outcome.done;
    const met = verdicts.every((verdict) => verdict.met) && types?.met !== false;
    Object.assign(report, { policy, params, rules: verdicts, met });
  } else if ("failed" in outcome) {
    report.error = outcome.failed;
  } else {
    report.error = await loopInWords(outcome.looped, options.limitMs);
  }
  print(options.json ? JSON.stringify(report) : inWords(report));
  if (!report.met) process.exitCode = 1;
}

/** A policy that did not come to an end, and on what. */
export async function loopInWords({ view, about }: { view: unknown; about: string }, limitMs: number): Promise<string> {
  const [{ viewInWords }, { revived }] = await Promise.all([
    import("../policies/conformance/index.js"),
    import("../policies/io/index.js"),
  ]);
  const lines = viewInWords(revived(view as Parameters<typeof revived>[0]));
  return [`decide did not end within ${limitMs} ms (${about}), on this view:`, ...lines.map((line) => `  ${line}`)].join("\n");
}

function inWords({ file, policy, types, rules, error, met }: Report): string {
  const lines = [styled("bold", policy === null ? file : `${file}: policy "${policy}"`)];
  if (types !== null) lines.push(verdict(types.met, "types", "what it is written with is there, and used as it is meant"));
  for (const mistake of types?.mistakes ?? []) lines.push(`${INDENT}${mistake}`);
  if (error !== null) {
    lines.push(verdict(false, "decides", "it can be loaded, and comes to an end"));
    lines.push(...error.split("\n").map((line) => `${INDENT}${line}`));
  }
  for (const { rule, asks, met: kept, views: tried, broken } of rules) {
    if (tried === 0) lines.push(`${styled("dim", "–".padEnd(WIDTH))}${rule.padEnd(NAMES)}not looked at`);
    else lines.push(verdict(kept, rule, asks));
    if (broken === undefined) continue;
    lines.push(`${INDENT}${styled("yellow", broken.says)}`, `${INDENT}on this view, the simplest found:`);
    lines.push(...broken.view.map((line) => `${INDENT}  ${line}`));
    if (broken.limits.length > 0) lines.push(`${INDENT}it sets:`, ...broken.limits.map((line) => `${INDENT}  ${line}`));
  }
  const failed =
    rules.filter((rule) => !rule.met && rule.views > 0).length + Number(types?.met === false) + Number(error !== null);
  lines.push(met ? styled("green", "everything is kept") : styled("red", `${failed} broken`));
  return lines.join("\n");
}

const WIDTH = 8;
const NAMES = 17;
const INDENT = " ".repeat(WIDTH);

function verdict(met: boolean, name: string, asks: string): string {
  const word = met ? "ok" : "broken";
  return `${styled(met ? "green" : "red", word)}${" ".repeat(WIDTH - word.length)}${name.padEnd(NAMES)}${asks}`;
}
