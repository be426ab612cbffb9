/** The schema is the contract: whoever reads it must not have to read the code as well. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { schemaPath } from "../../proto/io/schema.js";

test("every field and every value of the schema says what it is, in which unit and range", () => {
  const silent = readFileSync(schemaPath(), "utf8")
    .split("\n")
    .map((line, i) => `tenantry.proto:${i + 1}: ${line.trim()}`)
    .filter((line) => /= \d+;/.test(line) && !/= \d+; +\/\/ +\S/.test(line));
  expect(silent, "say in a comment behind it what it is, its unit and its range").toEqual([]);
});
