/** The policies of a configuration that are in files: all loaded, or none, with every mistake told. */
import type { Policy } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { DEFAULT_CONFIG } from "../config.js";
import type { ControllerEvent } from "../controller.js";
import { PolicyFile } from "./policy-file.js";
import type { Settings } from "./settings.js";
import { countText } from "./settings-file.js";

export interface PolicyFiles {
  readonly policies: readonly Policy[];
  /** Stops their threads. */
  close(): Promise<void>;
}

export interface OpenOptions {
  onEvent(event: ControllerEvent): void;
  /** Where in the configuration these keys stand, with a blank after it; empty: it is no file. */
  placeOf(keys: string[]): string;
}

/** @throws TenantryError BAD_CONFIG that lists what is wrong with each of them */
export async function openPolicyFiles(settings: Settings, { onEvent, placeOf }: OpenOptions): Promise<PolicyFiles> {
  const { windowUs, policyBudgetWindows } = { ...DEFAULT_CONFIG, ...settings };
  const limitMs = (windowUs * policyBudgetWindows) / 1_000;
  const opened: PolicyFile[] = [];
  const faults: string[] = [];
  const opening = Object.entries(settings.policies ?? {}).map(async ([name, { file, params = {} }]) => {
    if (file === undefined) return;
    try {
      opened.push(await PolicyFile.open({ name, path: file, params, limitMs, onEvent }));
    } catch (error) {
      faults.push(`  ${placeOf(["policies", name, "file"])}policies.${name}: ${(error as Error).message}`);
    }
  });
  await Promise.all(opening);
  const close = async () => {
    await Promise.all(opened.map((policy) => policy.close()));
  };
  if (faults.length > 0) {
    await close();
    throw new TenantryError("BAD_CONFIG", `${countText(faults.length)} in the configuration:\n${faults.sort().join("\n")}`);
  }
  // In the order of the configuration, whichever was loaded first.
  const names = Object.keys(settings.policies ?? {});
  opened.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
  for (const policy of opened) policy.watch();
  return { policies: opened, close };
}
