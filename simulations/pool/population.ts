/**
 * Tenants like those of Azure Storage, as far as the 2DFQ paper tells: the costs of its twelve named tenants T1 … T12 and of ten
 * apis A … K are its own quantiles (µs of one thread). The traces behind them are not public; what stands below besides is ours:
 *
 *   a tenant uses 1 … 4 apis, half of them of the costly ones (E, F, G, H, K); of each it covers a stretch of the api's
 *   distribution, 5 % … 100 % of it, so that some tenants are steady and some erratic
 *   its demand is log-uniform over 1/8 … 8 times SHARE, what each of 269 tenants would get of 32 threads; requests come in bursts
 *   of 32 on average (geometric), bursts as a Poisson process. All together ask for about twice what 32 threads can do
 *   T1 … T12 ask for half of SHARE, one by one (Poisson): tenants within their rights, whose latency can be good
 *   t1 … t7 always have requests waiting, of fixed cost 2⁸, 2¹⁰ … 2²⁰
 *   an unpredictable tenant draws each request evenly from the ten apis, and its cost from all of that api's; its demand stays
 */
import type { Chance } from "../../proto/ports.js";
import { naturalLog, pick, SeededChance, standardNormal } from "../world/chance.js";
import { CostTable, type Quantiles } from "./quantiles.js";
import { type Backlogged, mergeArrivals, type RequestStream, type TimedStream, type Workload } from "./workload.js";

/** Published quantiles p1, p25, p50, p75, p99 of what a request costs, µs [figures 2, 7]. */
const APIS: Record<string, Quantiles> = {
  A: [347, 453, 502, 579, 1076],
  B: [326, 440, 520, 639, 1597],
  C: [490, 636, 797, 1272, 3253],
  D: [535, 709, 832, 963, 1884],
  E: [662, 943, 1157, 1819, 11034],
  F: [817, 1052, 1312, 2572, 26522],
  G: [326, 503, 1350, 2622, 2624948],
  H: [437, 1033, 1480, 15257, 56741],
  J: [1572, 1960, 2191, 2445, 3774],
  K: [1087, 2345, 13329, 29065, 40702],
};
const COSTLY = ["E", "F", "G", "H", "K"];

const NAMED: Record<string, Quantiles> = {
  T1: [318, 356, 382, 423, 657],
  T2: [275, 328, 439, 505, 889],
  T3: [406, 516, 616, 1227, 2843],
  T4: [598, 804, 867, 939, 1288],
  T5: [376, 962, 1387, 3580, 38559],
  T6: [440, 1266, 1446, 1621, 2354],
  T7: [383, 1122, 1500, 1953, 4938],
  T8: [351, 519, 1514, 2123, 3651],
  T9: [1149, 2623, 4781, 8890, 66679],
  T10: [478, 26948, 30183, 33258, 885920],
  T11: [18739, 33078, 39760, 44653, 53341],
  T12: [14392, 34414, 53113, 116296, 165823],
};

const COST_RANGE = { floor: 250, ceiling: 5e6 };
/** Cost units per second; 32·10⁶ / 269. */
export const SHARE = 119_000;
const BURST = 32;
/** Costs of t1 … t7: 2⁸, 2¹⁰ … 2²⁰. */
export const FIXED_COSTS: readonly number[] = [8, 10, 12, 14, 16, 18, 20].map((power) => 1 << power);

export const NAMED_TENANTS: readonly string[] = Object.keys(NAMED);
export const FIXED_TENANTS: readonly string[] = FIXED_COSTS.map((_, k) => `t${k + 1}`);

const API_NAMES = Object.keys(APIS);
const API_TABLES = Object.values(APIS).map((quantiles) => new CostTable(quantiles, COST_RANGE));
const NAMED_TABLES = Object.values(NAMED).map((quantiles) => new CostTable(quantiles, COST_RANGE));

export interface PopulationOptions {
  seed: number;
  /** Name of the run: the same seed gives each run a population of its own. */
  run: string;
  /** Tenants whose requests come at their own times, besides T1 … T12. */
  replayed: number;
  /** Of the replayed, how many draw each request from all apis. */
  unpredictable: number;
  untilUs: number;
  /** How much faster requests come. Default 1. */
  speed?: number;
  /** What each of T1 … T12 asks for, cost units per second. Default: half of SHARE, times speed. */
  namedDemand?: number;
  /** Tenants of the same kind that always have requests waiting. Default 0. */
  backlogged?: number;
  /** Tenants that always have requests of 0.1 … 1 s waiting. Default 0. */
  expensive?: number;
}

/** Part of an api's distribution that a tenant covers. */
interface Kind {
  api: number;
  table: CostTable;
  from: number;
  to: number;
  weight: number;
}

/** What one tenant asks for. */
class Profile {
  readonly mean: number;
  readonly kinds: readonly Kind[];
  readonly #weight: number;

