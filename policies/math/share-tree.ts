/**
 * Max-min fairness down a tree: an organisation's share is divided among its teams, a team's among its users, by weight, cap
 * and guarantee at every level. What one user leaves goes to the other users of its team first, then to the other teams of
 * the organisation, then to other organisations: a node's demand is what its children together want, so a parent is given
 * only as much as can be used below it.
 *
 *   up:    top(v)   = min(cap(v), demand(v) or Σ top(children))
 *          floor(v) = min(top(v), max(guarantee(v), Σ floor(children)))
 *   past(v) = already(v) or Σ past(children)
 *   down:  shares of v's children = waterLevelShares(share(v), tops, floors, weights, pasts)
 *
 * A guarantee holds however deep it stands: floors are carried up, so a parent is never given less than its children were
 * promised. A parent's own guarantee beyond that is shared out below it like the rest. Each level is sorted once:
 * O(n·log n) for n nodes, however deep.
 */
import { shown } from "../../proto/names.js";
import { Mistakes } from "./mistakes.js";
import { waterLevelShares } from "./water-level.js";

/** One node of a tree of shares: organisation, team or user. */
export interface TreeNode {
  /** Unique in the tree. */
  readonly id: string;
  /** Id of the node it belongs to; absent: it stands at the top. */
  readonly parent?: string;
  /** Claim against its siblings, > 0 and finite; 1 when absent. */
  readonly weight?: number;
  /** What it gets at least, if it can be used below it: ≥ 0, finite; 0 when absent. */
  readonly guarantee?: number;
  /** What it gets at most, ≥ 0; none when absent. */
  readonly cap?: number;
  /** What it wants, ≥ 0; of nodes without children only, 0 when absent. */
  readonly demand?: number;
}

/**
 * @param capacity what there is to share, ≥ 0
 * @param nodes    in any order
 * @returns what each node gets, in the order of `nodes`; a parent's is the sum of its children's
 * @throws TenantryError BAD_ARGUMENT that lists every value out of range, double id, missing parent and cycle, guarantees
 *   that together exceed their parent's cap, and parents that have a demand of their own
 * @example
 * shareTree(12, [{ id: "a" }, { id: "b", demand: 9 }, { id: "a1", parent: "a", demand: 1 }, { id: "a2", parent: "a", demand: 9 }])
 * // [6, 6, 1, 5]: what a1 leaves goes to a2, its sibling
 */
export function shareTree(capacity: number, nodes: readonly TreeNode[]): Float64Array {
  const tree = planted(capacity, nodes);
  const column = (value: (node: TreeNode) => number) => Float64Array.from(nodes, value);
  return shareDown(capacity, tree, {
    demands: column(({ demand = 0 }) => demand),
    weights: column(({ weight = 1 }) => weight),
    guarantees: column(({ guarantee = 0 }) => guarantee),
    caps: column(({ cap = Number.POSITIVE_INFINITY }) => cap),
  });
}

/** A tree by the indices of its nodes. */
export interface Tree {
  /** By index of the parent, the indices of its children; last those at the top. */
  readonly children: readonly (readonly number[])[];
  /** Every index, parents before their children. */
  readonly topDown: ArrayLike<number>;
}

/** By index of the node; see `TreeNode`. */
export interface TreeColumns {
  /** Of nodes without children; those of others are not looked at. */
  demands: Float64Array;
  weights: Float64Array;
  guarantees: Float64Array;
  caps: Float64Array;
  /** What each has had before and is to be reckoned with, as in `waterLevelShares`; of nodes without children. Absent: nothing. */
  already?: Float64Array;
}

/** As `shareTree`, for callers who know their tree: arguments are not checked. */
export function shareDown(
  capacity: number,
  { children, topDown }: Tree,
  { demands, weights, guarantees, caps, already }: TreeColumns,
): Float64Array {
  const pasts = already?.slice();
  const tops = new Float64Array(demands.length);
  const floors = new Float64Array(demands.length);
  for (let k = topDown.length - 1; k >= 0; k--) {
    const v = topDown[k];
    const below = children[v];
    const promised = below.reduce((sum, child) => sum + floors[child], 0);
    tops[v] = Math.min(caps[v], below.length === 0 ? demands[v] : below.reduce((sum, child) => sum + tops[child], 0));
    floors[v] = Math.min(tops[v], Math.max(guarantees[v], promised));
    if (pasts !== undefined && below.length > 0) pasts[v] = below.reduce((sum, child) => sum + pasts[child], 0);
  }
  const shares = new Float64Array(demands.length);
  const divide = (amount: number, among: readonly number[]) => {
    const of = (column: Float64Array) => Float64Array.from(among, (child) => column[child]);
    const past = pasts === undefined ? {} : { already: of(pasts) };
    const parts = waterLevelShares(amount, of(tops), { guarantees: of(floors), weights: of(weights), ...past });
    among.forEach((child, i) => {
      shares[child] = parts[i];
    });
  };
  divide(capacity, children[demands.length]);
  for (let k = 0; k < topDown.length; k++) if (children[topDown[k]].length > 0) divide(shares[topDown[k]], children[topDown[k]]);
  return shares;
}

