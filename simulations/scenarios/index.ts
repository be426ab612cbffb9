/** The scenarios that come with the package; a new one is a file and a line here. */
import { TenantryError } from "../../proto/errors.js";
import type { Scenario } from "../scenario.js";
import { estimatorGamer, lockHolder, manyNames } from "./adversaries.js";
import { borg } from "./borg.js";
import { bottleneckFairness } from "./bottleneck-fairness.js";
import { credit } from "./credit.js";
import { dominantResourceFairness } from "./dominant-resource-fairness.js";
import { expensiveRequests } from "./expensive-requests.js";
import { heartbeats } from "./heartbeats.js";
import { latencySlo } from "./latency-slo.js";
import { matrix } from "./matrix.js";
import { productionKnown } from "./production-known.js";
import { randomSuite } from "./random-suite.js";
import { replication } from "./replication.js";
import { sensitivity } from "./sensitivity.js";
import { swim } from "./swim.js";
import { trace } from "./trace.js";
import { twoHundredNodes } from "./two-hundred-nodes.js";
import { bursty, diurnal } from "./uneven-loads.js";
import { unpredictable } from "./unpredictable.js";
import { workedExample } from "./worked-example.js";

export const SCENARIOS: readonly Scenario[] = [
  workedExample,
  expensiveRequests,
  productionKnown,
  unpredictable,
  randomSuite,
  matrix,
  credit,
  bottleneckFairness,
  latencySlo,
  heartbeats,
  replication,
  dominantResourceFairness,
  twoHundredNodes,
  sensitivity,
  bursty,
  diurnal,
  estimatorGamer,
  manyNames,
  lockHolder,
  swim,
  borg,
  trace,
];

/** @throws TenantryError UNKNOWN, listing what there is */
export function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const names = SCENARIOS.map((each) => each.name).join(", ");
  throw new TenantryError("UNKNOWN", `there is no scenario "${name.slice(0, 80)}"; there are: ${names}`);
}
