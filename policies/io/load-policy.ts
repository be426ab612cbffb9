/**
 * A policy from a file, as it is written: TypeScript or JavaScript, on every supported Node, without a build. jiti takes types
 * away (and loads Babel only when a file is loaded); `tenantry/policies` is always this very package, wherever the file lies and
 * whatever is installed beside it.
 */
import { readFileSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import * as ours from "../index.js";
import { definePolicy, type Policy } from "../policy.js";

const EXPECTED = "expected: export default definePolicy({ name, params, decide(view, params) { … } })";

/** The text of a policy's file. @throws TenantryError BAD_POLICY when it cannot be read */
export function readPolicy(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw bad(`${path} cannot be read (${code}); expected a policy, as "tenantry policy new NAME" writes one`);
  }
}

/**
 * Loads a policy, running its text once. Do it where an endless loop can be stopped: see `PolicyThread`.
 *
 * @param source the text; absent: what is in the file now
 * @throws TenantryError BAD_POLICY that says where the file does not compile, what it threw, or what it should export
 */
export async function loadPolicy(path: string, source = readPolicy(path)): Promise<Policy> {
  const file = resolve(path);
  const name = basename(path);
  const { createJiti } = await import("jiti");
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { "tenantry/policies": guarded(ours) },
  });
  let exported: { default?: unknown };
  try {
    exported = (await jiti.evalModule(source, { filename: file, ext: extname(file), async: true })) as typeof exported;
  } catch (error) {
    throw bad(loadingFailed(error, name, file), error);
  }
  const policy = exported.default;
  if (policy === undefined) {
    const names = Object.keys(exported).filter((key) => key !== "__esModule");
    throw bad(`${name} exports ${names.length === 0 ? "nothing" : `${names.join(", ")}, and nothing as default`}; ${EXPECTED}`);
  }
  if (typeof policy !== "object" || policy === null) throw bad(`${name} exports ${described(policy)} as default; ${EXPECTED}`);
  try {
    return definePolicy(policy as Policy);
  } catch (error) {
    throw bad(`${name}: ${(error as Error).message}`, error);
  }
}

/** `message (file.ts:7)`: where in the policy's own file an error arose, if it did there. Columns are of what runs, without types. */
export function withPlace(error: unknown, path: string): string {
  if (!(error instanceof Error)) return shown(error);
  const file = resolve(path);
  const line = (error.stack ?? "").split("\n").find((each) => each.includes(`${file}:`));
  const place = line === undefined ? undefined : /:(\d+):\d+\)?$/.exec(line)?.[1];
  const what = error.name === "Error" || error instanceof TenantryError ? error.message : `${error.name}: ${error.message}`;
  return place === undefined ? what : `${what} (${basename(path)}:${place})`;
}

function loadingFailed(error: unknown, name: string, file: string): string {
  const message = error instanceof Error ? error.message : shown(error);
  const parse = /^(?:ParseError|SyntaxError): (.*?)\s*\n\s*(.*?):(\d+):(\d+)/s.exec(message);
  // The parser counts columns from 0; editors and the type checker from 1.
  if (parse !== null) return `${basename(parse[2])}:${parse[3]}:${Number(parse[4]) + 1} does not compile: ${parse[1]}`;
  if ((error as { code?: string })?.code === "MODULE_NOT_FOUND")
    return `${name} imports what is not there: ${message.split("\n")[0]}`;
  return `${name} threw while it was loaded: ${withPlace(error, file)}`;
}

/** A name that is not exported is told at once, by its name, instead of being undefined until it is called. */
function guarded(exports: object): object {
  return new Proxy(exports, {
    get(target, key) {
      if (key in target || typeof key === "symbol" || key === "__esModule" || key === "default" || key === "then") {
        return (target as Record<PropertyKey, unknown>)[key];
      }
      throw new Error(`"tenantry/policies" exports no ${key}; it exports ${Object.keys(target).sort().join(", ")}`);
    },
  });
}

function described(value: unknown): string {
  return typeof value === "function" ? "a function" : shown(value);
}

function bad(message: string, cause?: unknown): TenantryError {
  return new TenantryError("BAD_POLICY", message, { cause });
}
