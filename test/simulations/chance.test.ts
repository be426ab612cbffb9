/** Streams of chance are even, independent of one another, and the same everywhere. */
import { describe, expect, test } from "vitest";
import { exponentialUs, naturalLog, pick, SeededChance, uniformUs } from "../../simulations/world/chance.js";

function first(seed: number, name: string, count: number): number[] {
  const chance = new SeededChance(seed, name);
  return Array.from({ length: count }, () => chance.next());
}

describe("chance", () => {
  test("is the same for the same seed and name on every machine: pinned", () => {
    const chance = new SeededChance(7, "disk/node-1");
    expect(Array.from({ length: 4 }, () => pick(chance, 1_000_000))).toMatchInlineSnapshot(`
      [
        697671,
        743912,
        144797,
        627788,
      ]
    `);
  });

  test("differs for another seed and for another name", () => {
    expect(first(1, "a", 4)).toEqual(first(1, "a", 4));
    expect(first(1, "a", 4)).not.toEqual(first(2, "a", 4));
    expect(first(1, "a", 4)).not.toEqual(first(1, "b", 4));
  });

  test("neighbouring seeds and names give streams that have nothing to do with each other", () => {
    const count = 4_000;
    const pairs: [number[], number[]][] = [
      [first(1, "node-1", count), first(2, "node-1", count)],
      [first(1, "node-1", count), first(1, "node-2", count)],
      [first(0, "", count), first(0, "a", count)],
    ];
    for (const [a, b] of pairs) {
      let product = 0;
      for (let i = 0; i < count; i++) product += (a[i] - 0.5) * (b[i] - 0.5);
      // Correlation; its standard error is 1/√4000 = 0.016.
      expect(Math.abs((12 * product) / count)).toBeLessThan(0.08);
    }
  });

  test("is uniform in [0, 1)", () => {
    const bins = new Array(20).fill(0);
    for (const value of first(3, "even", 100_000)) bins[Math.floor(value * 20)]++;
    // Chi-squared with 19 degrees of freedom: above 43.8 once in a thousand.
    expect(bins.reduce((sum, n) => sum + (n - 5_000) ** 2 / 5_000, 0)).toBeLessThan(43.8);
  });

  test("the logarithm made of + − × ÷ is a logarithm", () => {
    for (const x of [1, 0.999999, 0.75, Math.SQRT1_2, 0.7, 0.5, 0.1, 1e-3, 1e-9, 2 ** -53]) {
      expect(Math.abs(naturalLog(x) - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.max(1, -Math.log(x)));
    }
  });

  test("exponential gaps have their mean and spread; uniform ones their range", () => {
    const chance = new SeededChance(5, "gaps");
    const gaps = Array.from({ length: 100_000 }, () => exponentialUs(chance, 10_000));
    const mean = gaps.reduce((a, b) => a + b) / gaps.length;
    const variance = gaps.reduce((a, b) => a + (b - mean) ** 2, 0) / gaps.length;
    expect(mean).toBeGreaterThan(9_850);
    expect(mean).toBeLessThan(10_150);
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.97);
    expect(Math.sqrt(variance) / mean).toBeLessThan(1.03);
    const times = Array.from({ length: 10_000 }, () => uniformUs(chance, 100, 200));
    expect(Math.min(...times)).toBe(100);
    expect(Math.max(...times)).toBe(200);
  });
});
