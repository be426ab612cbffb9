/** A view and what was decided on it, for a person who looks for the mistake. */
import type { Point, Resource, Tenant, View } from "../view.js";
import type { Limit } from "./limits.js";

/** One line for each tenant, resource and point. */
export function viewInWords(view: View): string[] {
  if (view.tenants.length + view.resources.length + view.points.length === 0) return ["nobody and nothing"];
  return [
    ...view.tenants.map(tenantInWords),
    ...view.resources.map((resource) => resourceInWords(view, resource)),
    ...view.points.map((point) => pointInWords(view, point)),
  ];
}

export function limitInWords(view: View, { point, tenant, rate, resource }: Limit): string {
  const at = view.points[point]?.name ?? `point ${point}`;
  const who = view.tenants[tenant]?.id ?? `tenant ${tenant}`;
  const why = resource === -1 ? "" : ` because of ${view.resources[resource]?.name ?? `resource ${resource}`}`;
  return `${who} at ${at}: ${figure(rate)} per second${why}`;
}

/** A number as a person reads it: four digits that matter. */
export function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}

function tenantInWords({ id, weight, terms }: Tenant): string {
  const said = [`weight ${figure(weight)}`];
  if (terms?.p99TargetUs !== undefined) said.push(`p99 target ${figure(terms.p99TargetUs)} µs`);
  if (terms?.tier !== undefined) said.push(`tier ${terms.tier}`);
  const [cap] = Object.values(terms?.caps ?? {});
  if (cap !== undefined) said.push(`cap ${figure(cap)} per second`);
  const [guarantee] = Object.values(terms?.guarantees ?? {});
  if (guarantee !== undefined) said.push(`guarantee ${figure(guarantee)} per second`);
  return `tenant ${id}: ${said.join(", ")}`;
}

function resourceInWords(view: View, resource: Resource): string {
  const users = view.tenants.filter((tenant) => resource.demand(tenant) > 0);
  const said = users.map((tenant) => {
    const [load, demand] = [resource.load(tenant), resource.demand(tenant)];
    return `${tenant.id} load ${figure(load)}${demand > load ? ` of demand ${figure(demand)}` : ""}`;
  });
  return `resource ${resource.name}: slowdown ${figure(resource.slowdown)}; ${said.join(", ") || "no load"}`;
}

function pointInWords(view: View, point: Point): string {
  const feeds = view.resources.filter((resource) => point.feeds(resource)).map(({ name }) => name);
  const said = view.tenants.flatMap((tenant) => {
    const parts: string[] = [];
    const rate = point.rate(tenant);
    if (point.throughput(tenant) > 0) parts.push(`${figure(point.throughput(tenant))} per second through`);
    if (point.waiting(tenant) > 0) parts.push(`${figure(point.waiting(tenant))} waiting`);
    if (rate !== undefined) parts.push(`rate ${figure(rate)}`);
    if (point.p99(tenant) > 0) parts.push(`p99 ${figure(point.p99(tenant))} µs`);
    if (point.oldest(tenant) > 0) parts.push(`oldest ${figure(point.oldest(tenant))} µs`);
    return parts.length === 0 ? [] : [`${tenant.id} ${parts.join(", ")}`];
  });
  return `point ${point.name}: feeds ${feeds.join(" and ") || "nothing"}; ${said.join("; ") || "nobody there"}`;
}
