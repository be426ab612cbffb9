/**
 * The operator's one question: who is being slowed down, by which rule, because of which resource, and what would help?
 * Answered in a sentence or three, from the same figures the policies saw.
 */
import type { Described } from "./describe.js";
import { describePair, reasonOf } from "./describe.js";
import type { Explanation, LimitExplanation } from "./snapshot.js";
import { outOfReachText } from "./targets.js";

/** A resource that is slowed down less than this, relative to calm, is nobody's trouble. */
const CALM = 2;

/** Why this tenant is as fast as it is. */
export function explain(tenant: string, seat: number | undefined, described: Described): Explanation {
  const { builder, settings } = described;
  const v = seat === undefined ? -1 : builder.indexOf(seat);
  const weight = settings.weight(tenant);
  const mode = settings.tenantMode(tenant);
  if (v < 0) {
    const sentence = `${tenant} has not been seen lately, and nothing limits it.`;
    return { tenant, sentence, known: false, weight, mode, limits: [] };
  }
  const limits = limitsOf(v, described);
  const enforced = limits.filter((limit) => limit.mode === "enforce");
  const observed = limits.filter((limit) => limit.mode === "observe");
  const sentences: string[] = [];
  if (enforced.length > 0) {
    sentences.push(limitSentence(tenant, enforced[0], leavesRoom(enforced[0]) ? "is limited" : "is slowed down"));
    if (enforced.length > 1) sentences.push(`It is limited at ${enforced.length - 1} other point(s) as well.`);
    sentences.push(...besides(enforced[0]));
    sentences.push(`What would help: ${remedy(v, enforced[0], described)}.`);
  } else {
    sentences.push(`No rule in force slows ${tenant} down${mode === "enforce" ? "" : ` (its mode is ${mode})`}.`);
    if (observed.length > 0) {
      const slowed = "would be slowed down, were that enforced,";
      const limited = "would be limited, were that enforced,";
      sentences.push(limitSentence(tenant, observed[0], leavesRoom(observed[0]) ? limited : slowed));
    }
    sentences.push(...crowding(tenant, v, described));
  }
  const outOfReach = described.targets.outOfReach.get(tenant);
  if (outOfReach !== undefined) sentences.push(`${outOfReachText(outOfReach)}.`);
  return { tenant, sentence: sentences.join(" "), known: true, weight, mode, limits };
}

function limitsOf(v: number, described: Described): LimitExplanation[] {
  const { builder, loop } = described;
  const limits: (LimitExplanation & { tightness: number })[] = [];
  for (const figures of builder.points) {
    const seat = builder.seatOf[v];
    const inForce = loop.inForce.get(figures.meter.index, seat);
    const limit = inForce ?? loop.shadow.get(figures.meter.index, seat);
    if (limit === undefined) continue;
    const pair = describePair(figures, v, described)!;
    const { policy, resource } = reasonOf(limit, described);
    const level = inForce === undefined ? 1 : 2;
    const promised = loop.promised(figures.meter.index, seat, level);
    const short = builder.view.resources.find((each) => each.name === resource);
    const total = short?.totalLoad() ?? 0;
    limits.push({
      point: figures.point.name,
      unit: figures.point.unit,
      mode: inForce === undefined ? "observe" : "enforce",
      ratePerSec: limit.ratePerSec,
      throughputPerSec: pair.throughputPerSec,
      waiting: pair.waiting,
      policy,
      resource,
      runnerUp: pair.runnerUp,
      promisedPerSec: promised > 0 ? promised : null,
      slowdown: short?.slowdown ?? null,
      share: short === undefined ? null : total > 0 ? short.loads[v] / total : 0,
      tightness: limit.ratePerSec / (figures.point.throughputs[v] + figures.pendingPerSec[v] + Number.MIN_VALUE),
    });
  }
  limits.sort((a, b) => Number(b.mode === "enforce") - Number(a.mode === "enforce") || a.tightness - b.tightness);
  return limits.map(({ tightness: _, ...limit }) => limit);
}

/** Is the limit nobody's trouble: nothing waits, and a tenth of it at the least is unused? */
function leavesRoom({ waiting, throughputPerSec, ratePerSec }: LimitExplanation): boolean {
  return waiting < 0.5 && throughputPerSec < 0.9 * ratePerSec;
}

