/** What is fair: policies, and what one is written with. `import … from "tenantry/policies"`. */
import { bottleneckFairness } from "./bottleneck-fairness.js";
import { capsAndGuarantees } from "./caps-and-guarantees.js";
import { dominantResourceFairness } from "./dominant-resource-fairness.js";
import { fairnessWithMemory } from "./fairness-with-memory.js";
import { latencySlo } from "./latency-slo.js";
import type { Policy } from "./policy.js";
import { priorityTiers } from "./priority-tiers.js";

export { bottleneckFairness } from "./bottleneck-fairness.js";
export { Budget, budgets, PACE, type Pace } from "./budget.js";
export { capsAndGuarantees } from "./caps-and-guarantees.js";
export { dominantResourceFairness } from "./dominant-resource-fairness.js";
export { fairnessWithMemory } from "./fairness-with-memory.js";
export { fairShares } from "./families.js";
export { expectedLoads, type Holds, heldBack, heldBecause, holdsOf } from "./holds.js";
export { type Inflow, inflowsOf } from "./inflows.js";
export { latencySlo } from "./latency-slo.js";
export { dominantResourceShares } from "./math/dominant-shares.js";
export { maxMinFair } from "./math/max-min.js";
export { shareTree, type TreeNode } from "./math/share-tree.js";
export { type WaterOptions, waterLevelShares } from "./math/water-level.js";
export { definePolicy, type Limited, type Params, type Policy, type PolicyOrigin, paramsOf } from "./policy.js";
export { priorityTiers } from "./priority-tiers.js";
export { Rates } from "./rates.js";
export {
  type Group,
  Point,
  Resource,
  slowest,
  type Tenant,
  type Terms,
  type View,
} from "./view.js";

/** The policies that come with the package, in the order in which they decide; a new one is a file and a line here. */
export const POLICIES: readonly Policy[] = [
  latencySlo,
  bottleneckFairness,
  dominantResourceFairness,
  fairnessWithMemory,
  priorityTiers,
  capsAndGuarantees,
] as unknown as readonly Policy[];
