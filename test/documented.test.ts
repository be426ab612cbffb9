/** Whatever a user can import says what it is: each name the package exports has a docstring where it is declared. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DECLARED = /^export (?:async |abstract )*(?:class|interface|function|const|type) (\w+)/gm;

/** The entry points, as sources. */
function entries(): string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { exports: Record<string, unknown> };
  const targets = JSON.stringify(exports).match(/\.\/dist\/[^"]+\.js/g) ?? [];
  return [...new Set(targets.map((target) => join(ROOT, target.replace("./dist/", "").replace(/\.js$/, ".ts"))))];
}

/** Each name a module exports → the file that declares it. */
function exported(file: string): Map<string, string> {
  const text = readFileSync(file, "utf8");
  const names = new Map<string, string>();
  const at = (specifier: string) => join(dirname(file), specifier.replace(/\.js$/, ".ts"));
  for (const [, name] of text.matchAll(DECLARED)) names.set(name, file);
  for (const [, list, specifier] of text.matchAll(/export (?:type )?\{([^}]*)\} from "(\.[^"]+)"/g)) {
    const inner = exported(at(specifier));
    for (const entry of list.split(",")) {
      const name = entry
        .trim()
        .replace(/^type /, "")
        .split(" as ")[0];
      const declaredIn = inner.get(name);
      if (declaredIn !== undefined) names.set(name, declaredIn);
    }
  }
  for (const [, specifier] of text.matchAll(/export \* from "(\.[^"]+)"/g)) {
    for (const [name, declaredIn] of exported(at(specifier))) names.set(name, declaredIn);
  }
  return names;
}

test.each(entries().map((file) => [relative(ROOT, file), file]))("%s", (_, file) => {
  expect(existsSync(file)).toBe(true);
  const names = exported(file);
  expect(names.size).toBeGreaterThan(3);
  const silent = [...names].filter(([name, declaredIn]) => {
    const text = readFileSync(declaredIn, "utf8");
    const declared = [...text.matchAll(DECLARED)].find((match) => match[1] === name);
    return !text.slice(0, declared?.index).trimEnd().endsWith("*/");
  });
  expect(silent.map(([name, declaredIn]) => `${relative(ROOT, declaredIn)}: ${name} has no docstring`)).toEqual([]);
});
