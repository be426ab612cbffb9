/**
 * What is agreed at a point, as a rate for each tenant: its own caps and guarantees, and its part of those of the groups it
 * belongs to. A group's rate is divided by what its members ask for there:
 *
 *   ask(p,w)     = throughput(p,w) + waiting(p,w) a window                  division: down the tree of groups, math/share-tree.ts
 *   promise(p,w) = own guarantee, or its part of the group's guarantee among the asks where that is more
 *   cap(p,w)     = own cap, or its part of the group's cap among the asks, and of what they leave by weight, where that is less
 *
 * The caps of a group's members add up to the group's, whoever asks for how much in the next window: a cap always holds.
 */
import { familyOf, familyTree, shareAmong } from "./families.js";
import type { Tree } from "./math/share-tree.js";
import type { Point, Terms, View } from "./view.js";

/** Of one view; by tenant index. */
export class Agreed {
  readonly #view: View;
  readonly #weights: Float64Array;
  /** By point index, what is agreed with tenants themselves; undefined: nothing is. */
  readonly #caps: readonly (Float64Array | undefined)[];
  readonly #guarantees: readonly (Float64Array | undefined)[];
  #tree: Tree | undefined;

  constructor(view: View, weights: Float64Array) {
    this.#view = view;
    this.#weights = weights;
    this.#caps = termsBy(view, "caps", Number.POSITIVE_INFINITY);
    this.#guarantees = termsBy(view, "guarantees", 0);
  }

  /** What each may get through at most, cost units per second; Infinity: as much as it likes. Undefined: nobody has a cap there. */
  caps(point: Point): Float64Array | undefined {
    let caps = this.#caps[point.index]?.slice();
    for (const { index, caps: ofGroup } of this.#view.groups ?? []) {
      const cap = own(ofGroup, point.name);
      if (cap === undefined) continue;
      caps ??= new Float64Array(this.#view.tenants.length).fill(Number.POSITIVE_INFINITY);
      const { family, members } = this.#family(index);
      const shares = shareAmong(this.#view, family, cap, { demands: this.#asks(point), weights: this.#weights, caps });
      let left = cap;
      let weight = 0;
      for (const i of members) {
        left -= shares[i];
        weight += this.#weights[i];
      }
      for (const i of members) caps[i] = Math.min(caps[i], shares[i] + (Math.max(left, 0) * this.#weights[i]) / weight);
    }
    return caps;
  }

  /** What each is to get through at least, if it asks for it; 0: nothing is promised. Undefined: nobody is promised anything there. */
  promises(point: Point): Float64Array | undefined {
    let promises = this.#guarantees[point.index]?.slice();
    const { groups = [] } = this.#view;
    // Children before their parents: what a team is promised counts toward what its organisation is.
    for (let g = groups.length - 1; g >= 0; g--) {
      const guarantee = own(groups[g].guarantees, point.name);
      if (guarantee === undefined) continue;
      promises ??= new Float64Array(this.#view.tenants.length);
      const { family, members } = this.#family(g);
      const asks = this.#asks(point).map((ask, i) => Math.max(ask, promises![i]));
      const claims = { demands: asks, weights: this.#weights, guarantees: promises };
      const shares = shareAmong(this.#view, family, guarantee, claims);
      for (const i of members) promises[i] = Math.max(promises[i], shares[i]);
    }
    return promises;
  }

  #asks({ throughputs, waitings }: Point): Float64Array {
    const perWindow = 1e6 / this.#view.windowUs;
    return throughputs.map((through, i) => through + waitings[i] * perWindow);
  }

  #family(group: number): { family: Tree; members: number[] } {
    this.#tree ??= familyTree(this.#view);
    const family = familyOf(this.#tree, group);
    const groups = this.#view.groups?.length ?? 0;
    return { family, members: Array.from(family.topDown).flatMap((v) => (v >= groups ? [v - groups] : [])) };
  }
}

/** By point index, then tenant index: what its terms say of the point. */
function termsBy({ points, tenants }: View, term: "caps" | "guarantees", otherwise: number): (Float64Array | undefined)[] {
  const indexOf = new Map(points.map(({ name, index }) => [name, index]));
  const columns = new Array<Float64Array | undefined>(points.length).fill(undefined);
  for (const { index, terms } of tenants) {
    for (const [name, rate] of Object.entries(terms?.[term] ?? {})) {
      const p = indexOf.get(name);
      if (p === undefined) continue;
      columns[p] ??= new Float64Array(tenants.length).fill(otherwise);
      columns[p][index] = rate;
    }
  }
  return columns;
}

/** Points are named from outside: only a record's own keys count. */
export function own(rates: Terms["caps"], point: string): number | undefined {
  return rates !== undefined && Object.hasOwn(rates, point) ? rates[point] : undefined;
}
