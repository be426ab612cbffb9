/**
 * Holds a policy to the rules, on views at random from a seed, and tells of each that it breaks on the simplest view found that
 * shows it. The same seed gives the same verdicts, on every machine.
 */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import type { Policy } from "../policy.js";
import { CORNERS, draw } from "./draw.js";
import { type Given, viewOf } from "./given.js";
import { limitInWords, viewInWords } from "./in-words.js";
import { type Decide, decideWith } from "./limits.js";
import { RULES, type Rule } from "./rules.js";
import { shrunk } from "./shrink.js";

export interface CheckOptions {
  /** A whole number; default 1. */
  seed?: number;
  /** Views for each rule; default 300. */
  views?: number;
  /** Called before each rule. */
  onRule?(rule: Rule): void;
}

/** How a policy stands to one rule. */
export interface Verdict {
  rule: string;
  asks: string;
  met: boolean;
  /** Views tried, up to the first that showed it broken. 0: not looked at, since it does not even decide. */
  views: number;
  broken?: Broken;
}

/** A rule broken, on the simplest view found. */
export interface Broken {
  /** What is broken, in words. */
  says: string;
  /** The view, a line for each tenant, resource and point. */
  view: string[];
  /** What the policy decides on it; empty: nothing, or it fails. */
  limits: string[];
  /** The same view for a program. */
  given: Given;
}

/**
 * Every rule's verdict on a policy with its default parameters.
 *
 * @example for (const { rule, broken } of checkPolicy(policy)) if (broken) console.log(rule, broken.says);
 */
export function checkPolicy(policy: Policy, options: CheckOptions = {}): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const rule of RULES) {
    // One that does not decide breaks all other rules for the same reason.
    const skipped = verdicts.some(({ rule: name, met }) => name === "decides" && !met);
    verdicts.push(skipped ? { rule: rule.name, asks: rule.asks, met: false, views: 0 } : checkRule(policy, rule, options));
  }
  return verdicts;
}

/** The verdict on one rule. */
export function checkRule(policy: Policy, rule: Rule, { seed = 1, views = 300, onRule }: CheckOptions = {}): Verdict {
  const about = { beta: policy.params.beta ?? 0 };
  const decide = decideWith(policy, policy.params);
  onRule?.(rule);
  const brokenOn = (given: Given): string | undefined => {
    try {
      return rule.broken(given, decide, about);
    } catch (error) {
      return saying(error);
    }
  };
  for (let number = 0; number < CORNERS.length + views; number++) {
    const given = number < CORNERS.length ? CORNERS[number] : draw(seed, number - CORNERS.length, rule.calm === true);
    if (brokenOn(given) === undefined) continue;
    const simplest = shrunk(given, (candidate) => brokenOn(candidate) !== undefined);
    const broken = tell(simplest, brokenOn(simplest) ?? "", decide);
    return { rule: rule.name, asks: rule.asks, met: false, views: number + 1, broken };
  }
  return { rule: rule.name, asks: rule.asks, met: true, views: CORNERS.length + views };
}

function tell(given: Given, says: string, decide: Decide): Broken {
  const view = viewOf(given);
  let limits: string[] = [];
  try {
    limits = decide(view).map((limit) => limitInWords(view, limit));
  } catch {
    // That it fails is what `says` says.
  }
  return { says, view: viewInWords(view), limits, given };
}

function saying(error: unknown): string {
  // What is coded is ours, and says all.
  if (error instanceof TenantryError) return error.message;
  return error instanceof Error ? `it throws ${error.name}: ${error.message}` : `it throws ${shown(error)}`;
}
