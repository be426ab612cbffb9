/**
 * Groups of tenants as configured: an organisation, its teams. Is every parent there, does every line of parents end, and may
 * what is promised below a group, or at a point altogether, be kept?
 */
import type { Group } from "../policies/index.js";
import { isTenantId, shown } from "../proto/names.js";
import type { TenantOverride, TermsOverride } from "./state.js";
import { termsFaults } from "./terms.js";

/** One group as configured: what it belongs to, and what it is due. */
export interface GroupSettings {
  /** The group it belongs to; absent: it stands at the top. */
  parent?: string;
  /** Claim against its siblings, > 0; 1 when absent. */
  weight?: number;
  /** For all of its members together, by point; as for a tenant. */
  caps?: Record<string, number>;
  guarantees?: Record<string, number>;
}

/** What is wrong with the groups, in words. */
export function groupFaults(groups: Record<string, GroupSettings>): string[] {
  const faults: string[] = [];
  for (const [id, { parent, weight, caps, guarantees }] of Object.entries(groups)) {
    const at = `groups.${shown(id)}`;
    if (!isTenantId(id)) faults.push(`${at}: not a group id; expected 1 to 128 printable characters`);
    if (weight !== undefined && !(typeof weight === "number" && weight >= 1e-6 && weight <= 1e6)) {
      faults.push(`${at}.weight: ${shown(weight)}; expected a number from 0.000001 to 1000000`);
    }
    if (parent !== undefined && !Object.hasOwn(groups, parent)) faults.push(`${at}.parent: ${noSuchGroup(parent, groups)}`);
    const circle = circleFrom(id, groups);
    // Told once, at the member that comes first.
    if (circle !== undefined && circle[0] === [...circle].sort()[0]) {
      const path = [...circle, id].map((each) => shown(each)).join(" → ");
      faults.push(`${at}.parent: ${path} is a circle; expected every line of parents to end at a group without one`);
    }
    faults.push(...termsFaults(at, { caps, guarantees }));
  }
  return faults;
}

/** What is wrong with the group a tenant is put into. */
export function membershipFaults(at: string, group: string | null | undefined, groups: Record<string, GroupSettings>): string[] {
  const sound = group === undefined || group === null || (typeof group === "string" && Object.hasOwn(groups, group));
  return sound ? [] : [`${at}.group: ${noSuchGroup(group, groups)}`];
}

function noSuchGroup(name: unknown, groups: Record<string, GroupSettings>): string {
  return `${shown(name)}; no such group; ${Object.keys(groups).length === 0 ? "none is configured" : `there are ${Object.keys(groups).join(", ")}`}`;
}

/** The groups on the circle that leads from this one back to it; undefined: it is on none. */
function circleFrom(id: string, groups: Record<string, GroupSettings>): string[] | undefined {
  const path: string[] = [];
  let at: string | undefined = id;
  while (at !== undefined && Object.hasOwn(groups, at) && path.length <= Object.keys(groups).length) {
    path.push(at);
    at = groups[at].parent;
    if (at === id) return path;
  }
  return undefined;
}

/** The groups as policies see them, parents before their children; of sound ones only. */
export function groupList(groups: Record<string, GroupSettings>): Group[] {
  const list: Group[] = [];
  const indexOf = new Map<string, number>();
  const add = (id: string): number => {
    const known = indexOf.get(id);
    if (known !== undefined) return known;
    const { parent, weight = 1, caps, guarantees } = groups[id];
    const above = parent === undefined ? {} : { parent: add(parent) };
    const index = list.length;
    indexOf.set(id, index);
    list.push(Object.freeze({ index, id, ...above, weight, ...(caps && { caps }), ...(guarantees && { guarantees }) }));
    return index;
  };
  for (const id of Object.keys(groups)) add(id);
  return list;
}

/** Everybody who may be promised something. */
export interface Promised {
  groups: Record<string, GroupSettings>;
  /** By tenant id: its terms as they stand, and its group. */
  tenants: Iterable<readonly [string, Pick<TermsOverride, "guarantees"> & Pick<TenantOverride, "group">]>;
  /** By point: what it can carry, cost units per second over all instances. */
  points: Record<string, { capacityPerSec?: number | null }>;
}

/** Promises that cannot all be kept: together above the cap of their group, or above what their point carries. */
export function promiseFaults({ groups, tenants, points }: Promised): string[] {
  const list = groupList(groups);
  const indexOf = new Map(list.map(({ id, index }) => [id, index]));
  /** By point, then group (the last: no group): what is promised directly below it, to whom. */
  const below = new Map<string, { to: string; rate: number }[][]>();
  const there = (point: string) => {
    const known = below.get(point) ?? Array.from({ length: list.length + 1 }, () => []);
    below.set(point, known);
    return known;
  };
  for (const [id, { guarantees, group }] of tenants) {
    const above = indexOf.get(group ?? "") ?? list.length;
    for (const [point, rate] of Object.entries(guarantees ?? {})) if (rate !== null) there(point)[above].push({ to: id, rate });
  }
  for (const { guarantees } of list) for (const point of Object.keys(guarantees ?? {})) there(point);
  const faults: string[] = [];
  for (const [point, groupsThere] of below) {
    for (let g = list.length - 1; g >= 0; g--) {
      const { id, parent = list.length, caps, guarantees } = list[g];
      const sum = sumOf(groupsThere[g]);
      const cap = caps !== undefined && Object.hasOwn(caps, point) ? caps[point] : Number.POSITIVE_INFINITY;
      const own = guarantees !== undefined && Object.hasOwn(guarantees, point) ? guarantees[point] : 0;
      if (sum > cap)
        faults.push(
          `groups.${shown(id)}.caps.${shown(point)}: ${cap}, but the guarantees below it come to ${sum} (${told(groupsThere[g])}); expected at most that cap`,
        );
      if (Math.max(sum, own) > 0) groupsThere[parent].push({ to: id, rate: Math.min(Math.max(sum, own), cap) });
    }
    const capacity = Object.hasOwn(points, point) ? points[point].capacityPerSec : undefined;
    const sum = sumOf(groupsThere[list.length]);
    if (typeof capacity === "number" && sum > capacity)
      faults.push(
        `points.${shown(point)}.capacityPerSec: ${capacity}, but the guarantees there come to ${sum} (${told(groupsThere[list.length])}); expected at most what it carries`,
      );
  }
  return faults;
}

/** Names told in one message; more are counted. */
const MOST_TOLD = 5;

function told(promises: readonly { to: string; rate: number }[]): string {
  const largest = promises.filter(({ rate }) => rate > 0).sort((a, b) => b.rate - a.rate);
  const named = largest.slice(0, MOST_TOLD).map(({ to, rate }) => `${to} ${rate}`);
  return largest.length > MOST_TOLD ? `${named.join(", ")}, and ${largest.length - MOST_TOLD} more` : named.join(", ");
}

function sumOf(promises: readonly { rate: number }[]): number {
  return promises.reduce((sum, { rate }) => sum + rate, 0);
}
