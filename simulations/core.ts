/**
 * `tenantry/core`: the arithmetic alone, for those who build on it. Synchronous, without clocks, timers or I/O;
 * time is an argument, in whole microseconds. Simulations drive these very functions.
 */
export { maxMinFair } from "../policies/index.js";
