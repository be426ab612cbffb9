/** The story of a run: its figures, and the three sentences that tell them. */
import type { Act } from "./acts.js";
import type { Figures } from "./measure.js";
import { INTERACTIVE } from "./workload.js";

export interface Phase extends Figures {
  name: "calm" | "flood observed" | "flood enforced";
}

/** What happened, in three sentences. */
export function sentences(phases: readonly Phase[], policy: string, act: Act): string[] {
  const [calm, observed, enforced] = phases;
  const [one, other] = INTERACTIVE;
  const p99s = (phase: Phase) => `${ms(phase.tenants[one].p99Ms)} and ${ms(phase.tenants[other].p99Ms)}`;
  const against = (phase: Phase, than: Phase) =>
    INTERACTIVE.map((name) => phase.tenants[name].p99Ms / than.tenants[name].p99Ms).sort((a, b) => a - b);
  const floods = act.floods.map((name) => {
    const { dominant } = observed.tenants[name];
    return `${name} took ${percent(dominant.share)} of ${dominant.resource}`;
  });
  return [
    `In calm ${one} and ${other} had their pages within ${p99s(calm)} (p99), with ${calm.bottleneck} ${percent(calm.utilisation)} busy.`,
    `When ${act.floods.join(" and ")} flooded and the policy only watched, that rose to ${p99s(observed)}, since ` +
      `${floods.join(" and ")}, and whoever came waited behind.`,
    `With ${policy} enforced it came back to ${p99s(enforced)}, at most ${times(against(enforced, calm)[1])} calm and at least ` +
      `${times(against(observed, enforced)[0])} better than in the flood, ${act.outcome(phases)}.`,
  ];
}

/** One line about a phase, for pipes. */
export function line(phase: Phase): string {
  const tenants = Object.entries(phase.tenants)
    .filter(([, { throughputPerSec }]) => throughputPerSec > 0)
    .map(
      ([name, { throughputPerSec, p99Ms, share }]) =>
        `${name} ${Math.round(throughputPerSec)}/s p99 ${ms(p99Ms)} ${percent(share)}`,
    );
  return `${phase.name}: ${tenants.join(" · ")} · ${phase.bottleneck} ${percent(phase.utilisation)} busy`;
}

export function ms(value: number): string {
  return Number.isNaN(value) ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}

export function times(factor: number): string {
  return `${factor.toFixed(1)}×`;
}
