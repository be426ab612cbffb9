/** docs/writing-policies.md, done as it says, by somebody who has read nothing else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ViewSnapshot } from "../../controller/index.js";
import * as policies from "../../policies/index.js";
import { listScenarios } from "../../simulations/index.js";
import { controllerProcess, runTenantry } from "./tenantry.js";

const TEXT = readFileSync(join(import.meta.dirname, "..", "..", "docs", "writing-policies.md"), "utf8");
const blocks = (language: string) =>
  [...TEXT.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(([, text]) => text);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-docs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = () => join(folder, "even-shares.ts");

/** Runs "$ npx tenantry …" of a block, and holds what is printed to what the page shows; "…" stands for anything. */
async function done(block: string, told = ""): Promise<void> {
  const [command, ...shown] = block.split("\n");
  const args = /^\$ npx tenantry (.*)$/.exec(command)![1].split(" ");
  const { out, err } = await runTenantry(args, folder);
  const pattern = shown
    .join("\n")
    .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("…", "[\\s\\S]*?");
  expect(err).toBe(told);
  expect(out).toMatch(new RegExp(`^${pattern}$`));
}

describe("the page on writing policies", () => {
  const [writing, checking, broken, trying] = blocks("console");

  test("write: what is written is what is shown", async () => {
    await done(writing);
    const page = readFileSync(file(), "utf8").split("\n");
    for (const line of blocks("ts")[0].split("\n")) expect(page).toContain(line);
  });

  test("check: everything is kept, and a rule that is broken is told so", { timeout: 60_000 }, async () => {
    await done(checking);
    const page = readFileSync(file(), "utf8");
    const share = /With `(.*?)` replaced by `0`/.exec(TEXT)![1];
    expect(page).toContain(share);
    writeFileSync(file(), page.replace(share, "0"));
    await done(broken);
    writeFileSync(file(), page);
  });

  test("try: the figures are those it shows, and pictures are beside it", { timeout: 60_000 }, async () => {
    await done(trying, "pictures are in even-shares-try.html\n");
    const page = readFileSync(join(folder, "even-shares-try.html"), "utf8");
    expect(page.match(/<svg/g)).toHaveLength(2);
    const scenarios = listScenarios().flatMap(({ name, policy }) => (policy === undefined ? [] : [name]));
    for (const [, name] of TEXT.matchAll(/((?:retro|workloads)\/[\w-]+)/g)) expect(scenarios).toContain(name);
  });

  test("load: observed, enforced, and loaded anew when it is edited", { timeout: 120_000 }, async () => {
    writeFileSync(join(folder, "tenantry.yaml"), blocks("yaml")[0]);
    const { child, grpc, http, exit, said } = await controllerProcess(["--config", "tenantry.yaml"], folder);
    const view = async () => (await (await fetch(`${http}/api/view`)).json()) as ViewSnapshot;
    const mine = async () => (await view()).policies.find(({ name }) => name === "even-shares");
    expect(await mine()).toMatchObject({ mode: "observe", params: { threshold: 5, cut: 0.1 }, origin: { version: 1 } });
    for (const line of blocks("sh").at(-1)!.trim().split("\n")) {
      const args = line.replace("npx tenantry ", "").split(" ");
      expect(await runTenantry([...args, "--controller", grpc], folder)).toMatchObject({ code: 0, err: "" });
    }
    expect(await mine()).toMatchObject({ mode: "enforce" });
    expect((await view()).policies.find(({ name }) => name === "bottleneck-fairness")).toMatchObject({ mode: "off" });
    writeFileSync(file(), readFileSync(file(), "utf8").replace("cut: 0.1", "cut: 0.2"));
    await said(/loaded anew .* version 2/);
    expect(await mine()).toMatchObject({ params: { threshold: 5, cut: 0.2 }, origin: { version: 2, rejected: null } });
    child.kill("SIGTERM");
    expect(await exit).toBe(0);
  });

  test("every name it tells is there", () => {
    const shapes: Record<string, object> = {
      point: new policies.Point(0, "s/p", "requests", 1, 1),
      resource: new policies.Resource(0, "s/r", "us", 1),
      rates: new policies.Rates({ windowUs: 1, tenants: [], resources: [], points: [] }),
    };
    const told = [...TEXT.matchAll(/\b(point|resource|rates)\.(\w+)/g)];
    expect(told.length).toBeGreaterThan(20);
    for (const [, of, name] of told) expect(name in shapes[of], `${of}.${name}`).toBe(true);
    const [, exports] = /is in `tenantry\/policies` too([\s\S]*?)Beside `name`/.exec(TEXT)!;
    const functions = [...exports.matchAll(/`(\w+)\(/g)].map(([, name]) => name);
    expect(functions.length).toBeGreaterThan(5);
    for (const name of functions) expect(policies).toHaveProperty(name);
  });
});
