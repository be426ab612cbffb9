/** Scenarios: found by name, repeatable to the last bit, and met. */
import { describe, expect, test } from "vitest";
import { listScenarios, outcomeOf, renderReport, runScenario } from "../../simulations/index.js";
import { jainIndex, meanOf, quantileOf, settledAfter } from "../../simulations/measures.js";
import { atLeast, atMost, conduct, defineScenario } from "../../simulations/scenario.js";

describe("the registry", () => {
  test("lists scenarios by name and title", () => {
    expect(listScenarios().map(({ name }) => name)).toContain("retro/bottleneck-fairness");
    for (const { title } of listScenarios()) expect(title.length).toBeGreaterThan(10);
  });

  test("refuses what there is not, and says what there is", () => {
    expect(() => runScenario("retro/bottleneck")).toThrow(/retro\/bottleneck-fairness/);
    expect(() => runScenario("retro/bottleneck-fairness", { seed: -1 })).toThrow(/seed is -1/);
    expect(() => runScenario("retro/bottleneck-fairness", { seed: 0.5 })).toThrow(/whole number/);
  });

  test("a scenario's name is checked where it is written", () => {
    expect(() => defineScenario({ name: "Bad Name", title: "t", run: () => expect.unreachable() })).toThrow(/lower-case/);
  });

  test("an expectation that is not met shows in the result and in the report", () => {
    const result = conduct(
      defineScenario({
        name: "small",
        title: "A small one",
        run: () => ({
          figures: { a: 1 },
          expectations: [atLeast("a", 1, 2), atMost("b", 1, 2), atLeast("c", Number.NaN, 0)],
          traceHash: "0",
          summary: [],
          charts: [],
        }),
      }),
      {},
    );
    expect(result.met).toBe(false);
    expect(result.expectations.map(({ met }) => met)).toEqual([false, true, false]);
    expect(outcomeOf(result)).toEqual({
      scenario: "small",
      seed: 1,
      figures: { a: 1 },
      expectations: result.expectations,
      traceHash: "0",
    });
    expect(renderReport(result.report)).toContain("not met");
  });
});

describe("measures", () => {
  test("Jain's index", () => {
    expect(jainIndex([3, 3, 3])).toBe(1);
    expect(jainIndex([1, 0, 0, 0])).toBe(0.25);
    expect(jainIndex([0, 0])).toBeNaN();
  });

  test("settled is after the last window that was not good", () => {
    const good = (value: number) => value === 1;
    expect(settledAfter([0, 0, 0, 1, 1], 1, good)).toBe(2);
    expect(settledAfter([0, 1, 1], 1, good)).toBe(0);
    expect(settledAfter([1, 1, 0], 1, good)).toBe(2);
  });

  test("means and quantiles", () => {
    expect(meanOf([9, 1, 3], 1)).toBe(2);
    expect(meanOf([])).toBeNaN();
    expect(quantileOf([3, 1, 2, 4], 0.5)).toBe(2);
    expect(quantileOf([3, 1, 2, 4], 1)).toBe(4);
  });
});

describe("retro/bottleneck-fairness", () => {
  test.each([1, 2])(
    "meets its expectations with seed %i, the same way twice",
    (seed) => {
      const fractions: number[] = [];
      const first = runScenario("retro/bottleneck-fairness", { seed, onProgress: (fraction) => fractions.push(fraction) });
      expect(first.expectations.filter(({ met }) => !met)).toEqual([]);
      expect(fractions.at(-1)).toBe(1);
      expect(JSON.parse(JSON.stringify(outcomeOf(first)))).toEqual(outcomeOf(first));
      if (seed === 1) {
        const second = runScenario("retro/bottleneck-fairness", { seed });
        expect(outcomeOf(second)).toEqual(outcomeOf(first));
      } else {
        expect(first.traceHash).not.toBe(runScenario("retro/bottleneck-fairness", { seed: 1 }).traceHash);
      }
    },
    60_000,
  );
});
