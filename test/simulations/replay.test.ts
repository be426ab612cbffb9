/** Traces replayed against a simulated cluster: nothing is lost, what is claimed of the real ones holds, and what is missing is named. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { runScenario } from "../../simulations/index.js";
import { readRecording } from "../../simulations/io/index.js";
import { cut, type Job, type Plan, replay, usedWhileFull } from "../../simulations/scenarios/replay.js";
import { fairnessOf } from "../../simulations/scenarios/replay-report.js";
import { dataPath } from "../data.js";

const folder = mkdtempSync(join(tmpdir(), "tenantry-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const REAL: [string, string][] = [
  ["workloads/swim", "swim_fb2009/fb2009_0.csv.gz"],
  ["workloads/borg", "google_borg_2011_tasks/tasks.csv.gz"],
];

describe("a replay", () => {
  /** For ten seconds both ask for all of one disk, and one of them has three times as many pieces under way. */
  const jobs: Job[] = Array.from({ length: 40 }, (_, k) => ({
    atUs: 1_000 * k,
    tenant: k % 4 === 0 ? "few" : "many",
    phases: cut(25 * 1_000_000, 1_000_000, (diskBytes) => ({ point: "read", diskBytes })),
  }));
  const plan: Plan = {
    jobs,
    atOnce: 4,
    cluster: { machines: 1, cores: 1, points: ["read"], seekUs: 8_000, diskBytesPerSec: 100e6, linkBytesPerSec: 1e9 },
  };
  const under = (mode: "observe" | "enforce", slots?: number) =>
    replay(
      { seed: 1 },
      { ...plan, cluster: { ...plan.cluster, ...(slots === undefined ? {} : { slots }) } },
      { policies: { "bottleneck-fairness": { mode } } },
    );

  test("does all jobs, of each what it asks for, the same way twice", () => {
    const { jobs: done, unfinished, refused, disk, endSec, hash } = under("observe");
    expect([unfinished, refused, done.get("few")!.length, done.get("many")!.length]).toEqual([0, 0, 10, 30]);
    // 1,000 pieces of 18 ms each.
    const busy = disk.used.reduce((a, b) => a + b, 0);
    expect(busy).toBeGreaterThan(17);
    expect(busy).toBeLessThanOrEqual(endSec + 1);
    expect(usedWhileFull(disk)).toBeGreaterThan(0.98);
    expect(under("observe").hash).toBe(hash);
  });

  test("tells fair from unfair", () => {
    // Shares as 3 to 1 have an index of 0.8.
    expect(fairnessOf(under("observe").disk)).toBeLessThan(0.85);
    // Rates need some of the 18 s to settle.
    expect(fairnessOf(under("enforce").disk)).toBeGreaterThan(0.86);
    expect(fairnessOf(under("enforce", 4).disk)).toBeGreaterThan(0.95);
  });

  test("cuts work into equal pieces, none too large, nothing left away", () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 1e6 }), (amount, most) => {
        const phases = cut(amount, most, (cpuUs) => ({ point: "p", cpuUs }));
        if (amount === 0) expect(phases).toEqual([]);
        for (const { pieces, work } of phases) {
          expect(work.cpuUs).toBeLessThanOrEqual(most);
          expect(pieces * work.cpuUs!).toBeGreaterThanOrEqual(amount);
          expect(pieces * work.cpuUs! - amount).toBeLessThan(pieces);
        }
      }),
    );
  });
});

describe("what is replayed", () => {
  test.each(REAL)("%s without its trace says which it lacks, and where it looked", async (name, file) => {
    await expect(readRecording(name, undefined, folder)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(new RegExp(`^scenario "${name}" is skipped: .*${file}, is not at ${folder}/`)),
    });
    expect(() => runScenario(name)).toThrow(/replays a trace and was given none/);
  });

  test("is the file that is given, which needs the columns of the scenario", async () => {
    const path = join(folder, "other.csv");
    writeFileSync(path, "arrival_us,tenant,api,cost\n1,a,r,5\n");
    await expect(readRecording("workloads/borg", path)).rejects.toMatchObject({
      code: "BAD_TRACE",
      message: expect.stringMatching(/other\.csv:1 names no column mem_req/),
    });
    await expect(readRecording("workloads/borg", join(folder, "none.csv"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(readRecording("workloads/bursty", path)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    expect(await readRecording("workloads/bursty")).toEqual({});
  });

  test.each([
    ["all at once", "7,a,r,5,0.1\n7,b,r,5,0.1\n", /all of its 2 requests come at once/],
    ["for nothing", "7,a,r,5,0\n8,b,r,5,0\n", /mem_req of all requests together is 0/],
  ])("cannot be requests that come %s", async (_, lines, message) => {
    const path = join(folder, "odd.csv");
    writeFileSync(path, `arrival_us,tenant,api,cost,mem_req\n${lines}`);
    const given = await readRecording("workloads/borg", path);
    expect(() => runScenario("workloads/borg", given)).toThrow(message);
  });

  for (const [name, file] of REAL) {
    test.skipIf(dataPath(`traces/${file}`) === undefined)(
      `${name} meets its expectations with ${file}`,
      async () => {
        const result = runScenario(name, await readRecording(name));
        expect(result.expectations.filter(({ met }) => !met)).toEqual([]);
        expect(result.traceHash).toMatch(/^[0-9a-f]{16}$/);
      },
      120_000,
    );
  }
});
