/** Policies from files: how they are loaded, and the threads they run in. */
export { loadPolicy, readPolicy, withPlace } from "./load-policy.js";
export { PolicyThread } from "./policy-thread.js";
export { revived } from "./revive.js";