  constructor(kinds: readonly Kind[]) {
    this.kinds = kinds;
    this.#weight = kinds.reduce((sum, kind) => sum + kind.weight, 0);
    this.mean = kinds.reduce((sum, { table, from, to, weight }) => sum + (weight / this.#weight) * table.mean(from, to), 0);
  }

  draw(chance: Chance, into: RequestStream): void {
    let at = chance.next() * this.#weight;
    let k = 0;
    while (k < this.kinds.length - 1 && at >= this.kinds[k].weight) at -= this.kinds[k++].weight;
    const { api, table, from, to } = this.kinds[k];
    into.api = api;
    into.cost = table.at(from + chance.next() * (to - from));
  }
}

/** What an unpredictable tenant draws from. */
const ANYTHING = new Profile(API_TABLES.map((table, api) => ({ api, table, from: 0, to: 1, weight: 1 })));

export interface Population extends Workload {
  /** Mean cost of a request by its tenant's profile, by tenant; of the unpredictable, by the apis'. */
  readonly meanCosts: Float64Array;
}

/** Tenants in this order: the replayed p1 …, T1 … T12, t1 … t7, the backlogged b1 …, the expensive e1 …. */
export function population(options: PopulationOptions): Population {
  const { seed, run, replayed, unpredictable, untilUs, speed = 1, backlogged = 0, expensive = 0 } = options;
  const { namedDemand = 0.5 * SHARE * speed } = options;
  const chanceOf = (what: string, name: string) => new SeededChance(seed, `${run}/${what}/${name}`);
  const numbered = (letter: string, count: number) => Array.from({ length: count }, (_, k) => `${letter}${k + 1}`);
  const timed = [...numbered("p", replayed), ...NAMED_TENANTS];
  const always = [...FIXED_TENANTS, ...numbered("b", backlogged), ...numbered("e", expensive)];
  const tenants = [...timed, ...always];
  const profiles = timed.map((name, k) => (k < replayed ? drawProfile(chanceOf("profile", name)) : namedProfile(k - replayed)));
  const demands = timed.map((name, k) => (k < replayed ? drawDemand(chanceOf("demand", name)) * SHARE * speed : namedDemand));
  const wild = new Set(shuffled(replayed, chanceOf("unpredictable", "")).slice(0, unpredictable));
  const meanCosts = Float64Array.from(tenants, (_, k) => (wild.has(k) ? ANYTHING.mean : (profiles[k]?.mean ?? 0)));

  const streams = timed.map((name, tenant): TimedStream => {
    const chance = chanceOf("load", name);
    const burst = tenant < replayed ? BURST : 1;
    const gapUs = (1e6 * meanCosts[tenant] * burst) / demands[tenant];
    const profile = profiles[tenant];
    return {
      tenant,
      requests: streamOf((into) => (wild.has(tenant) ? ANYTHING : profile).draw(chance, into)),
      gapUs() {
        if (burst > 1 && chance.next() * burst >= 1) return 0;
        return Math.round(-naturalLog(1 - chance.next()) * gapUs);
      },
    };
  });
  return {
    tenants,
    apis: [...API_NAMES, "fixed", "expensive"],
    arrivals: mergeArrivals(streams, untilUs),
    backlogged: always.map((name, k) => alwaysWaiting(chanceOf, name, timed.length + k)),
    meanCosts,
  };
}

function drawProfile(chance: Chance): Profile {
  return new Profile(
    Array.from({ length: 1 + pick(chance, 4) }, () => {
      const costly = chance.next() < 0.5;
      const api = costly ? API_NAMES.indexOf(COSTLY[pick(chance, COSTLY.length)]) : pick(chance, API_NAMES.length);
      const stretch = 0.05 + 0.95 * chance.next();
      const from = chance.next() * (1 - stretch);
      return { api, table: API_TABLES[api], from, to: from + stretch, weight: 0.1 + chance.next() };
    }),
  );
}

function namedProfile(k: number): Profile {
  return new Profile([{ api: k % API_NAMES.length, table: NAMED_TABLES[k], from: 0, to: 1, weight: 1 }]);
}

/** Log-uniform over 1/8 … 8. */
function drawDemand(chance: Chance): number {
  return Math.exp((2 * chance.next() - 1) * Math.log(8));
}

function alwaysWaiting(chanceOf: (what: string, name: string) => Chance, name: string, tenant: number): Backlogged {
  const k = Number(name.slice(1)) - 1;
  if (name[0] === "t") {
    const cost = FIXED_COSTS[k];
    return { tenant, stream: () => ({ api: API_NAMES.length, cost, next() {} }) };
  }
  if (name[0] === "b") {
    const profile = drawProfile(chanceOf("profile", name));
    return {
      tenant,
      stream() {
        const chance = chanceOf("load", name);
        return streamOf((into) => profile.draw(chance, into));
      },
    };
  }
  const mean = 1e5 * Math.exp(chanceOf("profile", name).next() * Math.LN10);
  return {
    tenant,
    stream() {
      const chance = chanceOf("load", name);
      return streamOf((into) => {
        into.api = API_NAMES.length + 1;
        into.cost = Math.max(1, Math.round(mean * (1 + 0.1 * standardNormal(chance))));
      });
    },
  };
}

function streamOf(draw: (into: RequestStream) => void): RequestStream {
  return {
    api: 0,
    cost: 0,
    next() {
      draw(this);
    },
  };
}

/** 0 … count − 1 in an order of chance. */
function shuffled(count: number, chance: Chance): number[] {
  const order = Array.from({ length: count }, (_, k) => k);
  for (let k = count - 1; k > 0; k--) {
    const other = pick(chance, k + 1);
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}
