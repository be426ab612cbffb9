/** What is fair: policies, and what one is written with. `import … from "tenantry/policies"`. */
import { bottleneckFairness } from "./bottleneck-fairness.js";
import type { Policy } from "./policy.js";

export { bottleneckFairness } from "./bottleneck-fairness.js";
export { dominantResourceShares } from "./math/dominant-shares.js";
export { maxMinFair } from "./math/max-min.js";
export { shareTree, type TreeNode } from "./math/share-tree.js";
export { type WaterOptions, waterLevelShares } from "./math/water-level.js";
export { definePolicy, type Params, type Policy, paramsOf } from "./policy.js";
export { Rates } from "./rates.js";
export { expectedLoad, heldBack, heldBecause, Point, Resource, slowest, type Tenant, type View } from "./view.js";

/** The policies that come with the package; a new one is a file and a line here. */
export const POLICIES: readonly Policy[] = [bottleneckFairness as unknown as Policy];
