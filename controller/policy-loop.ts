/**
 * Once a window: every policy that is not off decides, in the order of the stack (stack.ts), the guard judges, and what stands
 * is put together.
 *
 * What a policy wants is kept apart from what is in force, for two reasons: its last good rates stand while it is refused, and
 * a mode may be changed between two decisions. Of several rules about one pair the tightest wins and is named as the reason;
 * the others stay known, for whoever asks what comes next.
 */
import { holdsOf, type Policy, type Rates, type View } from "../policies/index.js";
import { Decided } from "./decided.js";
import { decide, type RefusalCause, StepGuard } from "./guard.js";
import { LimitTable } from "./limit-table.js";
import type { MeterBook } from "./meter-book.js";
import { modeLevel } from "./modes.js";
import type { Settings } from "./settings.js";
import type { TenantSeats } from "./tenant-seats.js";
import type { ViewBuilder } from "./view-builder.js";

/** Seats are below this: a pair has one number. */
const MOST_SEATS = 2 ** 20;

export interface PolicyLoopOptions {
  /** In the order in which they decide. */
  policies: readonly Policy[];
  settings: Settings;
  seats: TenantSeats;
  meters: MeterBook;
  builder: ViewBuilder;
  nowUs(): number;
  /** Most one decision may take, µs. */
  budgetUs: number;
  onRefused(policy: Policy, cause: RefusalCause, message: string): void;
}

export interface Wanted {
  readonly policy: Policy;
  /** Its last good rates. */
  limits: LimitTable;
  /** What it promised with them. */
  readonly promises: LimitTable;
  /** Where the next ones are written. */
  spare: LimitTable;
  readonly steps: StepGuard;
  refused: string | undefined;
}

export class PolicyLoop {
  readonly #options: PolicyLoopOptions;
  readonly wanted: readonly Wanted[];
  /** In force, over all instances. */
  readonly inForce = new LimitTable();
  /** What would be, were everything observed enforced as well; the same table while nothing is only observed. */
  shadow = this.inForce;
  readonly #observed = new LimitTable();
  /** Decisions taken, since the start. */
  decisions = 0;

  constructor(options: PolicyLoopOptions) {
    this.#options = options;
    this.wanted = options.policies.map((policy) => ({
      policy,
      limits: new LimitTable(),
      promises: new LimitTable(),
      spare: new LimitTable(),
      steps: new StepGuard(),
      refused: undefined,
    }));
  }

  /** Lets every policy decide on this view. */
  decide(view: View): void {
    const { settings } = this.#options;
    const decided = new Decided({ ...view, holds: holdsOf(view) });
    for (const wanted of this.wanted) {
      if (modeLevel(settings.mode) * modeLevel(settings.policyMode(wanted.policy)) === 0) {
        wanted.limits.clear();
        wanted.promises.clear();
        wanted.refused = undefined;
        continue;
      }
      this.#decideOne(wanted, decided.view);
      if (wanted.limits.size > 0 && this.wanted.at(-1) !== wanted) this.#tell(wanted, decided, view);
    }
    decided.restore();
  }

