/**
 * Groups of tenants in a view, as a tree: organisations, teams in them, tenants in those. Where there are none it is flat, and
 * sharing is weighted max-min fairness.
 */
import { maxMinFair } from "./math/max-min.js";
import { shareDown, type Tree } from "./math/share-tree.js";
import { waterLevelShares } from "./math/water-level.js";
import type { View } from "./view.js";

/**
 * What each tenant gets of a capacity: max-min by weight, down the tree of groups where there are any. What a tenant leaves goes
 * to its own group first.
 *
 * @param demands by tenant index, ≥ 0
 * @param weights by tenant index, > 0
 */
export function fairShares(view: View, capacity: number, demands: Float64Array, weights: Float64Array): Float64Array {
  return hasGroups(view)
    ? shareAmong(view, familyTree(view), capacity, { demands, weights })
    : maxMinFair(capacity, demands, weights);
}

/** As `fairShares`, with guarantees, caps and what each has had already, by tenant index. */
export function levelShares(view: View, capacity: number, claims: Claims): Float64Array {
  return hasGroups(view)
    ? shareAmong(view, familyTree(view), capacity, claims)
    : waterLevelShares(capacity, claims.demands, claims);
}

/**
 * Each tenant's weight beside all others: its part of its group's, and so on up, among those who ask for something. For sharing
 * that is of several resources at once, and so of no one capacity. What one leaves goes to all by these, not to its group first.
 *
 * @param asks by tenant index, 0 for who asks for nothing
 */
export function standings(view: View, asks: Float64Array, weights: Float64Array): Float64Array {
  if (!hasGroups(view)) return weights;
  // Of a whole that each of them would take alone, nobody leaves anything: what they get is what they weigh.
  const parts = fairShares(
    view,
    1,
    asks.map((ask) => (ask > 0 ? 1 : 0)),
    weights,
  );
  for (let i = 0; i < parts.length; i++) if (!(asks[i] > 0)) parts[i] = weights[i];
  return parts;
}

function hasGroups({ groups }: View): boolean {
  return groups !== undefined && groups.length > 0;
}

/** The groups, by their indices, and the tenants after them. */
export function familyTree({ groups = [], tenants }: View): Tree {
  const size = groups.length + tenants.length;
  const children: number[][] = Array.from({ length: size + 1 }, () => []);
  for (const { index, parent = size } of groups) children[parent].push(index);
  for (const { index, group = size } of tenants) children[group].push(groups.length + index);
  // Groups come before their children in the list, and tenants after all groups.
  return { children, topDown: Int32Array.from({ length: size }, (_, v) => v) };
}

/** That part of a tree which stands below a group. */
export function familyOf(tree: Tree, group: number): Tree {
  const topDown = [group];
  for (let k = 0; k < topDown.length; k++) topDown.push(...tree.children[topDown[k]]);
  const children = [...tree.children];
  children[children.length - 1] = [group];
  return { children, topDown };
}

export interface Claims {
  demands: Float64Array;
  weights: Float64Array;
  guarantees?: Float64Array;
  caps?: Float64Array;
  already?: Float64Array;
}

/** Shares by tenant index of a capacity divided down a tree of `familyTree` or `familyOf`; claims are by tenant index. */
export function shareAmong(view: View, tree: Tree, capacity: number, claims: Claims): Float64Array {
  const { groups = [] } = view;
  const { demands, weights, guarantees, caps, already } = claims;
  const column = (ofTenants: Float64Array | undefined, otherwise: number) => {
    const all = new Float64Array(groups.length + view.tenants.length).fill(otherwise);
    if (ofTenants !== undefined) all.set(ofTenants, groups.length);
    return all;
  };
  const all = column(weights, 1);
  for (const { index, weight } of groups) all[index] = weight;
  const shares = shareDown(capacity, tree, {
    demands: column(demands, 0),
    weights: all,
    guarantees: column(guarantees, 0),
    caps: column(caps, Number.POSITIVE_INFINITY),
    ...(already && { already: column(already, 0) }),
  });
  return shares.subarray(groups.length);
}
