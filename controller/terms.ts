/** What is agreed with a tenant beyond its weight: is what was set sound, and what do policies see of it? */
import type { Terms } from "../policies/index.js";
import { isLogicalName, shown } from "../proto/names.js";
import type { TermsOverride } from "./state.js";

/** Points a tenant may have caps at, and points it may have guarantees at. */
const MOST_POINTS = 1_024;

/** What is wrong with the terms, in words; nothing when they are sound. */
export function termsFaults(at: string, { p99TargetUs, tier, caps, guarantees }: TermsOverride): string[] {
  const faults: string[] = [];
  if (isGiven(p99TargetUs) && !(typeof p99TargetUs === "number" && p99TargetUs >= 1 && p99TargetUs <= 3.6e9)) {
    faults.push(`${at}.p99TargetUs: ${shown(p99TargetUs)}; expected a number from 1 to 3600000000 (an hour)`);
  }
  if (isGiven(tier) && !(Number.isInteger(tier) && tier >= 0 && tier <= 9)) {
    faults.push(`${at}.tier: ${shown(tier)}; expected a whole number from 0 (served first) to 9`);
  }
  faults.push(...rateFaults(`${at}.caps`, caps), ...rateFaults(`${at}.guarantees`, guarantees));
  for (const [point, rate] of Object.entries(guarantees ?? {})) {
    const cap = caps !== undefined && Object.hasOwn(caps, point) ? caps[point] : null;
    if (rate !== null && cap !== null && rate > cap)
      faults.push(`${at}.guarantees.${shown(point)}: ${rate}, above its cap of ${cap}; expected at most that`);
  }
  return faults;
}

/** Terms with changes made to them: setting by setting, caps and guarantees point by point. */
export function changedTerms(before: TermsOverride, change: TermsOverride): TermsOverride {
  const { p99TargetUs = before.p99TargetUs, tier = before.tier } = change;
  const caps = joined(before.caps, change.caps);
  const guarantees = joined(before.guarantees, change.guarantees);
  return Object.fromEntries(Object.entries({ p99TargetUs, tier, caps, guarantees }).filter(([, value]) => value !== undefined));
}

/** What policies see of terms; undefined: nothing is agreed. */
export function termsOf({ p99TargetUs, tier, caps, guarantees }: TermsOverride): Terms | undefined {
  const agreed = Object.entries({ p99TargetUs, tier, caps: kept(caps), guarantees: kept(guarantees) }).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return agreed.length === 0 ? undefined : Object.freeze(Object.fromEntries(agreed));
}

type Rates = TermsOverride["caps"];

function joined(before: Rates, change: Rates): Rates {
  return before === undefined || change === undefined ? (change ?? before) : { ...before, ...change };
}

/** The rates that are not taken back; undefined: none. */
function kept(rates: Rates): Terms["caps"] {
  const entries = Object.entries(rates ?? {}).filter((entry): entry is [string, number] => entry[1] !== null);
  return entries.length === 0 ? undefined : Object.freeze(Object.fromEntries(entries));
}

function rateFaults(at: string, rates: Rates): string[] {
  if (rates !== undefined && (typeof rates !== "object" || rates === null))
    return [`${at}: ${shown(rates)}; expected rates by point`];
  const entries = Object.entries(rates ?? {});
  if (entries.length > MOST_POINTS) return [`${at}: ${entries.length} points; expected at most ${MOST_POINTS}`];
  return entries.flatMap(([point, rate]) => {
    if (!isLogicalName(point)) return [`${at}.${shown(point)}: not a point; expected service/point`];
    const sound = rate === null || (typeof rate === "number" && rate >= 0 && rate < Number.POSITIVE_INFINITY);
    return sound
      ? []
      : [`${at}.${shown(point)}: ${shown(rate)}; expected a number ≥ 0, cost units per second over all instances`];
  });
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
