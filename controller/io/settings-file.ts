/** A configuration from YAML: read whole, or refused whole with every mistake at its line and column. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Policy } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import type { Settings } from "./settings.js";
import { type SettingsFault, settingsFaults } from "./settings-check.js";

/**
 * The settings in a YAML file, with paths in them made absolute.
 *
 * @throws TenantryError BAD_CONFIG listing every mistake as `FILE:LINE:COLUMN`, or saying why the file cannot be read
 */
export function readSettings(path: string, policies: readonly Policy[]): Settings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new TenantryError("BAD_CONFIG", `${path} cannot be read (${code}); expected a YAML file`, { cause: error });
  }
  const settings = parseSettings(text, path, policies);
  const absolute = (file: string) => resolve(dirname(path), file);
  for (const policy of Object.values(settings.policies ?? {})) {
    if (policy.file !== undefined) policy.file = absolute(policy.file);
  }
  if (settings.state !== undefined) settings.state = absolute(settings.state);
  if (settings.tls !== undefined) {
    const { cert, key, ca } = settings.tls;
    settings.tls = { cert: absolute(cert), key: absolute(key), ...(ca !== undefined && { ca: absolute(ca) }) };
  }
  return settings;
}

/**
 * The settings in a YAML text.
 *
 * @param name what to call the text in messages
 * @throws TenantryError BAD_CONFIG listing every mistake as `NAME:LINE:COLUMN`
 */
export function parseSettings(text: string, name: string, policies: readonly Policy[]): Settings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map((error) => ({ offset: error.pos[0], text: `is not YAML here: ${error.message}` }));
  // Whoever wrote nothing meant the defaults.
  let data: unknown = {};
  try {
    data = document.toJS() ?? {};
  } catch (error) {
    faults.push({ offset: 0, text: `cannot be read as YAML: ${(error as Error).message}` });
  }
  if (faults.length === 0 && isCircular(data)) {
    faults.push({
      offset: 0,
      text: "holds an alias (*) of a part that the alias stands in; expected that part to be written out",
    });
  }
  if (faults.length === 0) {
    for (const fault of settingsFaults(data, policies)) faults.push({ offset: offsetOf(document, fault), text: fault.text });
  }
  if (faults.length === 0) return data as Settings;
  const mistakes = faults
    .sort((a, b) => a.offset - b.offset)
    .map((fault) => {
      const { line, col } = lines.linePos(fault.offset);
      return `  ${name}:${line}:${col} ${fault.text}`;
    });
  throw new TenantryError("BAD_CONFIG", `${countText(mistakes.length)} in the configuration:\n${mistakes.join("\n")}`);
}

/** `FILE:LINE:COLUMN ` of what these keys lead to, for mistakes that show only when a sound configuration is used. */
export function placeIn(path: string, keys: string[]): string {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, "utf8"), { lineCounter: lines });
  const { line, col } = lines.linePos(offsetOf(document, { path: keys, key: false, text: "" }));
  return `${path}:${line}:${col} `;
}

/** Does some part contain itself? */
export function isCircular(data: unknown, around: readonly unknown[] = []): boolean {
  if (typeof data !== "object" || data === null) return false;
  if (around.includes(data)) return true;
  return Object.values(data).some((part) => isCircular(part, [...around, data]));
}

/** "1 mistake", "3 mistakes". */
export function countText(mistakes: number): string {
  return `${mistakes} mistake${mistakes === 1 ? "" : "s"}`;
}

/** Where in the text a fault is: at its key or its value, or at the nearest part around it that is there. */
function offsetOf(document: Document, { path, key }: SettingsFault): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [depth, name] of path.entries()) {
    if (isSeq(node)) node = node.items[Number(name)];
    if (isScalar(node)) offset = node.range?.[0] ?? offset;
    if (!isMap(node)) continue;
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === name);
    if (pair === undefined) break;
    if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
    const last = depth === path.length - 1;
    if (last && !key && isNode(node) && !isMap(node)) offset = node.range?.[0] ?? offset;
  }
  return offset;
}
