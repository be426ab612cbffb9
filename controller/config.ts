/** What may be set about a controller, with defaults that need no thought on one machine. */
import type { Policy } from "../policies/index.js";
import { paramsOf } from "../policies/index.js";
import { TenantryError } from "../proto/errors.js";
import { isLogicalName, isTenantId, shown } from "../proto/names.js";
import { type GroupSettings, groupFaults, membershipFaults, promiseFaults } from "./groups.js";
import { isMode, type Mode } from "./modes.js";
import { DEFAULT_STACK, defaultStack, stackFaults } from "./stack.js";
import type { PointOverride, PolicyOverride, TenantOverride } from "./state.js";
import { termsFaults } from "./terms.js";

/** A configuration, complete and checked: what the YAML file says, with defaults for what it leaves out. */
export interface ControllerConfig {
  /** Agents report, and policies decide, this often, µs; 10_000..60_000_000. */
  windowUs: number;
  /** Leases last this many windows; 1..100. */
  ttlWindows: number;
  /** An instance that has not reported for this many windows is dead: it leaves the view and its share returns; 1..100. */
  deadAfterWindows: number;
  /** Loads and throughputs are averaged exponentially; what was measured this many windows ago counts half; 0.05..100. */
  halfLifeWindows: number;
  /** What each tenant uses in the long run is averaged likewise, with this half-life in windows; 1..100_000. */
  memoryHalfLifeWindows: number;
  /** A decision that takes longer than this many windows is refused; 0.01..10. */
  policyBudgetWindows: number;
  /** Tenants without use for this many windows are forgotten (their settings are kept); ≥ 2 leases. */
  tenantIdleWindows: number;
  /** Bucket size sent with every rate: this many seconds of it; 0..60. */
  burstSeconds: number;
  /** Bounds. What exceeds them is refused (instances, meters) or shares the tenant "overflow" (tenants). */
  maxInstances: number;
  maxTenants: number;
  maxTenantsPerInstance: number;
  maxMeters: number;
  maxMetersPerInstance: number;
  /** Tenants shown by `view()`, those with the largest shares first. */
  viewTenants: number;
  /** The mode of everything. */
  mode: Mode;
  /** Policies in force, in the order in which they decide; see stack.ts. */
  stack: readonly string[];
  /** By policy name. */
  policies: Record<string, PolicyOverride>;
  /** By tenant id. */
  tenants: Record<string, TenantOverride>;
  /** Organisations, teams and the like, by id. */
  groups: Record<string, GroupSettings>;
  /** By logical name, `service/point`. */
  points: Record<string, PointOverride>;
}

/** What holds where nothing is configured. */
export const DEFAULT_CONFIG: Readonly<ControllerConfig> = Object.freeze({
  windowUs: 1_000_000,
  ttlWindows: 3,
  deadAfterWindows: 3,
  halfLifeWindows: 0.5,
  memoryHalfLifeWindows: 60,
  policyBudgetWindows: 0.5,
  tenantIdleWindows: 60,
  burstSeconds: 0.1,
  maxInstances: 20_000,
  maxTenants: 100_000,
  maxTenantsPerInstance: 10_000,
  maxMeters: 1_024,
  maxMetersPerInstance: 256,
  viewTenants: 1_000,
  mode: "enforce" as Mode,
  stack: DEFAULT_STACK,
  policies: {},
  tenants: {},
  groups: {},
  points: {},
});

/** Range of every number above; whole numbers where the third entry says so. */
const RANGES: readonly (readonly [keyof ControllerConfig, number, number, "whole" | "any"])[] = [
  ["windowUs", 10_000, 60_000_000, "whole"],
  ["ttlWindows", 1, 100, "whole"],
  ["deadAfterWindows", 1, 100, "whole"],
  ["halfLifeWindows", 0.05, 100, "any"],
  ["memoryHalfLifeWindows", 1, 100_000, "any"],
  ["policyBudgetWindows", 0.01, 10, "any"],
  ["tenantIdleWindows", 4, 1_000_000, "whole"],
  ["burstSeconds", 0, 60, "any"],
  ["maxInstances", 1, 1_000_000, "whole"],
  ["maxTenants", 2, 1_000_000, "whole"],
  ["maxTenantsPerInstance", 2, 1_000_000, "whole"],
  ["maxMeters", 2, 65_536, "whole"],
  ["maxMetersPerInstance", 2, 65_536, "whole"],
  ["viewTenants", 0, 1_000_000, "whole"],
];

/**
 * The configuration with defaults filled in.
 *
 * @param given    what was configured
 * @param policies the policies there are, for their names and parameters
 * @throws TenantryError BAD_CONFIG that lists every mistake, each with its place
 */
