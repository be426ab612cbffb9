/**
 * The rules of the house, executable. Each failure names the file and line, the rule, and what to do instead.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ROOMS = ["proto", "policies", "enforcement", "controller", "simulations", "cli", "examples", "test"] as const;
type Room = (typeof ROOMS)[number];

/** Which rooms a room may import. An arrow that is missing here is a wall. */
const ARROWS: Record<Room, readonly Room[]> = {
  proto: [],
  policies: ["proto"],
  enforcement: ["proto"],
  controller: ["proto", "policies"],
  simulations: ["proto", "policies", "enforcement", "controller"],
  cli: ["proto", "policies", "enforcement", "controller", "simulations"],
  examples: [],
  test: ["proto", "policies", "enforcement", "controller", "simulations", "cli", "examples"],
};

/** What the inner rings may not name, and what they use instead. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b/, "time of day; take `nowUs` as an argument or from the Clock port"],
  [/\bMath\.random\b/, "unseeded chance; take a Chance"],
  [/\bconsole\b/, "printing; tell through onEvent and let io/ print"],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, "a timer; use Clock.at"],
  [/\b(async|await|Promise)\b/, "promises; the inner rings call back, io/ makes promises of it"],
  [/from "node:/, "Node; move it to io/"],
];

function filesUnder(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === "node_modules" || name === "dist" ? [] : filesUnder(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

const sources = ROOMS.flatMap((room) =>
  filesUnder(join(ROOT, room)).map((path) => {
    const name = relative(ROOT, path).split(sep).join("/");
    const text = readFileSync(path, "utf8");
    return { room, path, name, text, lines: text.split("\n"), outer: name.includes("/io/") };
  }),
);
const shipped = sources.filter((file) => file.room !== "test");
const pure = sources.filter((file) => !file.outer && !["cli", "examples", "test"].includes(file.room));

/** Source with comments blanked out (line numbers stay) and, unless kept, strings too. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, " ")).replace(/(^|\s)\/\/[^\n]*/g, "$1");
}

/** Every import or export-from of a file: the specifier and its line. */
function importsOf(file: { text: string }): { specifier: string; line: number }[] {
  const found: { specifier: string; line: number }[] = [];
  for (const match of code(file.text).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g)) {
    found.push({ specifier: match[1], line: file.text.slice(0, match.index).split("\n").length });
  }
  return found;
}

function roomOf(name: string): Room | undefined {
  return ROOMS.find((room) => name.startsWith(`${room}/`));
}

describe("the house", () => {
  test("has rooms to guard", () => {
    expect(pure.length).toBeGreaterThan(20);
  });

  test("arrows between rooms point one way, through the front door", () => {
    const faults: string[] = [];
    for (const file of sources) {
      for (const { specifier, line } of importsOf(file)) {
        if (!specifier.startsWith(".")) continue;
        const target = normalize(join(dirname(file.name), specifier))
          .split(sep)
          .join("/");
        const room = roomOf(target);
        const where = `${file.name}:${line} imports ${specifier}`;
        if (room === undefined || room === file.room) {
          if (!file.outer && target.includes("/io/") && !["cli", "examples", "test"].includes(file.room)) {
            faults.push(`${where}: nothing outside io/ imports io/; invert it with a port`);
          }
          continue;
        }
        if (!ARROWS[file.room].includes(room)) {
          faults.push(`${where}: ${file.room}/ may not import ${room}/; see ARCHITECTURE.md, or meet on the wire`);
        } else if (room !== "proto" && file.room !== "test" && !/\/(io\/)?index\.js$/.test(target)) {
          faults.push(`${where}: across rooms import only index.js; export it there`);
        } else if (!file.outer && target.includes("/io/") && !["cli", "test"].includes(file.room)) {
          faults.push(`${where}: nothing outside io/ imports io/; invert it with a port`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  test("examples import the package by its name, as a user would", () => {
    const faults = sources
      .filter((file) => file.room === "examples")
      .flatMap((file) =>
        importsOf(file)
          .filter(
            ({ specifier }) =>
              specifier.startsWith(".") && !normalize(join(dirname(file.name), specifier)).startsWith("examples"),
          )
          .map(({ specifier, line }) => `${file.name}:${line} imports ${specifier}: write "tenantry" or "tenantry/…"`),
      );
    expect(faults).toEqual([]);
  });

  test("the inner rings know neither time of day, chance, promises nor Node", () => {
    const faults: string[] = [];
    for (const file of pure) {
      code(file.text)
        .split("\n")
        .forEach((line, i) => {
          const bare = line.includes("from ") ? line : line.replace(/(["'`])(?:\\.|(?!\1).)*\1/g, '""');
          for (const [pattern, remedy] of BANNED) if (pattern.test(bare)) faults.push(`${file.name}:${i + 1} names ${remedy}`);
        });
    }
    expect(faults).toEqual([]);
  });

  test("files are small, flat and named for one idea", () => {
    const faults: string[] = [];
    for (const file of shipped) {
      if (file.lines.length > 400) faults.push(`${file.name} has ${file.lines.length} lines; split it by idea (400 at most)`);
      if (/^(utils?|helpers?|misc|common)\.ts$/.test(basename(file.name))) faults.push(`${file.name}: name it for what it does`);
      if (file.name.split("/").length > 5) faults.push(`${file.name}: too deep; at most three folders`);
    }
    expect(faults).toEqual([]);
  });

  test("every file says first what it is", () => {
    const faults = shipped
      .filter((file) => !/^(#![^\n]*\n)?\s*(\/\*\*|\/\/)/.test(file.text))
      .map((file) => `${file.name}: open with a comment that says what it is and why`);
    expect(faults).toEqual([]);
  });

  test("times carry their unit in their names", () => {
    const faults: string[] = [];
    for (const file of pure) {
      code(file.text)
        .split("\n")
        .forEach((line, i) => {
          const match = /\b(timeout|delay|duration|interval|ttl|elapsed|latency)\??: number/i.exec(line);
          if (match) faults.push(`${file.name}:${i + 1}: "${match[1]}" has no unit; name it …Us, …Ms or …Sec`);
        });
    }
    expect(faults).toEqual([]);
  });

  test("leaves nothing of a machine or a registry in the tree", () => {
    const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
    expect(lock.includes('"resolved": "http'), "the lock file names a registry; keep omit-lockfile-registry-resolved=true").toBe(
      false,
    );
    const faults = sources
      .filter((file) => file.name !== "test/tidy.test.ts")
      .flatMap((file) =>
        file.lines.flatMap((line, i) =>
          /\/(root|home\/\w+|work)\//.test(line) ? [`${file.name}:${i + 1} names a path of one machine`] : [],
        ),
      );
    expect(faults).toEqual([]);
  });
});
