/**
 * What may stand in a configuration: where to listen, where to keep state, and everything of `ControllerConfig`. Here is only
 * its shape; ranges, names of policies and the like are checked where they are defined, by `completeConfig`.
 *
 * The message of each rule completes the sentence "… is X; expected".
 */
import { z } from "zod";
import { type ControllerConfig, DEFAULT_CONFIG } from "../config.js";
import { MODES } from "../modes.js";
import type { PolicyOverride } from "../state.js";
import type { TlsPaths } from "./tls-files.js";

/** A configuration, as an object or as YAML. Everything may be left out. */
export interface Settings extends Partial<Omit<ControllerConfig, "policies">> {
  /**
   * By name: what is set about the policies of the package, and, with their `file`, policies of one's own. Those are only
   * observed unless a mode is set, and loaded anew when the file changes; paths are relative to the configuration's folder.
   */
  policies?: Record<string, PolicySettings>;
  /** Where agents and tools connect. Default 127.0.0.1:7411. */
  grpc?: { host?: string; port?: number };
  /** Where people and scrapers look. Default 127.0.0.1:7412. */
  http?: { host?: string; port?: number };
  /** Needed to listen anywhere but on loopback; holds for gRPC and HTTP. Paths are relative to the configuration's folder. */
  tls?: TlsPaths;
  /**
   * Common names (CN) of the certificates whose owners may change settings over gRPC; needs `tls.ca`. Default: none. Whoever
   * is let in may look.
   */
  administrators?: string[];
  /** File that keeps the epoch and what is set at run time; relative to the configuration's folder. */
  state?: string;
  /** Tenants with a label of their own in /metrics. Default 20. */
  metricsTopTenants?: number;
}

export interface PolicySettings extends PolicyOverride {
  /** TypeScript or JavaScript whose default export is the policy of this name. */
  file?: string;
}

const text = z.string({ error: "a text" }).min(1, { error: "a text that is not empty" });
const port = z.int({ error: "a whole number from 0 (any free port) to 65535" }).min(0).max(65_535);
const endpoint = z.strictObject({ host: text.optional(), port: port.optional() }, mapping("host and port"));
const mode = z.enum(MODES, { error: '"off", "observe" or "enforce"' });
const number = z.number({ error: "a number" });

/** The numbers of `ControllerConfig`, told by their defaults. */
const numbers = Object.fromEntries(
  Object.entries(DEFAULT_CONFIG)
    .filter(([, value]) => typeof value === "number")
    .map(([key, value]) => [key, z.number({ error: `a number, such as ${value}` }).optional()]),
);

export const settingsShape = z.strictObject(
  {
    grpc: endpoint.optional(),
    http: endpoint.optional(),
    tls: z.strictObject({ cert: text, key: text, ca: text.optional() }, mapping("cert, key and, if wanted, ca")).optional(),
    administrators: z.array(text, { error: "a list of names" }).optional(),
    state: text.optional(),
    metricsTopTenants: z.int({ error: "a whole number from 0 to 1000" }).min(0).max(1_000).optional(),
    ...numbers,
    mode: mode.optional(),
    stack: z.array(text, { error: "a list of policies" }).optional(),
    policies: named(
      "policy",
      z.strictObject(
        { file: text.optional(), mode: mode.optional(), params: named("parameter", number).optional() },
        mapping("file, mode and params"),
      ),
    ),
    tenants: named(
      "tenant",
      z.strictObject(
        {
          weight: number.optional(),
          mode: mode.optional(),
          p99TargetUs: number.optional(),
          tier: number.optional(),
          caps: named("point", number),
          guarantees: named("point", number),
          group: text.optional(),
        },
        mapping("weight, mode, group and terms"),
      ),
    ),
    groups: named(
      "group",
      z.strictObject(
        {
          parent: text.optional(),
          weight: number.optional(),
          caps: named("point", number),
          guarantees: named("point", number),
        },
        mapping("parent, weight, caps and guarantees"),
      ),
    ),
    points: named(
      "point",
      z.strictObject({ mode: mode.optional(), capacityPerSec: number.optional() }, mapping("mode and capacityPerSec")),
    ),
  },
  mapping("settings"),
);

function mapping(of: string): { error: string } {
  return { error: `a mapping of ${of}` };
}

function named<T extends z.ZodType>(what: string, value: T) {
  return z.record(z.string(), value, { error: `a mapping by ${what}` }).optional();
}
