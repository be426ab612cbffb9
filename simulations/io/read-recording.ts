/**
 * What a scenario replays: the file it is given, or the one beside the project. Traces of others are not ours to pass on, so
 * where there is none the scenario says which it lacks, and where it looked.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { TenantryError } from "../../proto/errors.js";
import type { ScenarioRun } from "../scenario.js";
import { findScenario } from "../scenarios/index.js";
import { readTrace } from "./read-trace.js";

/**
 * What to run a scenario with: its recording, when it replays one.
 *
 * @param name of the scenario
 * @param file what it shall replay; default: its own, where that is
 * @param folder where data is that is not the project's
 * @throws TenantryError UNAVAILABLE, naming scenario and file, when that is not there; BAD_TRACE as `readTrace`; BAD_ARGUMENT when a
 *   file is given to a scenario that replays none; UNKNOWN
 * @example runScenario("workloads/swim", await readRecording("workloads/swim"))
 */
export async function readRecording(
  name: string,
  file?: string,
  folder = besideProject(),
): Promise<Pick<ScenarioRun, "recording">> {
  const { replays } = findScenario(name);
  if (replays === undefined) {
    if (file === undefined) return {};
    throw new TenantryError("BAD_ARGUMENT", `scenario "${name}" has its own settings and replays no file; leave ${file} away`);
  }
  const path = file ?? join(folder, replays.file);
  if (file === undefined && !existsSync(path)) {
    throw new TenantryError(
      "UNAVAILABLE",
      `scenario "${name}" is skipped: the trace it replays, ${replays.file}, is not at ${path}; give the file: tenantry simulate ${name} FILE`,
    );
  }
  return { recording: await readTrace(shorter(path), replays.columns) };
}

/** The folder of data next to that of the project, from sources as from what is compiled. */
function besideProject(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return join(folder, "..", "shared", "data");
}

/** As seen from here, where that is less to read. */
function shorter(path: string): string {
  const seen = relative(process.cwd(), path);
  return seen.length < path.length ? seen : path;
}
