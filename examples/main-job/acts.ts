/** What can be shown: for each policy, who takes part, under which configuration, and what the policy is held to. */
import { fileURLToPath } from "node:url";
import { type Phase, percent } from "./story.js";
import { INTERACTIVE, P99_TARGET_MS, type TenantName } from "./workload.js";

/** One thing the policy is held to, as measured. */
export interface Held {
  /** What the figure is called in `--json`. */
  key: string;
  what: string;
  value: number;
  bound: string;
  met: boolean;
}

export interface Act {
  readonly title: string;
  /** The controller's configuration. */
  readonly config: string;
  /** Who plays, from the first phase on; and who floods, from the second. */
  readonly calm: readonly TenantName[];
  readonly floods: readonly TenantName[];
  /** The resource that figures are of; absent: whichever was busiest in the flood. */
  readonly bottleneck?: string;
  /** Seconds of each phase, and of those the first that are not measured, unless told otherwise. */
  readonly phaseSec: number;
  readonly leadInSec: number;
  /** Requests a storage has in its hands, per thread and per connection: what else comes waits its turn before them. */
  readonly slots: number;
  /** What the enforced policy did, as the end of a sentence that begins with what came of the interactive tenants. */
  outcome(phases: readonly Phase[]): string;
  verdict(phases: readonly Phase[]): Held[];
}

const CALM = ["ada", "bob", "nightly"] as const;
/** One works and two wait: so none is ever without work, and who waits before them is served by fair queuing. */
const BEFORE_ONE_QUEUE = { calm: CALM, floods: ["crawler"], phaseSec: 25, leadInSec: 10, slots: 3 } as const;

const bottleneckFairness: Act = {
  title: "one tenant floods, and the controller makes it fair again",
  config: configFile("tenantry"),
  ...BEFORE_ONE_QUEUE,
  outcome: (phases) => {
    const { tenants, bottleneck } = phases[2];
    const { throughputPerSec, share, busy, fairBusy } = tenants.crawler;
    return (
      `while crawler still got ${Math.round(throughputPerSec)} requests/s, ${percent(share)} of ${bottleneck} ` +
      `(${percent(busy / fairBusy)} of its max-min fair share), which stayed ${percent(busyAgainstObserved(phases))} as busy as in the flood`
    );
  },
  verdict(phases) {
    const { busy, fairBusy } = phases[2].tenants.crawler;
    return [
      atMost("p99AgainstCalm", "interactive p99, enforced / calm (worst)", p99AgainstCalm(phases), 3),
      atLeast("p99Improvement", "interactive p99, flood / enforced (worst)", p99Improvement(phases), 4),
      around("aggressorAgainstFair", "aggressor / its max-min share", busy / fairBusy, 0.15),
      atLeast("busyAgainstObserved", "bottleneck busy, enforced / flood", busyAgainstObserved(phases), 0.85),
    ];
  },
};

const latencySlo: Act = {
  title: "two tenants have a latency objective, and keep it while another floods",
  config: configFile("latency-slo"),
  ...BEFORE_ONE_QUEUE,
  outcome: (phases) => {
    const { tenants, bottleneck } = phases[2];
    const { throughputPerSec, share } = tenants.crawler;
    return (
      `where ${P99_TARGET_MS} ms were promised, while crawler, who was promised nothing, got ${Math.round(throughputPerSec)} requests/s, ` +
      `${percent(share)} of ${bottleneck}, which stayed ${percent(busyAgainstObserved(phases))} as busy as in the flood`
    );
  },
  verdict(phases) {
    const worst = Math.max(...INTERACTIVE.map((name) => phases[2].tenants[name].p99Ms));
    return [
      atMost("p99AgainstTarget", `interactive p99, enforced / ${P99_TARGET_MS} ms promised (worst)`, worst / P99_TARGET_MS, 1),
      atLeast("p99Improvement", "interactive p99, flood / enforced (worst)", p99Improvement(phases), 4),
      atLeast("busyAgainstObserved", "bottleneck busy, enforced / flood", busyAgainstObserved(phases), 0.75),
    ];
  },
};

const dominantResourceFairness: Act = {
  title: "two tenants flood different resources, and have equal dominant shares",
  config: configFile("dominant-resource-fairness"),
  calm: CALM,
  floods: ["crawler", "invoices"],
  // Two are full; this is the one that everybody shares.
  bottleneck: "storage/workers",
  // Shares move by a few per cent a window, and both resources must be seen to be full first.
  phaseSec: 45,
  leadInSec: 25,
  // How much is wanted of either resource is told by the line before it, and only there.
  slots: 8,
  outcome: (phases) => {
    const of = (name: TenantName) => {
      const { dominant } = phases[2].tenants[name];
      return `${percent(dominant.share)} of ${dominant.resource}`;
    };
    return `while crawler had ${of("crawler")} and invoices ${of("invoices")}, of what each leans on most`;
  },
  verdict(phases) {
    const dominant = (name: TenantName) => phases[2].tenants[name].dominant;
    const [one, other] = [dominant("crawler"), dominant("invoices")];
    return [
      around("dominantShares", "dominant share of crawler / of invoices", one.share / other.share, 0.25),
      atLeast("p99Improvement", "interactive p99, flood / enforced (worst)", p99Improvement(phases), 4),
      atLeast("busyAgainstObserved", "bottleneck busy, enforced / flood", busyAgainstObserved(phases), 0.85),
    ];
  },
};

/** By the name that `--policy` takes. */
export const ACTS: Readonly<Record<string, Act>> = {
  "bottleneck-fairness": bottleneckFairness,
  "latency-slo": latencySlo,
  "dominant-resource-fairness": dominantResourceFairness,
};

function p99AgainstCalm([calm, , enforced]: readonly Phase[]): number {
  return Math.max(...INTERACTIVE.map((name) => enforced.tenants[name].p99Ms / calm.tenants[name].p99Ms));
}

function p99Improvement([, observed, enforced]: readonly Phase[]): number {
  return Math.min(...INTERACTIVE.map((name) => observed.tenants[name].p99Ms / enforced.tenants[name].p99Ms));
}

function busyAgainstObserved([, observed, enforced]: readonly Phase[]): number {
  return enforced.utilisation / observed.utilisation;
}

function atMost(key: string, what: string, value: number, most: number): Held {
  return { key, what, value, bound: `≤ ${most}`, met: value <= most };
}

function atLeast(key: string, what: string, value: number, least: number): Held {
  return { key, what, value, bound: `≥ ${least}`, met: value >= least };
}

function around(key: string, what: string, value: number, by: number): Held {
  return { key, what, value, bound: `${1 - by} … ${1 + by}`, met: Math.abs(value - 1) <= by };
}

/** The sources stand beside the built programs: examples/… and dist/examples/…. */
function configFile(name: string): string {
  return fileURLToPath(new URL(`../../../examples/main-job/${name}.yaml`, import.meta.url));
}
