/**
 * Work that is done once for several tenants: a group commit, a flush, a compaction [Retro §3, batching]. One operation then
 * stands for all who contributed, each for its part:
 *
 *   p(w) = part(w) / Σ part        running[w] += p(w)  while it is in service,        cost[w] += p(w) · cost
 *
 * and since time in service is the integral of what runs (meter.ts), each is charged its part of the time, to the microsecond, while
 * the operation is still under way. The paper gives a batch an id of its own and has the controller decompose it; whoever
 * does the work knows the parts already, so here nothing of it crosses the wire, and sums stay sums.
 *
 * Parts are rounded to whole multiples of 2⁻²⁰, at the ends of a line on which they lie one after the other: they add up to exactly
 * 1, and what is added to a gauge and taken away again leaves nothing behind.
 */
import type { TenantIndex } from "../tenant-table.js";
import type { ViaSet } from "../via.js";

/** What one tenant contributed. */
export interface Share {
  readonly tenant: TenantIndex;
  /** Points its request had passed. */
  readonly via: ViaSet;
  /** Of the whole: a multiple of 2⁻²⁰; those of an operation add up to 1. */
  readonly part: number;
}

/** So many parts in one, a power of two: its multiples are exact, and so are their sums. */
const GRAINS = 2 ** 20;

/**
 * Parts of one operation.
 *
 * @param contributions what each contributed, in any unit, > 0 and finite; at least one
 * @example sharesOf([{ tenant, via, part: 300 }, { tenant: other, via, part: 100 }]); // ¾ and ¼
 */
export function sharesOf(contributions: readonly Share[]): Share[] {
  const total = contributions.reduce((sum, { part }) => sum + part, 0);
  let sum = 0;
  let from = 0;
  return contributions.map(({ tenant, via, part }, i) => {
    sum += part;
    const to = i === contributions.length - 1 ? GRAINS : Math.round((sum / total) * GRAINS);
    const share = { tenant, via, part: (to - from) / GRAINS };
    from = to;
    return share;
  });
}
