/** What scenarios are built of. */
export { exponentialUs, pick, SeededChance, uniformUs } from "./chance.js";
export { type ClosedLoop, closedLoop, type Load, type OpenLoop, openLoop } from "./clients.js";
export { type Life, VirtualClock } from "./clock.js";
export {
  type Amount,
  at,
  either,
  holding,
  inOrder,
  Journey,
  type Leg,
  locking,
  pausing,
  sending,
  serving,
  through,
  times,
  transferring,
  type Visit,
} from "./journey.js";
export { Lock, type LockMode } from "./lock.js";
export { Disk, type DiskOptions, Link, type OnServed, Pool, Station, type Use } from "./machines.js";
export { type NetworkOptions, VirtualNetwork } from "./network.js";
export { Process, type ProcessOptions } from "./process.js";
export { Recorder, Samples, Tally } from "./recorder.js";
export { type OnUsed, ServiceNode } from "./service-node.js";
export { type ClusterOptions, type Counts, type Crowd, StorageCluster } from "./storage-cluster.js";
export { StorageNode, type StorageOptions, type Work } from "./storage-node.js";
export { type Asking, SimulatedTenant, type TenantPlan } from "./tenants.js";
export { Trace } from "./trace.js";
export { type ControllerSettings, type Node, World, type WorldOptions } from "./world.js";
