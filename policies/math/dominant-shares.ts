/**
 * Dominant resource fairness [Ghodsi et al., NSDI 2011]: many tenants, many resources, each tenant in need of all of its
 * resources in fixed proportion. A tenant's dominant share is its share of the resource it takes most of; dominant shares
 * are to be equal, or as the weights, as far as anybody still wants and can use more.
 *
 *   D[i] = max_r demand[i,r] / C[r]         dominant share of all it demands
 *   s[i] = x[i]·D[i] / w[i]                 its level; x[i] in 0..1 is the fraction of its demand that is granted
 *   progressive filling: raise all levels together; i stops when x[i] = 1, or when a resource it uses is full
 *
 * The result is max-min fair in s (leximin); Pareto-efficient, envy-free, strategy-proof, and gives each at least what a
 * w[i]/Σw part of every resource would (sharing incentive). That holds too for demands of zero, since whoever does not use the
 * full resource rises on [Parkes, Procaccia, Shah, EC 2012].
 *
 * Exact, not by iteration to a fixed point as Retro does it: usage of r rises with the level in straight pieces whose slope
 * changes where a tenant is satisfied. Satisfied in sorted order, one sweep over the tenants tells for each resource the level
 * at which it is full; the first of them stops its users, and the sweep is made again for the others. With n tenants and
 * r resources of which k fill up, O(n·log n + n·r·(k+1)). Sums are added up anew in each sweep, of positive terms only: nothing
 * cancels, and a resource is never overfull by more than rounding.
 */
import { checkColumn, Mistakes } from "./mistakes.js";

/**
 * Fractions of demand granted under dominant resource fairness.
 *
 * @param demands    per tenant, what it wants of each resource: ≥ 0, finite; rows as long as `capacities`
 * @param capacities of each resource, ≥ 0, in the unit of its demands; Infinity where there is no bound
 * @param weights    claims, > 0 and finite; 1 each when absent
 * @returns per tenant 0..1: the part of its whole demand that is granted, the same of every resource; 1 for whoever asks for nothing
 * @throws TenantryError BAD_ARGUMENT that lists every value out of range
 * @example dominantResourceShares([[9, 36], [18, 6]], [9, 18]) // [1/3, 1/3]: of (cpu, memory), 3 × (1, 4) and 2 × (3, 1)
 */
