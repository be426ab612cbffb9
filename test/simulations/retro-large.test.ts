/** The evaluation's scenarios with many machines and two resources: met, the same way twice, and able to fail. */
import { describe, expect, test } from "vitest";
import { outcomeOf, runScenario } from "../../simulations/index.js";
import { run as runDominant } from "../../simulations/scenarios/dominant-resource-fairness.js";
import { run as runMachines } from "../../simulations/scenarios/two-hundred-nodes.js";

describe("retro/dominant-resource-fairness", () => {
  test.each([1, 2])(
    "meets its expectations with seed %i",
    (seed) => {
      const result = runScenario("retro/dominant-resource-fairness", { seed });
      expect(result.expectations.filter(({ met }) => !met)).toEqual([]);
      if (seed === 1) expect(outcomeOf(runScenario("retro/dominant-resource-fairness", { seed }))).toEqual(outcomeOf(result));
    },
    60_000,
  );

  test("a policy that may not cut is found out", () => {
    const { expectations } = runDominant({ seed: 1 }, { params: { alpha: 0.001, beta: 0.001 } });
    expect(expectations.filter(({ met }) => !met).length).toBeGreaterThan(2);
  }, 60_000);
});

describe("retro/two-hundred-nodes", () => {
  // Not fewer: a fifth of the machines swings more than twice as much, by chance alone.
  test("with half of the machines and of the clients it meets its expectations", () => {
    const { expectations } = runMachines({ seed: 1 }, { machines: 100 });
    expect(expectations.filter(({ met }) => !met)).toEqual([]);
  }, 300_000);

  test("a run repeats", () => {
    expect(runMachines({ seed: 1 }, { machines: 10 }).traceHash).toBe(runMachines({ seed: 1 }, { machines: 10 }).traceHash);
  }, 60_000);

  test("a policy that may not cut is found out", () => {
    const { expectations } = runMachines({ seed: 1 }, { machines: 10, params: { alpha: 0.001, beta: 0.001 } });
    expect(expectations.filter(({ met }) => !met).length).toBeGreaterThan(2);
  }, 60_000);
});
