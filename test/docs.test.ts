/** What the documents say is held to what there is. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { SCHEDULER_KINDS } from "../enforcement/index.js";
import { POLICIES } from "../policies/index.js";
import { listScenarios } from "../simulations/index.js";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const read = (name: string) => readFileSync(join(ROOT, name), "utf8");
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"].concat(
  ["operating", "writing-policies", "retro", "2dfq"].map((name) => `docs/${name}.md`),
);

describe("documents", () => {
  test("the README's service is the program in examples/, line by line", () => {
    const block = /```ts\n([\s\S]*?)```/.exec(read("README.md"))?.[1] ?? "";
    const program = read("examples/quick-start/storage.ts");
    const lines = block.split("\n").filter((line) => line.trim() !== "");
    expect(lines.length).toBeGreaterThan(8);
    for (const line of lines) expect(program.split("\n")).toContain(line);
  });

  test.each(DOCUMENTS)("every link and file named in %s is there", (name) => {
    const text = read(name);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    const files = [
      ...text.matchAll(/`((?:proto|policies|enforcement|controller|simulations|cli|examples|test)\/[\w./-]*\.(?:ts|proto|md))`/g),
    ]
      .map((match) => match[1])
      .filter((path) => !path.includes("NAME"));
    const paths = [...links.map((path) => join(dirname(name), path)), ...files];
    for (const path of paths) expect(existsSync(join(ROOT, path)), `${name} names ${path}`).toBe(true);
  });

  test.each(["README.md", "docs/2dfq.md"])("every script, command and scenario %s names exists", (name) => {
    const text = read(name);
    const scripts = JSON.parse(read("package.json")).scripts as Record<string, string>;
    for (const [, script] of text.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(script);
    for (const [, scenario] of text.matchAll(/simulate ([\w/-]+)/g)) {
      expect(listScenarios().map((each) => each.name)).toContain(scenario);
    }
    expect(POLICIES.map((policy) => policy.name)).toContain("bottleneck-fairness");
    expect(SCHEDULER_KINDS).toContain("fifo");
  });

  test("every name the README imports is exported", async () => {
    const entries: Record<string, () => Promise<object>> = {
      tenantry: () => import("../enforcement/io/index.js"),
      "tenantry/controller": () => import("../controller/io/index.js"),
      "tenantry/policies": () => import("../policies/index.js"),
      "tenantry/core": () => import("../simulations/core.js"),
    };
    let seen = 0;
    for (const [, names, entry] of read("README.md").matchAll(/import \{ ([\w, ]+) \} from "(tenantry[\w/]*)"/g)) {
      const there = await entries[entry]();
      for (const name of names.split(", ")) expect(there, `${entry} exports ${name}`).toHaveProperty(name);
      seen++;
    }
    expect(seen).toBeGreaterThan(4);
  });
});
