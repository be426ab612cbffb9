/** Loads that come and go, and tenants that try to have more than their share: what is claimed of them holds, whatever the luck. */
import { describe, expect, test } from "vitest";
import { runScenario } from "../../simulations/index.js";

const WORKLOADS = ["bursty", "diurnal", "estimator-gamer", "many-names", "lock-holder"].map((name) => `workloads/${name}`);

describe.each(WORKLOADS)("%s", (name) => {
  test("meets its expectations, and a run repeats", () => {
    const first = runScenario(name, { seed: 1 });
    expect(first.expectations.filter(({ met }) => !met)).toEqual([]);
    expect(first.traceHash).toMatch(/^[0-9a-f]{16}$/);
    expect(runScenario(name, { seed: 2 }).traceHash).not.toBe(first.traceHash);
  }, 60_000);
});

test("a sensitivity grid has a cell for every pair, the default among them", () => {
  const { charts, traceHash } = runScenario("retro/sensitivity", { quick: true });
  expect(traceHash).toMatch(/^[0-9a-f]{16}$/);
  expect(charts.length).toBe(1);
  for (const map of charts) {
    if (map.kind !== "heat-map") expect.unreachable();
    const { xs, ys, mark, panels } = map;
    expect(mark!.x).toBeGreaterThanOrEqual(0);
    expect(mark!.y).toBeGreaterThanOrEqual(0);
    for (const { values } of panels) expect(values.map((row) => row.length)).toEqual(ys.map(() => xs.length));
  }
}, 60_000);
