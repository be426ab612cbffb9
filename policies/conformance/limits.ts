/** What a policy decided, as plain rows; and whether it is a decision at all. */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import type { Rates } from "../rates.js";
import type { View } from "../view.js";

/** One limit, all by index in the view; `resource` −1: because of none. */
export interface Limit {
  point: number;
  tenant: number;
  rate: number;
  resource: number;
}

/** Decides on a view, and throws when that is no decision. */
export type Decide = (view: View) => Limit[];

/** Asks a policy and takes what it says apart. @throws TenantryError BAD_POLICY that says in plain words what is no decision */
export function decideWith(policy: { decide(view: View, params: never): Rates }, params: object): Decide {
  return (view) => limitsIn(view, policy.decide(view, params as never));
}

function limitsIn(view: View, rates: Rates): Limit[] {
  if (typeof rates?.forEach !== "function" || typeof rates.forEachPromise !== "function") throw bad(noRates(rates));
  const limits: Limit[] = [];
  rates.forEach((point, tenant, rate, resource) => {
    limits.push({ point, tenant, rate, resource });
  });
  rates.forEachPromise((point, tenant, rate) => {
    if (view.points[point] === undefined)
      throw bad(`a promise is made at point ${point}, which is not in the view; take points from view.points`);
    if (rate >= 0 && rate < Number.POSITIVE_INFINITY) return;
    const [who, at] = [view.tenants[tenant].id, view.points[point].name];
    throw bad(`${who} at ${at} is promised ${rate} per second; expected a finite number from 0`);
  });
  return limits;
}

function noRates(gave: unknown): string {
  if (typeof (gave as PromiseLike<unknown> | undefined)?.then === "function")
    return "decide gives a promise; take async and await away: a policy decides at once";
  return `decide gives ${Array.isArray(gave) ? "an array" : shown(gave)}; write "return rates", which is new Rates(view)`;
}

function bad(message: string): TenantryError {
  return new TenantryError("BAD_POLICY", message);
}

/** What a policy gave, when it is a decision. @throws TenantryError BAD_POLICY that says in plain words why it is none */
export function soundRates(view: View, rates: Rates): Rates {
  for (const limit of limitsIn(view, rates)) {
    const fault = limitFault(view, limit);
    if (fault !== undefined) throw bad(fault);
  }
  return rates;
}

/** What is wrong with a limit as such, in words; undefined when it is sound. */
export function limitFault(view: View, { point, tenant, rate, resource }: Limit): string | undefined {
  const at = view.points[point];
  const who = view.tenants[tenant];
  if (at === undefined) return `a limit is set at point ${point}, which is not in the view; take points from view.points`;
  if (who === undefined) return `a limit is set for tenant ${tenant}, who is not in the view; take tenants from view.tenants`;
  if (resource !== -1 && view.resources[resource] === undefined) {
    return `a limit is because of resource ${resource}, which is not in the view; take resources from view.resources, or leave it out`;
  }
  if (rate >= 0 && rate < Number.POSITIVE_INFINITY) return undefined;
  return `${who.id} at ${at.name} is limited to ${rate} per second; expected a number from 0 (not to limit is to set nothing)`;
}