  #decideOne(wanted: Wanted, view: View): void {
    const { settings, nowUs, budgetUs, onRefused } = this.#options;
    const { policy } = wanted;
    this.decisions++;
    const judged = decide({ policy, params: settings.params(policy), view, nowUs, budgetUs });
    if ("cause" in judged) {
      wanted.refused = judged.message;
      onRefused(policy, judged.cause, judged.message);
    } else {
      wanted.refused = undefined;
      this.#take(wanted, view, judged.rates);
    }
  }

  /** Has those that follow see what this policy holds back, as far as it is enforced. */
  #tell(wanted: Wanted, decided: Decided, view: View): void {
    const { builder } = this.#options;
    const { seatOf, resourceAt } = builder;
    const pointAt = new Map(builder.points.map(({ meter, point }) => [meter.index, point]));
    const limits = new Float64Array(view.tenants.length);
    const because = new Int32Array(view.tenants.length);
    let any = false;
    this.#forEachPoint(wanted, 2, 2, (point, rates, resources) => {
      const at = pointAt.get(point);
      if (at === undefined) return;
      limits.fill(Number.POSITIVE_INFINITY);
      for (let v = 0; v < limits.length; v++) {
        const seat = seatOf[v];
        if (!(rates[seat] >= 0)) continue;
        limits[v] = rates[seat];
        because[v] = resources[seat] < 0 ? -1 : resourceAt[resources[seat]];
      }
      decided.limit(at, limits, because);
      any = true;
    });
    if (any) decided.bound();
  }

  /**
   * Puts together what policies want under the modes of this moment.
   *
   * @param held limits to keep where no policy has one: held by instances whose own figures are not known yet
   */
  combine(held?: LimitTable): void {
    const observed = this.#gather(this.inForce, 2);
    this.shadow = observed ? this.#observed : this.inForce;
    if (observed) this.#gather(this.#observed, 1);
    held?.forEachPoint((point, { rates }) => {
      const most = this.#pointLevel(point);
      for (let seat = 0; seat < rates.length; seat++) {
        if (Number.isNaN(rates[seat]) || !Number.isNaN(this.inForce.rate(point, seat))) continue;
        if (Math.min(most, this.#tenantLevel(seat)) < 2) continue;
        const { note } = held.get(point, seat)!;
        this.inForce.set(point, seat, rates[seat], -1, -1, note);
        if (observed) this.shadow.set(point, seat, rates[seat], -1, -1, note);
      }
    });
  }

  /**
   * What every policy that is not off wants of a pair, under the promises of the others, the tightest first.
   *
   * @param level 2: of enforced policies; 1: of observed ones too
   */
  rivals(point: number, seat: number, level: 1 | 2): { policy: number; ratePerSec: number; resource: number }[] {
    const rivals = this.wanted.flatMap((wanted, policy) => {
      const limit = wanted.limits.get(point, seat);
      if (limit === undefined || this.#level(wanted, point, seat) < level) return [];
      const ratePerSec = lifted(limit.ratePerSec, point, seat, this.#promisers(wanted, level));
      return [{ policy, ratePerSec, resource: limit.resource }];
    });
    return rivals.sort((a, b) => a.ratePerSec - b.ratePerSec);
  }

  /** What is promised to a pair by policies at this level or above; 0: nothing. */
  promised(point: number, seat: number, level: 1 | 2): number {
    return lifted(0, point, seat, this.#promisers(undefined, level));
  }

  /** Fills the table with what is wanted at this level or above. @returns is anything wanted that is only observed? */
  #gather(table: LimitTable, least: 1 | 2): boolean {
    const { settings } = this.#options;
    let observed = false;
    table.clear();
    this.wanted.forEach((wanted, index) => {
      const below = this.#forEachPoint(wanted, least, least, (point, rates, resources) => {
        table.tighten(point, rates, index, resources);
      });
      if (below || (wanted.promises.size > 0 && modeLevel(settings.policyMode(wanted.policy)) === 1)) observed = true;
    });
    return observed;
  }

  /**
   * Visits the limits of a policy that count at this level or above, under what others promise, point by point: columns by seat,
   * rates NaN where there is none; read only, and only during the visit.
   *
   * @param promises level of the promises that count
   * @returns is any of them below level 2, yet not off?
   */
  #forEachPoint(
    wanted: Wanted,
    least: 1 | 2,
    promises: 1 | 2,
    visit: (point: number, rates: Float64Array, resources: Int32Array) => void,
  ): boolean {
    const ofPolicy = modeLevel(this.#options.settings.policyMode(wanted.policy));
    const promisers = this.#promisers(wanted, promises);
    const levels = this.#tenantLevels();
    let observed = false;
    wanted.limits.forEachPoint((point, { rates, resources }) => {
      const most = Math.min(ofPolicy, this.#pointLevel(point));
      if (most === 0) return;
      const floor = highest(promisers.flatMap((table) => table.at(point)?.rates ?? []));
      if (levels === undefined && most < 2) observed = true;
      if (levels === undefined && most < least) return;
      if (levels === undefined && floor === undefined) return visit(point, rates, resources);
      const counting = rates.slice();
      for (let seat = 0; seat < counting.length; seat++) {
        if (Number.isNaN(counting[seat])) continue;
        const level = levels === undefined ? most : Math.min(most, levels[seat]);
        if (level === 1) observed = true;
        if (level < least) counting[seat] = Number.NaN;
        else if (floor !== undefined && floor[seat] > counting[seat]) counting[seat] = floor[seat];
      }
      visit(point, counting, resources);
    });
    return observed;
  }

  /** What other policies promise, at this level or above. */
  #promisers(wanted: Wanted | undefined, least: 1 | 2): LimitTable[] {
    const { settings } = this.#options;
    return this.wanted
      .filter((each) => each !== wanted && each.promises.size > 0 && modeLevel(settings.policyMode(each.policy)) >= least)
      .map(({ promises }) => promises);
  }

  #level({ policy }: Wanted, point: number, seat: number): number {
    const ofPolicy = modeLevel(this.#options.settings.policyMode(policy));
    return Math.min(ofPolicy, this.#pointLevel(point), this.#tenantLevel(seat));
  }

  #pointLevel(point: number): number {
    const { settings, meters } = this.#options;
    return Math.min(modeLevel(settings.mode), modeLevel(settings.pointMode(meters.at(point)?.name ?? "")));
  }

  /** By seat, as far as seats go; undefined: all tenants are enforced. */
  #tenantLevels(): Uint8Array | undefined {
    const { settings, seats } = this.#options;
    if (settings.tenantModes.size === 0) return undefined;
    const levels = new Uint8Array(seats.capacity).fill(2);
    for (const [id, mode] of settings.tenantModes) {
      const seat = seats.find(id);
      if (seat !== undefined) levels[seat] = modeLevel(mode);
    }
    return levels;
  }

  #tenantLevel(seat: number): number {
    const { tenantModes } = this.#options.settings;
    return tenantModes.size === 0 ? 2 : modeLevel(tenantModes.get(this.#options.seats.name(seat) ?? "") ?? "enforce");
  }

  /** Forgets what is about tenants and points that are gone. */
  prune(gone: Uint8Array | undefined): void {
    const exists = (point: number) => this.#options.meters.at(point) !== undefined;
    for (const { limits, promises } of this.wanted) {
      limits.prune(gone, exists);
      promises.prune(gone, exists);
    }
    this.inForce.prune(gone, exists);
    this.#observed.prune(gone, exists);
  }

  #take(wanted: Wanted, view: View, rates: Rates): void {
    const { builder, seats, onRefused } = this.#options;
    const { seatOf } = builder;
    const meterOf = Int32Array.from(builder.resources, ({ meter }) => meter.index);
    const { policy, limits: before, spare: next, steps } = wanted;
    let held = 0;
    steps.begin();
    next.clear();
    wanted.promises.clear();
    rates.forEachPromise((p, t, rate) => wanted.promises.set(builder.points[p].meter.index, builder.seatOf[t], rate, 0, -1));
    rates.forEachPoint((p, column, because) => {
      const point = builder.points[p].meter.index;
      const { throughputs } = view.points[p];
      const last = before.columns(point, seats.capacity);
      const into = next.columns(point, seats.capacity);
      for (let t = 0; t < column.length; t++) {
        if (column[t] === Number.POSITIVE_INFINITY) continue;
        const seat = seatOf[t];
        if (steps.allows(point * MOST_SEATS + seat, column[t], last.rates[seat], throughputs[t])) {
          into.rates[seat] = column[t];
          into.resources[seat] = because[t] < 0 ? -1 : meterOf[because[t]];
        } else {
          held++;
          if (Number.isNaN(last.rates[seat])) continue;
          into.rates[seat] = last.rates[seat];
          into.resources[seat] = last.resources[seat];
        }
        into.policies[seat] = 0;
        into.count++;
      }
    });
    wanted.limits = next;
    wanted.spare = before;
    if (held > 0) {
      const message = `policy "${policy.name}" wants to move ${held} rate(s) by more than a factor of 1000 at once; they stay until it has said so three times`;
      onRefused(policy, "step", message);
    }
  }
}

/** By seat, the most of what several columns say; undefined: there is none. */
function highest(columns: readonly Float64Array[]): Float64Array | undefined {
  if (columns.length < 2) return columns[0];
  const longest = columns.reduce((a, b) => (b.length > a.length ? b : a)).slice();
  for (const column of columns) {
    for (let seat = 0; seat < column.length; seat++) if (!(longest[seat] >= column[seat])) longest[seat] = column[seat];
  }
  return longest;
}

/** A rate, or the most of what is promised to the pair where that is more. */
function lifted(ratePerSec: number, point: number, seat: number, promisers: readonly LimitTable[]): number {
  let rate = ratePerSec;
  for (const promises of promisers) {
    const promised = promises.rate(point, seat);
    if (promised > rate) rate = promised;
  }
  return rate;
}
