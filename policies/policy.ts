/**
 * What a policy is: a name, numbers one may turn, and a pure function from view to rates. No clock, no I/O, no memory: the
 * rates in force are part of the view, so a controller that takes over decides as the one before would have.
 */
import { TenantryError } from "../proto/errors.js";
import { checkName, shown } from "../proto/names.js";
import type { Rates } from "./rates.js";
import type { Point, Resource, Tenant, View } from "./view.js";

/** Numbers one may turn, with their defaults. */
export type Params = Readonly<Record<string, number>>;

/** The least and the most a parameter may be. */
export type Range = readonly [least: number, most: number];

/** The file a policy comes from, and how it has fared, since the controller started. */
export interface PolicyOrigin {
  file: string;
  /** 1, and one more each time the file is loaded anew. */
  version: number;
  /** Changes of the file that were not taken over. */
  rejections: number;
  /** Why what is in the file now does not run; null: it does. */
  rejected: string | null;
  /** How often it was stopped, for taking too long or because its thread ended. */
  stops: number;
}

/** A name, numbers one may turn, and a pure function from view to rates. */
export interface Policy<P extends Params = Params> {
  readonly name: string;
  readonly params: P;
  /** What its parameters may be; one without a range, any finite number. */
  readonly ranges?: { readonly [K in keyof P]?: Range };
  /** Of a policy whose file may change while it is in use. */
  readonly origin?: PolicyOrigin;
  /** Pure. Decides the rates of the next window from the last one. */
  decide(view: View, params: P): Rates;
  /**
   * Pure. What would lift a limit it has set, for people: completes "What would help: …". Absent: what helps against any rule
   * that shares by weight.
   */
  remedy?(limited: Limited): string;
}

/** One limit a policy has set. */
export interface Limited {
  readonly tenant: Tenant;
  readonly point: Point;
  /** The resource it is because of; undefined: of none. */
  readonly resource: Resource | undefined;
  readonly view: View;
}

/**
 * Checks and freezes a policy.
 *
 * @throws TenantryError BAD_POLICY when a part is missing or a default is not a finite number or out of its range; BAD_NAME for the name.
 * @example
 * export default definePolicy({ name: "nobody-limited", params: {}, decide: (view) => new Rates(view) });
 */
export function definePolicy<P extends Params>(policy: Policy<P>): Policy<P> {
  if (typeof policy !== "object" || policy === null || typeof policy.decide !== "function") {
    throw new TenantryError("BAD_POLICY", "a policy is an object with name, params and decide(view, params)");
  }
  checkName("policy", policy.name);
  for (const [key, value] of Object.entries(policy.params ?? {})) {
    const fault = faultOf(policy, key, value);
    if (fault !== undefined) throw new TenantryError("BAD_POLICY", `policy "${policy.name}": default of param ${fault}`);
  }
  return Object.freeze({ ...policy, params: Object.freeze({ ...policy.params }) });
}

/**
 * The policy's parameters with `overrides` applied.
 *
 * @throws TenantryError BAD_POLICY that lists every unknown name, and every value that is not a finite number or out of its range.
 */
export function paramsOf(
  policy: Pick<Policy, "name" | "params" | "ranges">,
  overrides: Readonly<Record<string, unknown>>,
): Params {
  const faults: string[] = [];
  const params: Record<string, number> = { ...policy.params };
  for (const [key, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(policy.params, key)) {
      faults.push(`"${key}" is not a parameter; there are ${Object.keys(policy.params).join(", ") || "none"}`);
      continue;
    }
    const fault = faultOf(policy, key, value);
    if (fault === undefined) params[key] = value as number;
    else faults.push(fault);
  }
  if (faults.length > 0) throw new TenantryError("BAD_POLICY", `policy "${policy.name}": ${faults.join("; ")}`);
  return params;
}

/** What is wrong with a parameter's value; undefined: nothing. */
function faultOf({ ranges }: Pick<Policy, "ranges">, key: string, value: unknown): string | undefined {
  const [least, most] = ranges?.[key] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return undefined;
  const within = Number.isFinite(least) || Number.isFinite(most) ? ` from ${least} to ${most}` : "";
  return `"${key}" is ${shown(value)}; expected a finite number${within}`;
}
