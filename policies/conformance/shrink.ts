/**
 * Makes a view that breaks a rule as simple as it can be and still break it: without a tenant, a resource, a point, a term; with
 * rounder numbers. "Simpler" is "shorter to write down", so that every step is one and there is an end.
 */
import type { Given } from "./given.js";

/** Views looked at, at the most. */
const MOST_TRIES = 3_000;

/** What a number must not go below, by its name; 0 for the others. */
const LEAST: Record<string, number> = { slowdown: 1, weight: 0.1, calmServiceUs: 1, p99TargetUs: 1, cap: 1, guarantee: 1 };
const ROUND = [0, 1, 2, 5, 10, 100, 1_000];

/** The simplest view found for which `broken` still holds. */
export function shrunk(given: Given, broken: (given: Given) => boolean): Given {
  let best = given;
  let length = written(best);
  for (let tries = 0, found = true; found && tries < MOST_TRIES; ) {
    found = false;
    for (const candidate of simpler(best)) {
      if (written(candidate) >= length) continue;
      if (++tries > MOST_TRIES) break;
      if (!broken(candidate)) continue;
      best = candidate;
      length = written(best);
      found = true;
      break;
    }
  }
  return best;
}

function written(given: Given): number {
  return JSON.stringify(given).length;
}

function* simpler(given: Given): Generator<Given> {
  const { tenants, resources, points, pairs, costs } = given;
  for (let i = 0; i < tenants.length; i++) {
    const rows = <T>(table: T[][]) => table.map((row) => without(row, i));
    yield { ...given, tenants: without(tenants, i), pairs: rows(pairs), costs: rows(costs) };
  }
  for (let r = 0; r < resources.length; r++) {
    const fewer = points.map(({ fed }) => ({ fed: without(fed, r) }));
    yield { ...given, resources: without(resources, r), points: fewer, costs: without(costs, r) };
  }
  for (let p = 0; p < points.length; p++) yield { ...given, points: without(points, p), pairs: without(pairs, p) };
  yield* leaves(given, "") as Generator<Given>;
}

/** The same with one part of it simpler. */
function* leaves(value: unknown, name: string): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const [i, each] of value.entries()) for (const other of leaves(each, name)) yield value.with(i, other);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      if (name === "terms") yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
      for (const other of leaves(each, key)) yield { ...value, [key]: other };
    }
  } else if (typeof value === "number") {
    const rounder = [...ROUND, Math.round(value), Number(value.toPrecision(1)), Number(value.toPrecision(2))];
    for (const other of rounder) if (other >= (LEAST[name] ?? 0) && other !== value) yield other;
  } else if (value === false) {
    yield true;
  }
}

function without<T>(list: readonly T[], index: number): T[] {
  return list.filter((_, i) => i !== index);
}
