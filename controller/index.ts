/**
 * The one that decides: gathers what every instance measured into one view, lets policies decide rates, and leases each
 * instance its part. `import … from "tenantry/controller"` gives this behind real sockets; here are rings 0 and 1.
 */
export { type ControllerConfig, completeConfig, DEFAULT_CONFIG } from "./config.js";
export {
  Controller,
  type ControllerEvent,
  type ControllerOptions,
  type PointSettings,
  type TenantSettings,
} from "./controller.js";
export type { GroupSettings } from "./groups.js";
export { isMode, leastMode, MODES, type Mode } from "./modes.js";
export type {
  Counters,
  Explanation,
  InstanceSnapshot,
  LimitExplanation,
  PointSnapshot,
  PointTenantSnapshot,
  PolicyComparison,
  PolicySnapshot,
  Reason,
  ResourceSnapshot,
  ResourceTenantSnapshot,
  TenantSnapshot,
  ViewSnapshot,
} from "./snapshot.js";
export { DEFAULT_STACK } from "./stack.js";
export {
  emptyState,
  memoryStore,
  type PointOverride,
  type PolicyOverride,
  type State,
  type StateStore,
  type TenantOverride,
} from "./state.js";
