/** Terms of a tenant as the Admin service carries them, and as the controller knows them. */
import type { Terms } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import type { TermsOverride } from "../state.js";

export interface WireTerms {
  /** 0 in a request: none any more. */
  p99TargetUs?: number;
  tier?: number;
  caps?: PointRate[];
  guarantees?: PointRate[];
}

interface PointRate {
  point: string;
  /** Absent in a request: none any more. */
  ratePerSec?: number;
}

/** @throws TenantryError BAD_ARGUMENT when one request says two things about a point */
export function readTerms({ p99TargetUs, tier, caps, guarantees }: WireTerms): TermsOverride {
  return {
    ...(p99TargetUs !== undefined && { p99TargetUs: p99TargetUs === 0 ? null : p99TargetUs }),
    ...(tier !== undefined && { tier }),
    ...(caps !== undefined && caps.length > 0 && { caps: ratesOf("caps", caps) }),
    ...(guarantees !== undefined && guarantees.length > 0 && { guarantees: ratesOf("guarantees", guarantees) }),
  };
}

export function wireTerms({ p99TargetUs, tier, caps = {}, guarantees = {} }: Terms): WireTerms {
  return {
    ...(p99TargetUs !== undefined && { p99TargetUs }),
    ...(tier !== undefined && { tier }),
    caps: Object.entries(caps).map(([point, ratePerSec]) => ({ point, ratePerSec })),
    guarantees: Object.entries(guarantees).map(([point, ratePerSec]) => ({ point, ratePerSec })),
  };
}

function ratesOf(what: string, list: readonly PointRate[]): Record<string, number | null> {
  const rates = new Map<string, number | null>();
  for (const { point, ratePerSec } of list) {
    if (rates.has(point))
      throw new TenantryError(
        "BAD_ARGUMENT",
        `nothing was changed: ${what} names ${shown(point)} twice; expected every point once`,
      );
    rates.set(point, ratePerSec ?? null);
  }
  return Object.fromEntries(rates);
}
