/**
 * Once a window: every policy that is not off decides, the guard judges, and what stands is put together.
 *
 * What a policy wants is kept apart from what is in force, for two reasons: its last good rates stand while it is refused, and
 * a mode may be changed between two decisions. Of several rules about one pair the tightest wins and is named as the reason.
 */
import type { Policy, Rates, View } from "../policies/index.js";
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

interface Wanted {
  readonly policy: Policy;
  /** Its last good rates. */
  limits: LimitTable;
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
      spare: new LimitTable(),
      steps: new StepGuard(),
      refused: undefined,
    }));
  }

  /** Lets every policy decide on this view. */
  decide(view: View): void {
    const { settings, nowUs, budgetUs, onRefused } = this.#options;
    for (const wanted of this.wanted) {
      const { policy } = wanted;
      if (settings.mode === "off" || settings.policyMode(policy) === "off") {
        wanted.limits.clear();
        wanted.refused = undefined;
        continue;
      }
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

  /** Fills the table with what is wanted at this level or above. @returns is anything wanted that is only observed? */
  #gather(table: LimitTable, least: number): boolean {
    const { settings } = this.#options;
    let observed = false;
    table.clear();
    this.wanted.forEach(({ policy, limits }, index) => {
      const ofPolicy = modeLevel(settings.policyMode(policy));
      limits.forEachPoint((point, { rates, resources }) => {
        const most = Math.min(ofPolicy, this.#pointLevel(point));
        if (most === 0) return;
        for (let seat = 0; seat < rates.length; seat++) {
          if (Number.isNaN(rates[seat])) continue;
          const level = Math.min(most, this.#tenantLevel(seat));
          if (level === 1) observed = true;
          if (level >= least) table.tighten(point, seat, rates[seat], index, resources[seat]);
        }
      });
    });
    return observed;
  }

  #pointLevel(point: number): number {
    const { settings, meters } = this.#options;
    return Math.min(modeLevel(settings.mode), modeLevel(settings.pointMode(meters.at(point)?.name ?? "")));
  }

  #tenantLevel(seat: number): number {
    const { tenantModes } = this.#options.settings;
    return tenantModes.size === 0 ? 2 : modeLevel(tenantModes.get(this.#options.seats.name(seat) ?? "") ?? "enforce");
  }

  /** Forgets what is about tenants and points that are gone. */
  prune(gone: Uint8Array | undefined): void {
    const exists = (point: number) => this.#options.meters.at(point) !== undefined;
    for (const { limits } of this.wanted) limits.prune(gone, exists);
    this.inForce.prune(gone, exists);
    this.#observed.prune(gone, exists);
  }

  #take(wanted: Wanted, view: View, rates: Rates): void {
    const { builder, onRefused } = this.#options;
    const { policy, limits: before, spare: next, steps } = wanted;
    let held = 0;
    steps.begin();
    next.clear();
    rates.forEach((p, t, rate, r) => {
      const point = builder.points[p].meter.index;
      const seat = builder.seatOf[t];
      const last = before.rate(point, seat);
      if (steps.allows(point * MOST_SEATS + seat, rate, last, view.points[p].throughputs[t])) {
        next.set(point, seat, rate, 0, r < 0 ? -1 : builder.resources[r].meter.index);
        return;
      }
      held++;
      if (!Number.isNaN(last)) next.set(point, seat, last, 0, before.get(point, seat)!.resource);
    });
    wanted.limits = next;
    wanted.spare = before;
    if (held > 0) {
      const message = `policy "${policy.name}" wants to move ${held} rate(s) by more than a factor of 1000 at once; they stay until it has said so three times`;
      onRefused(policy, "step", message);
    }
  }
}
