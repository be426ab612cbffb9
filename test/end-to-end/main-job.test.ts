/** The main job as a person runs it: to its end, interrupted, killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ACTS } from "../../dist/examples/main-job/acts.js";
import { P99_TARGET_MS } from "../../dist/examples/main-job/workload.js";
import { until } from "./until.js";

const MAIN = fileURLToPath(new URL("../../dist/examples/main-job/main.js", import.meta.url));
const MINUTES = 60_000;

describe("the main job", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "main-job-test-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs it with its temporary files under `folder/tmp`, where they can be looked for. */
  function run(...options: string[]) {
    const temporary = mkdtempSync(join(folder, "tmp-"));
    const child = spawn(process.execPath, [MAIN, "--report", join(folder, "report.html"), ...options], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const run = { child, temporary, output: "", complaints: "", ended: once(child, "close") };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      run.output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      run.complaints += text;
    });
    return run;
  }

  /** Addresses it said it listens on. */
  async function addresses(running: { output: string }): Promise<string[]> {
    await until("it says where it listens", () => running.output.includes("gateway http"));
    return running.output.match(/http:\/\/127\.0\.0\.1:\d+/g) ?? [];
  }

  async function nothingLeft(urls: string[], temporary: string): Promise<void> {
    for (const url of urls)
      await until(`nobody listens on ${url}`, () =>
        fetch(url).then(
          () => false,
          () => true,
        ),
      );
    await until("no temporary file", () => readdirSync(temporary).length === 0);
  }

  /** By all, in all phases: of so short ones, on a machine that does other things besides, no more can be said of any one. */
  function servedIn(phases: { tenants: Record<string, { throughputPerSec: number }> }[]): number {
    return phases
      .flatMap(({ tenants }) => Object.values(tenants))
      .reduce((sum, { throughputPerSec }) => sum + throughputPerSec, 0);
  }

  test("to its end: lines, sentences, figures, pictures", { timeout: 3 * MINUTES }, async () => {
    const json = join(folder, "figures.json");
    const running = run("--seconds", "6", "--lead-in", "1", "--json", json);
    const [code] = await running.ended;
    expect([code, running.complaints]).toEqual([0, ""]);
    const { output } = running;
    expect(output).not.toContain("\u001b");
    for (const start of [
      "calm: ",
      "flood observed: ",
      "flood enforced: ",
      "In calm ",
      "When crawler ",
      "With bottleneck-fairness enforced ",
    ]) {
      expect(output).toMatch(new RegExp(`^${start}`, "m"));
    }
    const { phases } = JSON.parse(readFileSync(json, "utf8"));
    expect(phases.map(({ name }: { name: string }) => name)).toEqual(["calm", "flood observed", "flood enforced"]);
    for (const phase of phases) {
      expect(phase.bottleneck).toMatch(/^(storage|gateway)\//);
      expect(phase.utilisation).toBeGreaterThan(0);
      expect(Object.keys(phase.tenants)).toEqual(["ada", "bob", "nightly", "crawler"]);
      expect(Object.values<{ failed: number }>(phase.tenants).map(({ failed }) => failed)).toEqual([0, 0, 0, 0]);
    }
    expect(servedIn(phases)).toBeGreaterThan(0);
    expect(readFileSync(join(folder, "report.html"), "utf8").match(/<svg/g)?.length).toBeGreaterThanOrEqual(4);
    expect(readdirSync(running.temporary)).toEqual([]);
  });

  test.each([
    ["latency-slo", ["ada", "bob", "nightly", "crawler"], ["p99AgainstTarget", "p99Improvement", "busyAgainstObserved"]],
    [
      "dominant-resource-fairness",
      ["ada", "bob", "nightly", "crawler", "invoices"],
      ["dominantShares", "p99Improvement", "busyAgainstObserved"],
    ],
  ])("--policy %s: its own tenants, and what it is held to", { timeout: 3 * MINUTES }, async (policy, tenants, verdict) => {
    const json = join(folder, "figures.json");
    const running = run("--policy", policy, "--seconds", "6", "--lead-in", "1", "--json", json);
    const [code] = await running.ended;
    expect([code, running.complaints]).toEqual([0, ""]);
    expect(running.output).toMatch(new RegExp(`^With ${policy} enforced`, "m"));
    const figures = JSON.parse(readFileSync(json, "utf8"));
    expect(figures.policy).toBe(policy);
    expect(Object.keys(figures.verdict)).toEqual(verdict);
    for (const phase of figures.phases) {
      expect(Object.keys(phase.tenants)).toEqual(tenants);
      expect(Object.values<{ failed: number }>(phase.tenants).map(({ failed }) => failed)).toEqual(tenants.map(() => 0));
    }
    expect(servedIn(figures.phases)).toBeGreaterThan(0);
    const [, observed, enforced] = figures.phases;
    for (const tenant of tenants.slice(3)) {
      expect(observed.tenants[tenant].throughputPerSec + enforced.tenants[tenant].throughputPerSec).toBeGreaterThan(0);
    }
  });

  test("what its pages promise is what the controller is told", () => {
    const yaml = readFileSync(ACTS["latency-slo"].config, "utf8");
    const told = [...yaml.matchAll(/p99TargetUs: (\d+)/g)].map(([, us]) => Number(us) / 1_000);
    expect(told).toEqual([P99_TARGET_MS, P99_TARGET_MS]);
  });

  test("Ctrl-C leaves nothing behind", { timeout: 2 * MINUTES }, async () => {
    const running = run();
    const urls = await addresses(running);
    running.child.kill("SIGINT");
    expect((await running.ended)[0]).toBe(130);
    await nothingLeft(urls, running.temporary);
  });

  test("killed outright, its children end themselves and tidy up", { timeout: 2 * MINUTES }, async () => {
    const running = run();
    const urls = await addresses(running);
    running.child.kill("SIGKILL");
    await running.ended;
    await nothingLeft(urls, running.temporary);
  });

  test("options that make no sense are refused in words", { timeout: MINUTES }, async () => {
    for (const options of [["--seconds", "soon"], ["--nonsense"], ["--json", ""], ["--policy", "fairness"]]) {
      const running = run(...options);
      const [code] = await running.ended;
      expect([code, readdirSync(running.temporary)]).toEqual([1, []]);
      expect(running.complaints).not.toContain("    at ");
    }
  });
});