function limitSentence(tenant: string, limit: LimitExplanation, verb: string): string {
  const waiting =
    limit.waiting >= 0.5
      ? `, where ${plural(Math.round(limit.waiting), "request")} of it wait${limit.waiting < 1.5 ? "s" : ""} now`
      : leavesRoom(limit)
        ? `, and does ${figure(limit.throughputPerSec)}`
        : "";
  const rate = `to ${figure(limit.ratePerSec)} ${limit.unit || "cost units"} per second at ${limit.point}`;
  if (limit.resource === null) return `${tenant} ${verb} ${rate}${waiting}, by ${limit.policy}.`;
  const because =
    limit.slowdown === null
      ? `because of ${limit.resource}`
      : limit.slowdown < CALM
        ? `because ${limit.resource} was overloaded; that is over, and the rate grows back`
        : `because ${limit.resource} is ${figure(limit.slowdown)} times as slow as when calm and ${tenant} makes up ${Math.round(100 * (limit.share ?? 0))} % of its load`;
  return `${tenant} ${verb} ${rate}${waiting}, by ${limit.policy}, ${because}.`;
}

/** What else bears on this limit: a promise that lifts it, the rule that comes next. */
function besides({ unit, ratePerSec, promisedPerSec, runnerUp }: LimitExplanation): string[] {
  const said: string[] = [];
  const units = unit || "cost units";
  // A rate that is just what is promised would be lower.
  if (promisedPerSec !== null && ratePerSec <= promisedPerSec * 1.000001)
    said.push(`It is promised ${figure(promisedPerSec)} ${units} per second there, and is not held to less.`);
  if (runnerUp !== null)
    said.push(`Without that rule, ${runnerUp.policy} would hold it to ${figure(runnerUp.ratePerSec)} ${units} per second.`);
  return said;
}

/** The policy's own advice; that against any rule that shares by weight where it has none. */
function remedy(v: number, limit: LimitExplanation, { builder, loop, settings }: Described): string {
  const { view } = builder;
  const tenant = view.tenants[v];
  const resource = view.resources.find(({ name }) => name === limit.resource);
  const point = view.points.find(({ name }) => name === limit.point);
  const policy = loop.wanted.find((each) => each.policy.name === limit.policy)?.policy;
  try {
    if (policy?.remedy !== undefined && point !== undefined) return policy.remedy({ tenant, point, resource, view });
  } catch {
    // Whoever wrote the policy will hear of its faults elsewhere; here somebody needs an answer.
  }
  const rival = limit.resource === null ? undefined : largestOther(tenant.id, limit.resource, builder);
  const ask = limit.resource === null ? "fewer or cheaper requests" : `requests that need less of ${limit.resource}`;
  const more = limit.resource === null ? "" : `, or more capacity behind ${limit.resource}`;
  const others = rival === undefined ? "" : ` (next in line is ${rival.id} with ${Math.round(100 * rival.share)} %)`;
  return `${ask}, a higher weight (now ${figure(settings.weight(tenant.id))})${others}${more}`;
}

function largestOther(
  tenant: string,
  resource: string,
  builder: Described["builder"],
): { id: string; share: number } | undefined {
  const short = builder.view.resources.find((each) => each.name === resource);
  if (short === undefined) return undefined;
  const total = short.totalLoad();
  let best: { id: string; share: number } | undefined;
  for (const other of builder.view.tenants) {
    const share = total > 0 ? short.loads[other.index] / total : 0;
    if (other.id !== tenant && share > (best?.share ?? 0)) best = { id: other.id, share };
  }
  return best;
}

/** Not limited, and yet slow? The slowest resource it uses, and who crowds it. */
function crowding(tenant: string, v: number, { builder }: Described): string[] {
  const used = builder.view.resources.filter((resource) => resource.loads[v] > 0 || resource.demands[v] > 0);
  const worst = used.reduce<(typeof used)[number] | undefined>(
    (a, b) => (a === undefined || b.slowdown > a.slowdown ? b : a),
    undefined,
  );
  if (worst === undefined) return ["It uses no measured resource now."];
  if (worst.slowdown < CALM) return ["All resources it uses are calm."];
  const rival = largestOther(tenant, worst.name, builder);
  const share = worst.totalLoad() > 0 ? worst.loads[v] / worst.totalLoad() : 0;
  const crowd = rival === undefined ? "nobody else uses it" : `${rival.id} makes up ${Math.round(100 * rival.share)} %`;
  return [
    `The slowest resource it uses is ${worst.name}, ${figure(worst.slowdown)} times as slow as when calm; ${tenant} makes up ${Math.round(100 * share)} % of its load, ${crowd}.`,
  ];
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Three digits are enough for people. */
function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
