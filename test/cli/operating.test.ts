/** docs/operating.md and docs/tenantry.yaml: every setting is told, with the range and the default it has, and every command does. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_CONFIG, type ViewSnapshot } from "../../controller/index.js";
import { settingsShape } from "../../controller/io/settings.js";
import { settingsFaults } from "../../controller/io/settings-check.js";
import { readSettings } from "../../controller/io/settings-file.js";
import { POLICIES } from "../../policies/index.js";
import { controllerProcess, runTenantry } from "./tenantry.js";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (name: string) => readFileSync(join(ROOT, name), "utf8");
const TEXT = read("docs/operating.md");
const blocks = (language: string) =>
  [...TEXT.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text]) => text);
/** What stands as code in the first cells of a table's rows. */
const codesIn = (text: string) =>
  [...text.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-operating-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Shape {
  shape?: Record<string, Shape>;
  valueType?: Shape;
  unwrap?(): Shape;
}

/** Every key there is, those by name with a word in the name's place. */
function keysOf(given: Shape, at: string): string[] {
  let shape = given;
  while (shape.shape === undefined && shape.valueType === undefined && shape.unwrap !== undefined) shape = shape.unwrap();
  if (shape.shape !== undefined)
    return Object.entries(shape.shape).flatMap(([key, inner]) => keysOf(inner, at === "" ? key : `${at}.${key}`));
  if (shape.valueType !== undefined) return keysOf(shape.valueType, `${at}.${NAMES[at.split(".").at(-1)!]}`);
  return [at];
}
const NAMES: Record<string, string> = {
  policies: "NAME",
  params: "PARAM",
  tenants: "ID",
  groups: "ID",
  points: "POINT",
  caps: "POINT",
  guarantees: "POINT",
};

describe("the page on operating", () => {
  test("tells every setting there is, and no other", () => {
    const keys = keysOf(settingsShape as unknown as Shape, "");
    expect(keys.length).toBeGreaterThan(40);
    expect(codesIn(TEXT.slice(TEXT.indexOf("## Every setting"))).sort()).toEqual(keys.sort());
  });

  test("tells the ranges and the defaults they have", () => {
    const rows = [...TEXT.matchAll(/^\| `(\w+)` \| .*? \| .*? \| ([\d.]+) … ([\d.]+)(, whole)? \| ([\d.]+) \|$/gm)];
    const numbers = Object.entries(DEFAULT_CONFIG).filter(([, value]) => typeof value === "number");
    expect(rows.map(([, key]) => key)).toEqual([...numbers.map(([key]) => key), "metricsTopTenants"]);
    for (const [, key, least, most, whole, by] of rows) {
      const [fault] = settingsFaults({ [key]: -1 }, POLICIES);
      expect(fault.text).toContain(`expected a ${whole === undefined ? "number" : "whole number"} from ${least} to ${most}`);
      if (key in DEFAULT_CONFIG) expect((DEFAULT_CONFIG as unknown as Record<string, number>)[key]).toBe(Number(by));
    }
    expect(TEXT).toContain(`| \`[${DEFAULT_CONFIG.stack.join(", ")}]\` |`);
    for (const { name } of POLICIES) expect(codesIn(TEXT)).toContain(name);
  });

  test("quotes what explain says", () => {
    const source = `${read("controller/explain.ts")}${read("controller/targets.ts")}`;
    const table = TEXT.slice(TEXT.indexOf("| it says"), TEXT.indexOf("`npx tenantry view` shows"));
    const quotes = [...table.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text),
    );
    expect(quotes.length).toBeGreaterThan(12);
    for (const quote of quotes) expect(source, quote).toContain(quote);
  });

  test("shows what is said of a configuration with mistakes", async () => {
    writeFileSync(join(folder, "bad.yaml"), blocks("yaml")[0]);
    const [command, ...shown] = blocks("console")[0].split("\n");
    const asked = await runTenantry(command.replace("$ npx tenantry ", "").split(" "), folder);
    expect(asked).toEqual({ code: 1, out: "", err: shown.join("\n") });
  });

  test("the configuration beside it loads, and every command does in its controller", { timeout: 60_000 }, async () => {
    copyFileSync(join(ROOT, "docs/tenantry.yaml"), join(folder, "tenantry.yaml"));
    const settings = readSettings(join(folder, "tenantry.yaml"), POLICIES);
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(["stack", "groups", "points", "state"]));
    const { child, grpc, http, exit } = await controllerProcess(["--config", "tenantry.yaml"], folder);
    for (const line of blocks("sh")[1].trim().split("\n")) {
      const args = line.replace("npx tenantry ", "").split(" ");
      expect(await runTenantry([...args, "--controller", grpc], folder), line).toMatchObject({ code: 0, err: "" });
    }
    const view = (await (await fetch(`${http}/api/view`)).json()) as ViewSnapshot;
    const modes = Object.fromEntries(view.policies.map(({ name, mode }) => [name, mode]));
    expect(modes).toMatchObject({
      "dominant-resource-fairness": "enforce",
      "bottleneck-fairness": "off",
      "latency-slo": "enforce",
    });
    expect(view.mode).toBe("observe");
    const shown = await runTenantry(["view", "--controller", http], folder);
    for (const column of ["tenants", "limits", "in force", "apart", "refused"])
      expect(shown.out).toMatch(new RegExp(`  ${column}( |$)`, "m"));
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  });
});