export function dominantResourceShares(
  demands: ArrayLike<ArrayLike<number>>,
  capacities: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Float64Array {
  check(demands, capacities, weights);
  const columns = Array.from(capacities, (_, r) => Float64Array.from(demands, (demand) => demand[r]));
  const speeds = dominantShares(columns, capacities, demands.length);
  for (let i = 0; i < speeds.length; i++) speeds[i] = (weights === undefined ? 1 : weights[i]) / speeds[i];
  return fillTogether(columns, capacities, speeds).granted;
}

/**
 * Per tenant, the largest part of a capacity that it demands; Infinity where something is demanded of nothing.
 *
 * @param demands per resource, what each tenant wants
 */
export function dominantShares(
  demands: readonly Float64Array[],
  capacities: ArrayLike<number>,
  tenants = demands[0]?.length ?? 0,
): Float64Array {
  const most = new Float64Array(tenants);
  for (let r = 0; r < demands.length; r++) {
    const column = demands[r];
    for (let i = 0; i < tenants; i++) if (column[i] > 0) most[i] = Math.max(most[i], column[i] / capacities[r]);
  }
  return most;
}

export interface Filling {
  /** Per tenant, the fraction of its demand that is granted, 0..1. */
  granted: Float64Array;
  /** Per tenant, the resource that was full when it stopped; −1: it was satisfied. */
  stoppedBy: Int32Array;
}

/**
 * Progressive filling at any speeds: x[i] = min(1, level·speed[i]) until a resource it uses is full. For callers who have
 * their own idea of what is dominant; arguments are not checked.
 *
 * @param demands per resource, what each tenant wants
 * @param speeds  per tenant, ≥ 0; Infinity: satisfied at once; 0: never gets anything
 */
export function fillTogether(
  demands: readonly ArrayLike<number>[],
  capacities: ArrayLike<number>,
  speeds: ArrayLike<number>,
): Filling {
  const n = speeds.length;
  const granted = new Float64Array(n);
  const stoppedBy = new Int32Array(n).fill(-1);
  const used = new Float64Array(capacities.length);
  const stand = (i: number, fraction: number) => {
    granted[i] = fraction;
    if (fraction > 0) for (let r = 0; r < used.length; r++) used[r] += fraction * demands[r][i];
  };
  let rising: number[] = [];
  for (let i = 0; i < n; i++) {
    if (speeds[i] === Number.POSITIVE_INFINITY) stand(i, 1);
    else if (speeds[i] > 0) rising.push(i);
    else stoppedBy[i] = capacities.length === 0 ? -1 : scarcest(i, demands, capacities);
  }
  // Whoever takes the shortest to be satisfied first.
  rising.sort((a, b) => speeds[b] - speeds[a] || a - b);
  let level = 0;
  for (;;) {
    const full = firstFull({ demands, capacities, speeds, used, rising, level });
    const others: number[] = [];
    for (const i of rising) {
      if (full === undefined || full.level * speeds[i] >= 1) stand(i, 1);
      else if (demands[full.resource][i] > 0) {
        stand(i, full.level * speeds[i]);
        stoppedBy[i] = full.resource;
      } else {
        others.push(i);
      }
    }
    if (full === undefined) return { granted, stoppedBy };
    rising = others;
    level = full.level;
  }
}

interface Sweep {
  demands: readonly ArrayLike<number>[];
  capacities: ArrayLike<number>;
  speeds: ArrayLike<number>;
  /** Of each resource, by those who stand still. */
  used: Float64Array;
  /** Those who still rise, the soonest satisfied first. */
  rising: readonly number[];
  /** Where they are. */
  level: number;
}

/** The resource that is full first, and the level at which it is; undefined: everybody will be satisfied. */
function firstFull({ demands, capacities, speeds, used, rising, level }: Sweep): { resource: number; level: number } | undefined {
  let first: { resource: number; level: number } | undefined;
  const slopes = new Float64Array(rising.length);
  for (let r = 0; r < capacities.length; r++) {
    const column = demands[r];
    let slope = 0;
    let wanted = used[r];
    for (let k = rising.length - 1; k >= 0; k--) {
      const demand = column[rising[k]];
      slope += demand * speeds[rising[k]];
      slopes[k] = slope;
      wanted += demand;
    }
    if (wanted <= capacities[r]) continue;
    let base = used[r];
    let k = 0;
    for (; k < rising.length; k++) {
      const speed = speeds[rising[k]];
      if (base + slopes[k] / speed > capacities[r]) break;
      base += column[rising[k]];
    }
    if (k === rising.length || slopes[k] === 0) continue;
    const fullAt = Math.max((capacities[r] - base) / slopes[k], level);
    if (first === undefined || fullAt < first.level) first = { resource: r, level: fullAt };
  }
  return first;
}

/** The resource of which most is demanded for what there is. */
function scarcest(tenant: number, demands: readonly ArrayLike<number>[], capacities: ArrayLike<number>): number {
  const partOf = (r: number) => (demands[r][tenant] > 0 ? demands[r][tenant] / capacities[r] : 0);
  let most = 0;
  for (let r = 1; r < capacities.length; r++) if (partOf(r) > partOf(most)) most = r;
  return most;
}

function check(
  demands: ArrayLike<ArrayLike<number>>,
  capacities: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
): void {
  const mistakes = new Mistakes("dominantResourceShares");
  for (let r = 0; r < capacities.length; r++) {
    mistakes.unless(capacities[r] >= 0, `capacities[${r}]`, capacities[r], "a number ≥ 0");
  }
  for (let i = 0; i < demands.length; i++) {
    const row = demands[i];
    if (typeof row !== "object" || row === null || typeof row.length !== "number") {
      mistakes.unless(false, `demands[${i}]`, row, `an array of ${capacities.length} numbers, one for each capacity`);
      continue;
    }
    mistakes.unless(
      row.length === capacities.length,
      `demands[${i}].length`,
      row.length,
      `${capacities.length}, one for each capacity`,
    );
    for (let r = 0; r < row.length; r++) {
      const sound = row[r] >= 0 && row[r] < Number.POSITIVE_INFINITY;
      if (!sound) mistakes.unless(false, `demands[${i}][${r}]`, row[r], "a finite number ≥ 0");
    }
  }
  checkColumn(mistakes, "weights", weights, { length: demands.length, least: "> 0", finite: true });
  mistakes.refuse();
}
