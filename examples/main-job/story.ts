/** The story of a run: its figures, and the three sentences that tell them. */
import type { Figures } from "./measure.js";
import { AGGRESSOR, INTERACTIVE, type TenantName } from "./workload.js";

export interface Phase extends Figures {
  name: "calm" | "flood observed" | "flood enforced";
}

/** What the policy is held to, as measured. */
export interface Verdict {
  /** Worst over the interactive tenants: p99 enforced / p99 in calm. */
  p99AgainstCalm: number;
  /** Worst over the interactive tenants: p99 observed / p99 enforced. */
  p99Improvement: number;
  /** What the aggressor got of the bottleneck / its weighted max-min share of what the bottleneck did. */
  aggressorAgainstFair: number;
  /** The bottleneck, enforced / observed. */
  busyAgainstObserved: number;
}

export function verdictOf([calm, observed, enforced]: readonly Phase[]): Verdict {
  const p99 = (phase: Phase, name: TenantName) => phase.tenants[name].p99Ms;
  const aggressor = enforced.tenants[AGGRESSOR];
  return {
    p99AgainstCalm: Math.max(...INTERACTIVE.map((name) => p99(enforced, name) / p99(calm, name))),
    p99Improvement: Math.min(...INTERACTIVE.map((name) => p99(observed, name) / p99(enforced, name))),
    aggressorAgainstFair: aggressor.busy / aggressor.fairBusy,
    busyAgainstObserved: enforced.utilisation / observed.utilisation,
  };
}

/** What happened, in three sentences. */
export function sentences(phases: readonly Phase[]): string[] {
  const [calm, observed, enforced] = phases;
  const verdict = verdictOf(phases);
  const [one, other] = INTERACTIVE;
  const p99s = (phase: Phase) => `${ms(phase.tenants[one].p99Ms)} and ${ms(phase.tenants[other].p99Ms)}`;
  const { share, throughputPerSec } = enforced.tenants[AGGRESSOR];
  return [
    `In calm ${one} and ${other} had their pages within ${p99s(calm)} (p99), with ${calm.bottleneck} ${percent(calm.utilisation)} busy.`,
    `When ${AGGRESSOR} flooded and the policy only watched, that rose to ${p99s(observed)}, ` +
      `since ${AGGRESSOR} took ${percent(observed.tenants[AGGRESSOR].share)} of ${observed.bottleneck} and filled its queue.`,
    `With bottleneck fairness enforced it came back to ${p99s(enforced)}, at most ${times(verdict.p99AgainstCalm)} calm and at least ` +
      `${times(verdict.p99Improvement)} better than in the flood, while ${AGGRESSOR} still got ${Math.round(throughputPerSec)} requests/s, ` +
      `${percent(share)} of ${enforced.bottleneck} (${percent(verdict.aggressorAgainstFair)} of its max-min fair share), ` +
      `which stayed ${percent(verdict.busyAgainstObserved)} as busy as in the flood.`,
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

function times(factor: number): string {
  return `${factor.toFixed(1)}×`;
}
