/** The scenarios that come with the package; a new one is a file and a line here. */
import type { Scenario } from "../scenario.js";
import { bottleneckFairness } from "./bottleneck-fairness.js";

export const SCENARIOS: readonly Scenario[] = [bottleneckFairness];
