/**
 * Policies beside what is in force: what each wants, and what would be other than it is, were its limits in force as well.
 * For one that is only observed this is the question before it is turned on; one that is enforced differs only where the mode
 * of a point or a tenant keeps it out.
 */
import { type Described, emptyRecord } from "./describe.js";
import type { Wanted } from "./policy-loop.js";
import type { PolicySnapshot } from "./snapshot.js";

export function describePolicies(described: Described): PolicySnapshot[] {
  const { loop, settings } = described;
  const decisive = new Float64Array(loop.wanted.length);
  loop.inForce.forEach((_point, _seat, _rate, policy) => {
    if (policy >= 0) decisive[policy]++;
  });
  return loop.wanted.map((wanted, index) => ({
    name: wanted.policy.name,
    mode: settings.policyMode(wanted.policy),
    params: { ...settings.params(wanted.policy) },
    stacked: settings.config.stack.includes(wanted.policy.name),
    limits: wanted.limits.size,
    decisive: decisive[index],
    ...compared(wanted, described),
    refused: wanted.refused ?? null,
    origin: wanted.policy.origin ?? null,
  }));
}

function compared({ limits }: Wanted, { builder, loop, meters }: Described): Pick<PolicySnapshot, "tenants" | "apart"> {
  const limited = new Set<number>();
  const tighter = new Set<number>();
  const lessPerSec: Record<string, number> = emptyRecord();
  const pointAt = new Map(builder.points.map(({ meter, point }) => [meter.index, point]));
  limits.forEach((meter, seat, ratePerSec) => {
    limited.add(seat);
    const v = builder.indexOf(seat);
    const point = pointAt.get(meter);
    const name = meters.at(meter)?.name;
    if (v < 0 || point === undefined || name === undefined) return;
    const rate = loop.inForce.rate(meter, seat);
    // What agrees but for rounding is no difference.
    if (ratePerSec >= rate * (1 - 1e-6)) return;
    tighter.add(seat);
    const less = point.throughputs[v] - ratePerSec;
    if (less > 0) lessPerSec[name] = (lessPerSec[name] ?? 0) + less;
  });
  return { tenants: limited.size, apart: { tenants: tighter.size, lessPerSec } };
}
