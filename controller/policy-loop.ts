/**
 * Once a window: every policy that is not off decides, the guard judges, and what stands is put together.
 *
 * What a policy wants is kept apart from what is in force, for two reasons: its last good rates stand while it is refused, and
 * a mode may be changed between two decisions. Of several rules about one pair the tightest wins and is named as the reason.
 */
import type { Policy, Rates, View } from "../policies/index.js";
import { pairKey } from "./grant-log.js";
import { decide, type RefusalCause, StepGuard } from "./guard.js";
import { LimitTable } from "./limit-table.js";
import type { MeterBook } from "./meter-book.js";
import { modeLevel } from "./modes.js";
import type { Settings } from "./settings.js";
import type { TenantSeats } from "./tenant-seats.js";
import type { ViewBuilder } from "./view-builder.js";

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
  readonly limits: LimitTable;
  readonly steps: StepGuard;
  refused: string | undefined;
}

export class PolicyLoop {
  readonly #options: PolicyLoopOptions;
  readonly wanted: readonly Wanted[];
  /** In force, over all instances. */
  readonly inForce = new LimitTable();
  /** What would be, were everything observed enforced as well. */
  readonly shadow = new LimitTable();
  /** Decisions taken, since the start. */
  decisions = 0;

  constructor(options: PolicyLoopOptions) {
    this.#options = options;
    this.wanted = options.policies.map((policy) => ({
      policy,
      limits: new LimitTable(),
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
    const { settings, seats, meters } = this.#options;
    const { tenantModes } = settings;
    this.inForce.clear();
    this.shadow.clear();
    const everything = modeLevel(settings.mode);
    const tenantLevel = (seat: number) => modeLevel(tenantModes.get(seats.name(seat) ?? "") ?? "enforce");
    let at = -1;
    let pointLevel = 0;
    const levelOf = (point: number, seat: number) => {
      // Pairs come point by point: its mode is looked up once.
      if (point !== at) {
        at = point;
        pointLevel = Math.min(everything, modeLevel(settings.pointMode(meters.at(point)?.name ?? "")));
      }
      return tenantModes.size === 0 ? pointLevel : Math.min(pointLevel, tenantLevel(seat));
    };
    this.wanted.forEach(({ policy, limits }, index) => {
      const most = modeLevel(settings.policyMode(policy));
      limits.forEach((point, seat, rate, _policy, resource) => {
        const level = Math.min(most, levelOf(point, seat));
        if (level === 0) return;
        this.shadow.tighten(point, seat, rate, index, resource);
        if (level === 2) this.inForce.tighten(point, seat, rate, index, resource);
      });
    });
    held?.forEach((point, seat, rate) => {
      if (levelOf(point, seat) < 2 || !Number.isNaN(this.inForce.rate(point, seat))) return;
      const note = held.get(point, seat)!.note;
      this.inForce.set(point, seat, rate, -1, -1, note);
      this.shadow.set(point, seat, rate, -1, -1, note);
    });
  }

  /** Forgets what is about tenants and points that are gone. */
  prune(gone: Uint8Array | undefined): void {
    const exists = (point: number) => this.#options.meters.at(point) !== undefined;
    for (const { limits } of this.wanted) limits.prune(gone, exists);
    this.inForce.prune(gone, exists);
    this.shadow.prune(gone, exists);
  }

  #take({ policy, limits, steps }: Wanted, view: View, rates: Rates): void {
    const { builder, onRefused } = this.#options;
    const next: number[] = [];
    let held = 0;
    steps.begin();
    rates.forEach((p, t, rate, r) => {
      const point = builder.points[p].meter.index;
      const seat = builder.seatOf[t];
      const before = limits.rate(point, seat);
      if (!steps.allows(pairKey(point, seat), rate, before, view.points[p].throughputs[t])) {
        held++;
        if (Number.isNaN(before)) return;
        const last = limits.get(point, seat)!;
        next.push(point, seat, before, last.resource);
      } else {
        next.push(point, seat, rate, r < 0 ? -1 : builder.resources[r].meter.index);
      }
    });
    limits.clear();
    for (let i = 0; i < next.length; i += 4) limits.set(next[i], next[i + 1], next[i + 2], 0, next[i + 3]);
    if (held > 0) {
      const message = `policy "${policy.name}" wants to move ${held} rate(s) by more than a factor of 1000 at once; they stay until it has said so three times`;
      onRefused(policy, "step", message);
    }
  }
}
