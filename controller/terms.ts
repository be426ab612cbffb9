/** What is agreed with a tenant beyond its weight: is what was configured sound, and what do policies see of it? */
import type { Terms } from "../policies/index.js";
import { isLogicalName, shown } from "../proto/names.js";

/** What is wrong with the terms, in words; nothing when they are sound. */
export function termsFaults(at: string, { p99TargetUs, tier, caps, guarantees }: Terms): string[] {
  const faults: string[] = [];
  if (p99TargetUs !== undefined && !(typeof p99TargetUs === "number" && p99TargetUs >= 1 && p99TargetUs <= 3.6e9)) {
    faults.push(`${at}.p99TargetUs: ${shown(p99TargetUs)}; expected a number from 1 to 3600000000 (an hour)`);
  }
  if (tier !== undefined && !(Number.isInteger(tier) && tier >= 0 && tier <= 9)) {
    faults.push(`${at}.tier: ${shown(tier)}; expected a whole number from 0 (served first) to 9`);
  }
  faults.push(...rateFaults(`${at}.caps`, caps), ...rateFaults(`${at}.guarantees`, guarantees));
  for (const [point, rate] of Object.entries(guarantees ?? {})) {
    const cap = caps !== undefined && Object.hasOwn(caps, point) ? caps[point] : Number.POSITIVE_INFINITY;
    if (rate > cap) faults.push(`${at}.guarantees.${shown(point)}: ${rate}, above its cap of ${cap}; expected at most that`);
  }
  return faults;
}

/** The part of a tenant's settings that policies see; undefined: nothing is agreed. */
export function termsOf({ p99TargetUs, tier, caps, guarantees }: Terms): Terms | undefined {
  const agreed = Object.entries({ p99TargetUs, tier, caps, guarantees }).filter(([, value]) => value !== undefined);
  return agreed.length === 0 ? undefined : Object.freeze(Object.fromEntries(agreed));
}

function rateFaults(at: string, rates: Terms["caps"]): string[] {
  return Object.entries(rates ?? {}).flatMap(([point, rate]) => {
    if (!isLogicalName(point)) return [`${at}.${shown(point)}: not a point; expected service/point`];
    const sound = typeof rate === "number" && rate >= 0 && rate < Number.POSITIVE_INFINITY;
    return sound
      ? []
      : [`${at}.${shown(point)}: ${shown(rate)}; expected a number ≥ 0, cost units per second over all instances`];
  });
}
