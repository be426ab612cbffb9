/** Another policy can be tried in every scenario that is about one: each of its worlds asks it in the place of that one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { POLICIES, type Policy, Rates } from "../../policies/index.js";
import { listScenarios, runScenario } from "../../simulations/index.js";
import { findScenario } from "../../simulations/scenarios/index.js";

// What replays a recorded trace makes its one world in replay.ts, as the others make theirs: see below.
const about = listScenarios().flatMap(({ name, policy }) =>
  policy === undefined || findScenario(name).replays !== undefined ? [] : [{ name, policy }],
);

test("every scenario of these families is about one policy, but those that compare several", () => {
  const rest = listScenarios().filter(({ name, policy }) => /^(retro|workloads)\//.test(name) && policy === undefined);
  expect(rest.map(({ name }) => name)).toEqual(["retro/sensitivity", "workloads/borg"]);
});

test.each(about)("$name asks whoever decides in the place of $policy", ({ name, policy }) => {
  class Asked extends Error {}
  let asked = 0;
  const replaced = POLICIES.find((each) => each.name === policy) as Policy;
  const instead: Policy = {
    ...replaced,
    decide(view) {
      asked++;
      return new Rates(view);
    },
  };
  // Whether it is asked is known within seconds; the rest of the run is not looked at.
  const onProgress = () => {
    if (asked > 2) throw new Asked();
  };
  expect(() => runScenario(name, { quick: true, inPlaceOf: { [policy]: instead }, onProgress })).toThrow(Asked);
});

test("no world of a scenario is made of a seed alone", () => {
  const folder = join(import.meta.dirname, "..", "..", "simulations", "scenarios");
  const made = readdirSync(folder).flatMap((file) => {
    const worlds = readFileSync(join(folder, file), "utf8").match(/new World\(.*?\)/g) ?? [];
    return worlds.map((world) => `${file}: ${world}`);
  });
  expect(made.length).toBeGreaterThan(8);
  // The cells of a grid are about the parameters of the package's own policies.
  const alone = made.filter((each) => !each.endsWith("new World(options)"));
  expect(alone).toEqual(["sensitivity-cells.ts: new World({ seed })"]);
});
