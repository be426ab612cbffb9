/** The command line of the main job. */
import { parseArgs } from "node:util";
import { ACTS } from "./acts.js";

export interface Options {
  /** A name in `ACTS`. */
  policy: string;
  keep: boolean;
  json: string | undefined;
  report: string;
  phaseSec: number;
  leadInSec: number;
  help: boolean;
}

export const HELP = `Runs the main job on this machine: a controller, a gateway, two storage services with a database behind them, and four
tenants, one of which turns aggressive (two of five with dominant-resource-fairness). Three phases: calm; the flood while the policy only observes; the flood with the policy enforced.

  npm start -- [options]

  --policy NAME     ${Object.keys(ACTS).join(", ")} (the first)
  --keep            stay up after the last phase, enforcing, until Ctrl-C
  --json FILE       write the figures of the phases as JSON
  --report FILE     where the page of pictures goes (reports/main-job.html)
  --seconds N       length of each phase (25; 45 for dominant resource fairness)
  --lead-in N       seconds at the start of each phase that are not measured, the same in all (10; 25)
  --help            this
`;

/** @throws Error in plain words about the first thing that is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parsed(args);
  const { policy, keep, json, report, help } = values;
  if (!Object.hasOwn(ACTS, policy)) throw new Error(`--policy is "${policy}"; expected one of ${Object.keys(ACTS).join(", ")}`);
  const act = ACTS[policy];
  const phaseSec = seconds("--seconds", values.seconds ?? String(act.phaseSec), 2, 3600);
  const leadInSec = seconds("--lead-in", values["lead-in"] ?? String(Math.min(act.leadInSec, phaseSec - 1)), 0, phaseSec - 1);
  if (json === "" || report === "") throw new Error(`${json === "" ? "--json" : "--report"} expects the name of a file`);
  return { policy, keep, json, report, phaseSec, leadInSec, help };
}

function parsed(args: readonly string[]) {
  const settings = {
    args: [...args],
    options: {
      policy: { type: "string", default: Object.keys(ACTS)[0] },
      keep: { type: "boolean", default: false },
      json: { type: "string" },
      report: { type: "string", default: "reports/main-job.html" },
      seconds: { type: "string" },
      "lead-in": { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  } as const;
  try {
    return parseArgs(settings);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n(npm start -- --help says what can be asked)`);
  }
}

function seconds(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw new Error(`${name} is "${text}"; expected a number of seconds from ${least} to ${most}`);
}
