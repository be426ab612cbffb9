/**
 * Every mistake of a configuration at once, each with its path and what to write instead. Shape first (types, unknown keys);
 * then, on what has a sound shape, `completeConfig`, which knows the ranges and the names there are.
 */
import type { Policy } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { type ControllerConfig, completeConfig, DEFAULT_CONFIG } from "../config.js";
import { closest } from "./closest.js";
import { hostFault } from "./listen-address.js";
import { type Settings, settingsShape } from "./settings.js";

export interface SettingsFault {
  /** Keys that lead to it. */
  path: string[];
  /** Is the key itself wrong, rather than its value? */
  key: boolean;
  /** In words, path included. */
  text: string;
}

/** Every mistake in `data`; none: it is `Settings`. */
export function settingsFaults(data: unknown, policies: readonly Policy[]): SettingsFault[] {
  const faults: SettingsFault[] = [];
  // Faulty parts are taken out, so that what remains can be checked further.
  const sound = copy(data);
  const result = settingsShape.safeParse(data);
  for (const issue of result.error?.issues ?? []) {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        faults.push({ path: [...path, key], key: true, text: unknownKey(path, key) });
        remove(sound, [...path, key]);
      }
      continue;
    }
    const value = at(data, path);
    const is = value === undefined ? "is missing" : `is ${described(value)}`;
    const where = path.length === 0 ? "the configuration" : pathText(path);
    faults.push({ path, key: value === undefined, text: `${where} ${is}; expected ${issue.message}` });
    remove(sound, path);
  }
  if (isMapping(sound)) {
    const settings = sound as Settings;
    faults.push(...configFaults(controllerPart(settings), [...policies, ...standIns(settings)]));
    faults.push(...fileFaults(settings, policies), ...whoFaults(settings));
    // A tls with mistakes was taken out above, and is told of there.
    faults.push(...hostFaults(settings, at(data, ["tls"]) !== undefined));
  }
  return faults;
}

function hostFaults(settings: Settings, tls: boolean): SettingsFault[] {
  return (["grpc", "http"] as const).flatMap((side) => {
    const host = settings[side]?.host;
    const fault = host === undefined ? undefined : hostFault(host, tls);
    return fault === undefined ? [] : [{ path: [side, "host"], key: false, text: `${side}.host ${shown(host)} ${fault}` }];
  });
}

function whoFaults({ administrators, tls }: Settings): SettingsFault[] {
  if (administrators === undefined || tls?.ca !== undefined) return [];
  const text = "administrators are told by their certificates, and none is asked for; expected tls.ca as well";
  return [{ path: ["administrators"], key: true, text }];
}

/** What of the settings is the controller's own. */
export function controllerPart(settings: Settings): Partial<ControllerConfig> {
  const entries = Object.entries(settings).filter(([key, value]) => Object.hasOwn(DEFAULT_CONFIG, key) && value !== undefined);
  const part: Partial<ControllerConfig> = Object.fromEntries(entries);
  if (part.policies !== undefined) {
    part.policies = Object.fromEntries(Object.entries(part.policies).map(([name, { mode, params }]) => [name, { mode, params }]));
  }
  return part;
}

/** Policies that are in files: checked as far as that can be before they are loaded. */
function fileFaults({ policies: settings = {} }: Settings, policies: readonly Policy[]): SettingsFault[] {
  return Object.entries(settings).flatMap(([name, { file }]) => {
    if (file === undefined || !policies.some((policy) => policy.name === name)) return [];
    const text = `policies.${shown(name)}.file is given, but the package has a policy of this name; choose another name, in the file as well`;
    return [{ path: ["policies", name, "file"], key: true, text }];
  });
}

/** Of each policy in a file a stand-in that takes any parameters: what it has is known when it is loaded. */
function standIns({ policies = {} }: Settings): Policy[] {
  return Object.entries(policies).flatMap(([name, { file, params = {} }]) =>
    file === undefined ? [] : [{ name, params, decide: undefined as never }],
  );
}

function configFaults(part: Partial<ControllerConfig>, policies: readonly Policy[]): SettingsFault[] {
  try {
    completeConfig(part, policies);
    return [];
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    // One mistake a line, `path: what is wrong`, below a heading.
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => ({ path: leadingPath(line.trim()), key: false, text: line.trim() }));
  }
}

/** `tenants."acme".caps."storage/read": …` → tenants, acme, caps, storage/read; `stack[1]: …` → stack, 1. */
function leadingPath(line: string): string[] {
  const match = /^\w+(?:\.(?:\w+|"(?:[^"\\]|\\.)*")|\[\d+\])*(?=: )/.exec(line);
  const names = match?.[0].match(/\w+|"(?:[^"\\]|\\.)*"/g) ?? [];
  return names.map((name) => (name.startsWith('"') ? (JSON.parse(name) as string) : name));
}

/** What may stand where an unknown key stood. */
function unknownKey(path: string[], key: string): string {
  const known = keysAt(path);
  const suggestion = closest(key, known);
  const hint = suggestion === undefined ? `expected one of ${known.join(", ")}` : `did you mean "${suggestion}"?`;
  return `${pathText([...path, key])} is no setting; ${hint}`;
}

function keysAt(path: string[]): string[] {
  if (path.length === 0) return Object.keys(settingsShape.shape);
  if (path[0] === "policies") return ["file", "mode", "params"];
  if (path[0] === "tenants") return ["weight", "mode", "p99TargetUs", "tier", "caps", "guarantees", "group"];
  if (path[0] === "groups") return ["parent", "weight", "caps", "guarantees"];
  if (path[0] === "points") return ["mode", "capacityPerSec"];
  return path[0] === "tls" ? ["cert", "key", "ca"] : ["host", "port"];
}

function pathText(path: string[]): string {
  return path.map((key, i) => (i > 0 && !/^[A-Za-z]\w*$/.test(key) ? shown(key) : key)).join(".");
}

function described(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isMapping(value) ? "a mapping" : shown(value);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Mappings copied, all else as it is. */
function copy(data: unknown): unknown {
  return isMapping(data) ? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, copy(value)])) : data;
}

function at(data: unknown, path: string[]): unknown {
  let value = data;
  for (const key of path) value = isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function remove(data: unknown, path: string[]): void {
  const parent = at(data, path.slice(0, -1));
  const last = path.at(-1);
  if (last !== undefined && isMapping(parent)) delete parent[last];
  // Of a list that is wrong somewhere, nothing more can be said.
  if (last !== undefined && Array.isArray(parent)) remove(data, path.slice(0, -1));
}
