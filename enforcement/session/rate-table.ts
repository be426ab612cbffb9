/**
 * The allocation in force here: which tenant may pass which control point at what rate, and why.
 *
 * An allocation replaces the one before as a whole, and only one of a higher (epoch, sequence) does: late, repeated and
 * reordered ones, and those of a controller that was deposed, are ignored. Even an equal one is: were a late duplicate to renew the lease, we
 * would hold a rate longer than the controller that gave it believes, and the sum of what is granted could exceed what there is.
 * A pair that is not listed is unlimited, explicitly. Rows are kept by name, so that they find tenants and points that come later.
 */
import { type Allocation, emptyAllocation } from "../../proto/messages.js";
import type { Clock } from "../../proto/ports.js";
import { type EndState, Ladder, type LadderState } from "./ladder.js";

/** What is in force for one (point, tenant). */
export interface Limit {
  ratePerSec: number;
  /** Cost units; 0: the point's default. */
  burst: number;
  /** "policy|resource". */
  because: string;
}

interface Row extends Limit {
  fallbackPerSec: number;
}

export interface RateTableOptions {
  clock: Clock;
  endState: EndState;
  /** Rate of each limited (point, tenant) in the end state "floor"; undefined: its fallback. */
  floorPerSec: number | undefined;
  endAfterUs: number;
  /** What is in force has changed. */
  onChanged(): void;
  onStep(state: LadderState, before: LadderState): void;
}

const NOTHING: ReadonlyMap<string, Row> = new Map();

export class RateTable {
  epoch = 0;
  sequence = 0;
  /** Allocations taken, and ignored for coming late. */
  applied = 0;
  ignored = 0;
  readonly ladder: Ladder;
  readonly #options: RateTableOptions;
  #rows = new Map<string, Map<string, Row>>();
  #weights = new Map<string, number>();
  #inArrivalOrder: ReadonlySet<string> = new Set();

  constructor(options: RateTableOptions) {
    this.#options = options;
    this.ladder = new Ladder({
      clock: options.clock,
      endState: options.endState,
      endAfterUs: options.endAfterUs,
      onStep: (state, before) => {
        options.onChanged();
        if (state !== before) options.onStep(state, before);
      },
    });
  }

  /** (point, tenant) pairs with a rate in force. */
  get size(): number {
    if (this.ladder.state === "open") return 0;
    let size = 0;
    for (const rows of this.#rows.values()) size += rows.size;
    return size;
  }

  /** Weights other than 1, by tenant. */
  get weights(): ReadonlyMap<string, number> {
    return this.#weights;
  }

  /** Takes an allocation (its bounds checked before) unless it is late. @returns was it taken? */
  apply(allocation: Allocation): boolean {
    const { epoch, sequence } = allocation;
    if (epoch < this.epoch || (epoch === this.epoch && sequence <= this.sequence)) {
      this.ignored += 1;
      return false;
    }
    this.epoch = epoch;
    this.sequence = sequence;
    this.applied += 1;
    this.#rows = rowsOf(allocation);
    this.#weights = new Map(allocation.weightTenants.map((tenant, i) => [tenant, allocation.weights[i]]));
    this.#inArrivalOrder = new Set(allocation.inArrivalOrder);
    this.ladder.lease(allocation.ttlUs);
    return true;
  }

  /** Shall this point (logical name) give its slots in the order of arrival? */
  goesByArrival(point: string): boolean {
    return this.ladder.state !== "open" && this.#inArrivalOrder.has(point);
  }

  /** Tenants with a rate in force at a point. */
  *tenantsAt(point: string): IterableIterator<string> {
    if (this.ladder.state !== "open") yield* (this.#rows.get(point) ?? NOTHING).keys();
  }

  /** What is in force for a tenant at a point (logical name); undefined: unlimited. */
  limitOf(point: string, tenant: string): Limit | undefined {
    if (this.ladder.state === "open") return undefined;
    const row = this.#rows.get(point)?.get(tenant);
    if (row === undefined) return undefined;
    const ratePerSec = this.#rateNow(row);
    // The burst shrinks with the rate, never grows beyond what was given.
    const burst = ratePerSec < row.ratePerSec ? (row.burst * ratePerSec) / row.ratePerSec : row.burst;
    return { ratePerSec, burst, because: row.because };
  }

  /** What is in force, as an allocation, for a controller that has to learn it; undefined: nothing is. */
  held(): Allocation | undefined {
    if (this.epoch === 0 || this.ladder.state === "open") return undefined;
    const leftUs = this.ladder.leaseLeftUs(this.#options.clock.nowUs());
    const held = emptyAllocation(this.epoch, this.sequence, leftUs);
    const tenants = new Map<string, number>();
    const reasons = new Map<string, number>();
    for (const [point, rows] of this.#rows) {
      held.points.push(point);
      for (const [tenant, row] of rows) {
        const limit = this.limitOf(point, tenant) as Limit;
        held.point.push(held.points.length - 1);
        held.tenant.push(indexIn(tenants, tenant));
        held.ratePerSec.push(limit.ratePerSec);
        held.burst.push(limit.burst);
        held.fallbackPerSec.push(row.fallbackPerSec);
        held.reason.push(indexIn(reasons, row.because));
      }
    }
    held.tenants = [...tenants.keys()];
    held.reasons = [...reasons.keys()];
    held.weightTenants = [...this.#weights.keys()];
    held.weights = [...this.#weights.values()];
    return held;
  }

  #rateNow(row: Row): number {
    const { state, decay } = this.ladder;
    if (state === "closed") return 0;
    if (state === "floor" && this.#options.floorPerSec !== undefined) return this.#options.floorPerSec;
    return row.ratePerSec + (row.fallbackPerSec - row.ratePerSec) * decay;
  }
}

function rowsOf(allocation: Allocation): Map<string, Map<string, Row>> {
  const rows = new Map<string, Map<string, Row>>();
  for (let i = 0; i < allocation.point.length; i++) {
    const point = allocation.points[allocation.point[i]];
    let ofPoint = rows.get(point);
    if (ofPoint === undefined) {
      ofPoint = new Map();
      rows.set(point, ofPoint);
    }
    ofPoint.set(allocation.tenants[allocation.tenant[i]], {
      ratePerSec: allocation.ratePerSec[i],
      burst: allocation.burst[i],
      fallbackPerSec: allocation.fallbackPerSec[i],
      because: allocation.reasons[allocation.reason[i]],
    });
  }
  return rows;
}

function indexIn(indices: Map<string, number>, name: string): number {
  let index = indices.get(name);
  if (index === undefined) {
    index = indices.size;
    indices.set(name, index);
  }
  return index;
}
