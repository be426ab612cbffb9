/**
 * The same seed gives the same run on every engine: what decides must not use functions whose last bit differs between them.
 * Measured between the V8 of Node 20 and of Node 24 over a million arguments each: `**` and `Math.pow` differ; log, exp, log2,
 * log10, cbrt, expm1, log1p and sqrt do not.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** `Math.pow` and the trigonometry; and `**`, unless its exponent is a whole number, written out or counted. */
const DIFFERS = /Math\.(pow|sin|cos|tan|asin|acos|atan2?|sinh|cosh|tanh)\b|\*\* (?!\d+\b(?!\.)|attempt\b|Math\.min\()/;

test("what decides computes nothing that engines round differently", () => {
  const faults: string[] = [];
  for (const room of [
    "policies",
    "policies/math",
    "controller",
    "enforcement",
    "simulations/world",
    "simulations/pool",
    "simulations/scenarios",
  ]) {
    for (const name of readdirSync(join(ROOT, room)).filter((each) => each.endsWith(".ts"))) {
      const text = readFileSync(join(ROOT, room, name), "utf8");
      const code = text.replace(/\/\*[\s\S]*?\*\//g, (c) => c.replace(/[^\n]/g, " ")).replace(/\/\/[^\n]*/g, "");
      code.split("\n").forEach((line, i) => {
        if (DIFFERS.test(line)) faults.push(`${room}/${name}:${i + 1}: ${line.trim()} — write it with Math.exp and Math.log`);
      });
    }
  }
  expect(faults).toEqual([]);
});
