/** The worker-pool recipe, run as a person runs it: real threads, real work, and pictures at the end. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/examples/worker-pool/main.js", import.meta.url));

test("in front of a pool of threads 2DFQ keeps long jobs from holding all of them", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "worker-pool-test-"));
  try {
    const out = join(folder, "pool.html");
    const run = spawnSync(process.execPath, [MAIN, "--seconds", "2", "--report-ms", "200", "--out", out, "--json"], {
      encoding: "utf8",
      timeout: 50_000,
    });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    const [own, fair] = JSON.parse(run.stdout);
    // Seen: pages 30 to 300 times as fast. What is asked for is far below that: other processes share this machine.
    expect(own.pageP50Ms / fair.pageP50Ms).toBeGreaterThan(3);
    expect(fair.pagesPerSec / own.pagesPerSec).toBeGreaterThan(3);
    // By its own queue the pool is held by reports most of the time; nobody else is served then.
    expect(fair.allTaken).toBeLessThan(own.allTaken / 2);
    const page = readFileSync(out, "utf8");
    expect(page).toContain("Who holds which thread: 2DFQ in front of it");
    expect(page.match(/<svg/g)?.length).toBe(3);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
