/** What scenarios are built of. */
export { exponentialUs, pick, SeededChance, uniformUs } from "./chance.js";
export { type ClosedLoop, closedLoop, type Load, type OpenLoop, openLoop } from "./clients.js";
export { type Life, VirtualClock } from "./clock.js";
export { Disk, type DiskOptions, Link, Station, type Use } from "./machines.js";
export { type NetworkOptions, VirtualNetwork } from "./network.js";
export { Process, type ProcessOptions } from "./process.js";
export { Recorder, Tally } from "./recorder.js";
export { type ClusterOptions, type Counts, type Crowd, StorageCluster } from "./storage-cluster.js";
export { StorageNode, type StorageOptions, type Work } from "./storage-node.js";
export { Trace } from "./trace.js";
export { type ControllerSettings, type Node, World, type WorldOptions } from "./world.js";
