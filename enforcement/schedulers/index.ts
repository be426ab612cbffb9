/** The schedulers there are, by name. A new one is a file and a line here. */
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { Drr } from "./drr.js";
import { Fifo } from "./fifo.js";
import { Msf2q } from "./msf2q.js";
import { RoundRobin } from "./round-robin.js";
import type { SchedulerContext, TicketScheduler } from "./scheduler.js";
import { StartTimeFair } from "./start-time-fair.js";
import { TwoDimensionalFair } from "./two-dimensional.js";
import { Wf2q } from "./wf2q.js";
import { Wfq } from "./wfq.js";

const SCHEDULERS = {
  fifo: (context: SchedulerContext): TicketScheduler => new Fifo(context),
  "round-robin": (context: SchedulerContext): TicketScheduler => new RoundRobin(context),
  drr: (context: SchedulerContext): TicketScheduler => new Drr(context),
  wfq: (context: SchedulerContext): TicketScheduler => new Wfq(context),
  sfq: (context: SchedulerContext): TicketScheduler => new StartTimeFair(context),
  wf2q: (context: SchedulerContext): TicketScheduler => new Wf2q(context),
  msf2q: (context: SchedulerContext): TicketScheduler => new Msf2q(context),
  "2dfq": (context: SchedulerContext): TicketScheduler => new TwoDimensionalFair(context),
};

/** Name of a scheduler; each file opens with its idea. */
export type SchedulerKind = keyof typeof SCHEDULERS;

/** The names of the schedulers there are. */
export const SCHEDULER_KINDS = Object.keys(SCHEDULERS) as SchedulerKind[];

/** Throws BAD_ARGUMENT, listing what there is, unless `kind` names a scheduler. */
export function checkSchedulerKind(kind: unknown): asserts kind is SchedulerKind {
  if (!(SCHEDULER_KINDS as unknown[]).includes(kind)) {
    throw new TenantryError("BAD_ARGUMENT", `there is no scheduler ${shown(kind)}; choose one of ${listed(SCHEDULER_KINDS)}`);
  }
}

export function createTicketScheduler(kind: SchedulerKind, context: SchedulerContext): TicketScheduler {
  checkSchedulerKind(kind);
  return SCHEDULERS[kind](context);
}

/** `"a", "b"`: how choices are listed in messages. */
export function listed(choices: readonly string[]): string {
  return choices.map((choice) => `"${choice}"`).join(", ");
}