/** Who belongs to whom, once it is certain that this is a tree. */
function planted(capacity: number, nodes: readonly TreeNode[]): Tree {
  const mistakes = new Mistakes("shareTree");
  mistakes.unless(capacity >= 0, "capacity", capacity, "a number ≥ 0");
  const indexOf = new Map<string, number>();
  for (const [i, { id }] of nodes.entries()) {
    if (indexOf.has(id))
      mistakes.note(`nodes[${i}].id is ${shown(id)}, as is nodes[${indexOf.get(id)}].id; expected ids to differ`);
    else indexOf.set(id, i);
  }
  const children: number[][] = Array.from({ length: nodes.length + 1 }, () => []);
  for (const [i, { id, parent }] of nodes.entries()) {
    const above = parent === undefined ? nodes.length : indexOf.get(parent);
    if (above === undefined) {
      mistakes.note(`the parent of ${shown(id)} is ${shown(parent)}, which is no node; expected one of the ids, or no parent`);
    } else children[above].push(i);
  }
  for (const [i, node] of nodes.entries()) checkNode(mistakes, node, children[i].length > 0);
  const topDown: number[] = [...children[nodes.length]];
  for (let k = 0; k < topDown.length; k++) for (const child of children[topDown[k]]) topDown.push(child);
  mistakes.refuse();
  if (topDown.length < nodes.length) {
    mistakes.note(`${cycle(nodes, indexOf, new Set(topDown))} form a cycle; expected every parent to lead to the top`);
  }
  checkPromises(mistakes, nodes, children, topDown);
  mistakes.refuse();
  return { children, topDown };
}

function checkNode(mistakes: Mistakes, node: TreeNode, isParent: boolean): void {
  const { id, weight = 1, guarantee = 0, cap = Number.POSITIVE_INFINITY, demand = 0 } = node;
  const of = shown(id);
  const finite = (value: number) => value < Number.POSITIVE_INFINITY;
  mistakes.unless(weight > 0 && finite(weight), `the weight of ${of}`, weight, "a finite number > 0");
  mistakes.unless(guarantee >= 0 && finite(guarantee), `the guarantee of ${of}`, guarantee, "a finite number ≥ 0");
  mistakes.unless(cap >= 0, `the cap of ${of}`, cap, "a number ≥ 0");
  mistakes.unless(demand >= 0, `the demand of ${of}`, demand, "a number ≥ 0");
  if (isParent && node.demand !== undefined) {
    mistakes.note(`${of} has a demand and children; expected its demand to be that of its children`);
  }
}

/** Nobody may be promised, for itself or for all below it together, what its cap does not allow. */
function checkPromises(
  mistakes: Mistakes,
  nodes: readonly TreeNode[],
  children: readonly number[][],
  topDown: readonly number[],
): void {
  const promises = new Float64Array(nodes.length);
  for (let k = topDown.length - 1; k >= 0; k--) {
    const { id, guarantee = 0, cap = Number.POSITIVE_INFINITY } = nodes[topDown[k]];
    let below = 0;
    for (const child of children[topDown[k]]) below += promises[child];
    if (guarantee > cap)
      mistakes.note(`the guarantee of ${shown(id)} is ${guarantee}, above its cap of ${cap}; expected at most that`);
    if (below > cap)
      mistakes.note(`the guarantees below ${shown(id)} sum to ${below}, above its cap of ${cap}; expected at most that`);
    promises[topDown[k]] = Math.min(Math.max(guarantee, below), cap);
  }
}

/** The ids along one cycle, as "a" → "b" → "a". */
function cycle(nodes: readonly TreeNode[], indexOf: ReadonlyMap<string, number>, reached: ReadonlySet<number>): string {
  let at = nodes.findIndex((_, i) => !reached.has(i));
  const seen = new Map<number, number>();
  const path: number[] = [];
  while (!seen.has(at)) {
    seen.set(at, path.length);
    path.push(at);
    at = indexOf.get(nodes[at].parent!)!;
  }
  return [...path.slice(seen.get(at)), at].map((i) => shown(nodes[i].id)).join(" → ");
}