export function completeConfig(given: Partial<ControllerConfig>, policies: readonly Policy[]): ControllerConfig {
  const config: ControllerConfig = { ...DEFAULT_CONFIG, stack: defaultStack(policies), ...given };
  const faults: string[] = [];
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULT_CONFIG, key)) {
      faults.push(`${key}: no such setting; there are ${Object.keys(DEFAULT_CONFIG).join(", ")}`);
    }
  }
  for (const [key, least, most, kind] of RANGES) {
    const value = config[key] as number;
    if (!(value >= least && value <= most) || (kind === "whole" && !Number.isInteger(value))) {
      faults.push(`${key}: ${shown(value)}; expected a ${kind === "whole" ? "whole number" : "number"} from ${least} to ${most}`);
    }
  }
  if (config.tenantIdleWindows < 2 * config.ttlWindows) {
    faults.push(`tenantIdleWindows: ${config.tenantIdleWindows}; expected at least twice ttlWindows (${config.ttlWindows})`);
  }
  if (!isMode(config.mode)) faults.push(modeFault("mode", config.mode));
  faults.push(...stackFaults(config.stack, policies));
  for (const [name, settings] of Object.entries(config.policies)) faults.push(...policyFaults(name, settings, policies));
  const agreed: string[] = [];
  for (const [id, settings] of Object.entries(config.tenants)) agreed.push(...tenantFaults(id, settings));
  for (const [id, { group }] of Object.entries(config.tenants))
    agreed.push(...membershipFaults(`tenants.${shown(id)}`, group, config.groups));
  agreed.push(...groupFaults(config.groups));
  for (const [name, settings] of Object.entries(config.points)) agreed.push(...pointFaults(name, settings));
  // Whether promises can be kept is a question to sound ones only.
  if (agreed.length === 0) agreed.push(...promiseFaults({ ...config, tenants: Object.entries(config.tenants) }));
  faults.push(...agreed);
  if (faults.length > 0)
    throw new TenantryError("BAD_CONFIG", `the configuration has ${faults.length} mistake(s):\n  ${faults.join("\n  ")}`);
  return config;
}

/** Settings there are not: misspelt, they would be in force nowhere, and nobody would know. */
function unknownFaults(at: string, settings: object, known: readonly string[]): string[] {
  if (typeof settings !== "object" || settings === null) return [`${at}: ${shown(settings)}; expected settings`];
  const unknown = Object.keys(settings).filter((key) => !known.includes(key));
  return unknown.map((key) => `${at}.${shown(key)}: no such setting; there are ${known.join(", ")}`);
}

/** What is wrong with the settings of a tenant, in words; nothing when they are sound. */
export function tenantFaults(id: string, settings: TenantOverride): string[] {
  const at = `tenants.${shown(id)}`;
  const faults = unknownFaults(at, settings, ["weight", "mode", "group", "p99TargetUs", "tier", "caps", "guarantees"]);
  if (faults.length > 0) return faults;
  if (!isTenantId(id)) faults.push(`${at}: not a tenant id; expected 1 to 128 printable characters`);
  const { weight, mode } = settings;
  if (weight !== undefined && !(typeof weight === "number" && weight >= 1e-6 && weight <= 1e6)) {
    faults.push(`${at}.weight: ${shown(weight)}; expected a number from 0.000001 to 1000000`);
  }
  if (mode !== undefined && !isMode(mode)) faults.push(modeFault(`${at}.mode`, mode));
  faults.push(...termsFaults(at, settings));
  return faults;
}

/** What is wrong with the settings of a policy, in words. */
export function policyFaults(name: string, settings: PolicyOverride, policies: readonly Policy[]): string[] {
  const at = `policies.${shown(name)}`;
  const policy = policies.find((each) => each.name === name);
  if (policy === undefined) return [`${at}: no such policy; there are ${policies.map((each) => each.name).join(", ") || "none"}`];
  const faults = unknownFaults(at, settings, ["mode", "params"]);
  if (faults.length > 0) return faults;
  const { params = {} } = settings;
  if (typeof params !== "object" || params === null) return [`${at}.params: ${shown(params)}; expected numbers by name`];
  if (settings.mode !== undefined && !isMode(settings.mode)) faults.push(modeFault(`${at}.mode`, settings.mode));
  try {
    paramsOf(policy, params);
  } catch (error) {
    faults.push(`${at}.params: ${(error as Error).message}`);
  }
  return faults;
}

/** What is wrong with the settings of a point, in words. */
export function pointFaults(name: string, settings: PointOverride): string[] {
  const at = `points.${shown(name)}`;
  const faults = unknownFaults(at, settings, ["mode", "capacityPerSec"]);
  if (faults.length > 0) return faults;
  if (!isLogicalName(name)) faults.push(`${at}: not a point; expected service/point`);
  const { mode, capacityPerSec } = settings;
  if (mode !== undefined && !isMode(mode)) faults.push(modeFault(`${at}.mode`, mode));
  const unknown = capacityPerSec === undefined || capacityPerSec === null;
  if (!unknown && !(typeof capacityPerSec === "number" && capacityPerSec > 0 && capacityPerSec < Number.POSITIVE_INFINITY)) {
    faults.push(
      `${at}.capacityPerSec: ${shown(capacityPerSec)}; expected a number > 0, cost units per second over all instances`,
    );
  }
  return faults;
}

function modeFault(at: string, mode: unknown): string {
  return `${at}: ${shown(mode)}; expected "off", "observe" or "enforce"`;
}
