/**
 * The stack: which policies are in force, and in which order they decide. Latency objectives come first, fairness among the
 * rest, caps and guarantees last.
 *
 * - All decide on one view, in order. Of one whom an enforced policy before it limits, a policy sees no more demand than that
 *   limit lets through (decided.ts): so what one rule takes from a tenant, fairness divides among the others.
 * - For each (point, tenant) the tightest rule wins and is named as the reason; of two that agree, the one that decided first.
 * - A promise (`Rates.promise`) is a floor under what all other policies decide, latency objectives included: a guarantee is a
 *   number somebody was given, a target is met at the cost of those who were promised nothing. A cap is no other policy's.
 * - What is only observed bounds, lifts and limits nobody.
 *
 * A policy that is not in the stack is off, until a mode is set for it; then it decides after those that are.
 */
import { POLICIES, type Policy } from "../policies/index.js";
import { shown } from "../proto/names.js";

/** What is in force when nobody says otherwise. Each acts only when there is something to act on. */
export const DEFAULT_STACK: readonly string[] = Object.freeze(["latency-slo", "bottleneck-fairness", "caps-and-guarantees"]);

/** The stack when none is configured: of the package's policies the three above; whoever embeds a choice of policies means all of them. */
export function defaultStack(policies: readonly Policy[]): readonly string[] {
  const names = policies.map(({ name }) => name);
  return POLICIES.every(({ name }) => names.includes(name)) ? DEFAULT_STACK : names;
}

/** The policies in the order in which they decide. */
export function inOrder(policies: readonly Policy[], stack: readonly string[]): Policy[] {
  const named = stack.flatMap((name) => policies.filter((policy) => policy.name === name));
  return [...named, ...policies.filter((policy) => !named.includes(policy))];
}

/** What is wrong with a configured stack, in words, each mistake with its place. */
export function stackFaults(stack: unknown, policies: readonly Policy[]): string[] {
  if (!Array.isArray(stack))
    return [`stack: ${shown(stack)}; expected a list of policies, such as [${DEFAULT_STACK.join(", ")}]`];
  return stack.flatMap((name: unknown, i) => {
    const at = `stack[${i}]`;
    if (!policies.some((policy) => policy.name === name))
      return [`${at}: ${shown(name)}; no such policy; there are ${policies.map((each) => each.name).join(", ") || "none"}`];
    const first = stack.indexOf(name);
    return first < i ? [`${at}: ${shown(name)} stands at stack[${first}] already; expected every policy once`] : [];
  });
}
