/** What a control point is told when it is made. */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { checkOptions, type Known } from "../../proto/options.js";
import type { Clock } from "../../proto/ports.js";
import { checkSchedulerKind, listed, type SchedulerKind } from "../schedulers/index.js";
import { LARGEST_COST } from "../schedulers/scheduler.js";
import type { TenantTable } from "../tenant-table.js";
import type { ViaTable } from "../via.js";

/** What a control point is told when it is made. Everything is optional. */
export interface PointOptions {
  /** Requests that may run here at once; the rest queue, fairly. Default: no bound, no queue. */
  slots?: number;
  /** Who is next when a slot is free. Default "2dfq": fair over time and over slots, so that long requests do not take all at once. */
  scheduler?: SchedulerKind;
  /**
   * How the cost of a request is foreseen, from what those of its tenant and api have cost: "pessimistic" (the default) is the
   * largest lately, which keeps who is unpredictable apart from who is reliably small; "moving-average" is the mean.
   */
  estimator?: "pessimistic" | "moving-average";
  /** What a request is taken to cost before any has completed, in the unit slots are shared by, > 0. Default 1,000 (µs), or 1 of an own unit. */
  initialCost?: number;
  /**
   * Requests that may wait here in all, throttled or queued; when full, the newest of the tenant with the longest backlog is
   * refused. Default 10,000.
   */
  queueLimit?: number;
  /** Bucket size, in seconds of the rate, where an allocation gives none. Default 0.1. */
  burstSeconds?: number;
  /**
   * Unit of cost. Default "requests": each costs 1 unless it says otherwise, and slots are shared by time. With a unit of its
   * own a service declares or charges costs, and slots are shared by those.
   */
  unit?: string;
}

/** What a point is made of; the agent passes it. */
export interface PointParts {
  logicalName: string;
  clock: Clock;
  tenants: TenantTable;
  vias: ViaTable;
  options: Required<PointOptions>;
}

const MAX_SLOTS = 1_000_000;
const KNOWN: Known<Required<PointOptions>> = {
  slots: true,
  scheduler: true,
  estimator: true,
  initialCost: true,
  queueLimit: true,
  burstSeconds: true,
  unit: true,
};
const ESTIMATORS = ["pessimistic", "moving-average"];

/** The options complete and checked. @throws TenantryError BAD_ARGUMENT */
export function checkedPointOptions(name: string, options: PointOptions = {}): Required<PointOptions> {
  checkOptions<PointOptions>(`control point "${name}"`, options, KNOWN);
  const {
    slots = Number.POSITIVE_INFINITY,
    scheduler = "2dfq",
    estimator = "pessimistic",
    queueLimit = 10_000,
    burstSeconds = 0.1,
    unit = "requests",
  } = options;
  const { initialCost = unit === "requests" ? 1_000 : 1 } = options;
  checkSlots(name, slots);
  checkSchedulerKind(scheduler);
  if (!ESTIMATORS.includes(estimator)) throw bad(name, "estimator", estimator, `one of ${listed(ESTIMATORS)}`);
  if (!(initialCost > 0 && initialCost <= LARGEST_COST))
    throw bad(name, "initialCost", initialCost, `a number > 0, at most ${LARGEST_COST}`);
  if (!(Number.isInteger(queueLimit) && queueLimit >= 0)) throw bad(name, "queueLimit", queueLimit, "a whole number ≥ 0");
  if (!(burstSeconds > 0 && burstSeconds <= 3_600)) throw bad(name, "burstSeconds", burstSeconds, "a number > 0, at most 3600");
  if (typeof unit !== "string" || unit.length < 1 || unit.length > 32) throw bad(name, "unit", unit, "1 to 32 characters");
  return { slots, scheduler, estimator, initialCost, queueLimit, burstSeconds, unit };
}

/** Throws BAD_ARGUMENT unless a point may have this many slots. */
export function checkSlots(name: string, slots: unknown): void {
  if (slots === Number.POSITIVE_INFINITY || (Number.isInteger(slots) && (slots as number) >= 1 && (slots as number) <= MAX_SLOTS))
    return;
  throw bad(name, "slots", slots, "a whole number from 1 to 1,000,000, or Infinity for no bound");
}

/** Throws BAD_ARGUMENT unless a request may cost this much. */
export function checkCost(name: string, cost: number): void {
  if (!(cost >= 0 && cost <= LARGEST_COST)) throw bad(name, "a cost", cost, `a number from 0 to ${LARGEST_COST}`);
}

function bad(name: string, option: string, value: unknown, expected: string): TenantryError {
  return new TenantryError("BAD_ARGUMENT", `control point "${name}": ${option} is ${shown(value)}; expected ${expected}`);
}
