/** The scenarios that come with the package; a new one is a file and a line here. */
import { TenantryError } from "../../proto/errors.js";
import type { Scenario } from "../scenario.js";
import { bottleneckFairness } from "./bottleneck-fairness.js";
import { expensiveRequests } from "./expensive-requests.js";
import { trace } from "./trace.js";
import { workedExample } from "./worked-example.js";

export const SCENARIOS: readonly Scenario[] = [workedExample, expensiveRequests, bottleneckFairness, trace];

/** @throws TenantryError UNKNOWN, listing what there is */
export function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const names = SCENARIOS.map((each) => each.name).join(", ");
  throw new TenantryError("UNKNOWN", `there is no scenario "${name.slice(0, 80)}"; there are: ${names}`);
}
