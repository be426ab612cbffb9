/**
 * Stands between what a policy decided and what is sent. Nonsense never reaches an instance: the last good rates stay in
 * force, the refusal is counted by its cause and shown.
 *
 * A decision is refused whole when it shows that the policy itself is broken: it threw, gave no rates, took too long, or gave
 * one number that is no rate, or one limit about what is not in the view. A huge step of one pair (more than 1,000-fold against
 * its last rate, or against what got through where there was none) is held back alone, until three decisions in a row agree: a
 * glitch does not last that long, and a guard that never gives way would itself be a fault.
 */
import type { Params, Policy, Rates, View } from "../policies/index.js";
import { TenantryError } from "../proto/errors.js";
import { shown } from "../proto/names.js";

/** Why a decision, or a part of it, was refused. "stale": nothing was heard for too long to decide at all. */
export type RefusalCause = "threw" | "absent" | "slow" | "nan" | "negative" | "unknown" | "step" | "stale";

export const REFUSAL_CAUSES: readonly RefusalCause[] = ["threw", "absent", "slow", "nan", "negative", "unknown", "step", "stale"];

const HUGE_STEP = 1_000;
const AGREEING_DECISIONS = 3;

/** Sound rates, or why there are none. */
export type Judged = { rates: Rates } | { cause: RefusalCause; message: string };

export interface DecideOptions {
  policy: Policy;
  params: Params;
  view: View;
  /** Reads the clock, µs. */
  nowUs(): number;
  /** Most a decision may take, µs. */
  budgetUs: number;
}

/** Lets a policy decide and judges the whole of it. Never throws. */
export function decide({ policy, params, view, nowUs, budgetUs }: DecideOptions): Judged {
  const startUs = nowUs();
  let rates: Rates;
  try {
    rates = policy.decide(view, params);
  } catch (error) {
    const says = error instanceof Error ? error.message : shown(error);
    if (error instanceof TenantryError && error.code === "POLICY_STOPPED") {
      return { cause: "slow", message: `policy "${policy.name}" ${says}` };
    }
    return { cause: "threw", message: `policy "${policy.name}" threw: ${says}` };
  }
  const tookUs = nowUs() - startUs;
  if (typeof rates?.forEachPoint !== "function" || typeof rates?.forEachPromise !== "function") {
    return { cause: "absent", message: `policy "${policy.name}" gave ${shown(rates)} instead of Rates; return new Rates(view)` };
  }
  if (tookUs > budgetUs) {
    return {
      cause: "slow",
      message: `policy "${policy.name}" took ${Math.round(tookUs)} µs; at most ${Math.round(budgetUs)} µs are given`,
    };
  }
  return fault(policy, rates, view) ?? { rates };
}

function fault(policy: Policy, rates: Rates, view: View): Judged | undefined {
  let found: Judged | undefined;
  const refuse = (cause: RefusalCause, says: string) => {
    found = { cause, message: `policy "${policy.name}" ${says}` };
  };
  rates.forEachPoint((point, column, because) => {
    const known = view.points[point] !== undefined && column.length <= view.tenants.length;
    for (let tenant = 0; tenant < column.length && found === undefined; tenant++) {
      const rate = column[tenant];
      if (rate === Number.POSITIVE_INFINITY) continue;
      const resource = because[tenant];
      if (known && rate >= 0 && resource >= -1 && resource < view.resources.length) continue;
      const unknown = notInView(view, point, tenant, resource);
      if (unknown !== undefined) refuse("unknown", `sets a limit about ${unknown}`);
      else if (!(rate >= 0))
        refuse(
          Number.isNaN(rate) ? "nan" : "negative",
          `limits ${pairIn(view, point, tenant)} to ${rate} per second; expected a number ≥ 0`,
        );
    }
  });
  rates.forEachPromise((point, tenant, rate) => {
    if (found !== undefined) return;
    const unknown = notInView(view, point, tenant, -1);
    if (unknown !== undefined) refuse("unknown", `makes a promise about ${unknown}`);
    else if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY))
      refuse(
        rate < 0 ? "negative" : "nan",
        `promises ${pairIn(view, point, tenant)} ${rate} per second; expected a finite number ≥ 0`,
      );
  });
  return found;
}

/** What of these is not in the view, and where to take it from; undefined: all is. */
function notInView({ points, tenants, resources }: View, point: number, tenant: number, resource: number): string | undefined {
  const told = (kind: string, index: number) => `${kind} ${index}, which is not in the view; take ${kind}s from view.${kind}s`;
  if (points[point] === undefined) return told("point", point);
  if (tenants[tenant] === undefined) return told("tenant", tenant);
  return resource === -1 || resources[resource] !== undefined ? undefined : told("resource", resource);
}

function pairIn({ points, tenants }: View, point: number, tenant: number): string {
  return `tenant ${shown(tenants[tenant].id)} at point ${points[point].name}`;
}

/** Holds back huge steps of single pairs. One per policy. */
export class StepGuard {
  /** Decisions in a row that wanted a huge step, by pair. */
  #waiting = new Map<number, number>();
  #next = new Map<number, number>();

  /** A new decision begins. */
  begin(): void {
    this.#waiting = this.#next;
    this.#next = new Map();
  }

  /**
   * May this pair go where the policy wants it?
   *
   * @param key        of the pair
   * @param ratePerSec wanted, ≥ 0
   * @param before     its last good rate; NaN: it was unlimited
   * @param throughput what the tenant gets through now, cost units per second
   */
  allows(key: number, ratePerSec: number, before: number, throughput: number): boolean {
    const base = Number.isNaN(before) ? throughput : before;
    const up = !Number.isNaN(before) && ratePerSec > Math.max(base, throughput) * HUGE_STEP;
    const down = ratePerSec < base / HUGE_STEP;
    if (!(up || down) || base === 0) return true;
    const times = (this.#waiting.get(key) ?? 0) + 1;
    if (times >= AGREEING_DECISIONS) return true;
    this.#next.set(key, times);
    return false;
  }
}
