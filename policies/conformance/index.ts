/** What every policy is held to: by the tests for those of the package, by `tenantry policy check` for anybody's. */
export { type Broken, type CheckOptions, checkPolicy, checkRule, type Verdict } from "./check.js";
export { type Given, viewOf } from "./given.js";
export { viewInWords } from "./in-words.js";
export { soundRates } from "./limits.js";
export { RULES, type Rule } from "./rules.js";
