import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVEN_PART, FALLBACK_EVEN_PART, growWithin, JOINER, type Sharer, shareOut } from "../../controller/split.js";
import { definePolicy, Rates } from "../../policies/index.js";
import type { Allocation } from "../../proto/messages.js";
import { bench, FakeAgent, rateIn } from "./harness.js";

const demands = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-6, max: 1e6, noNaN: true })), {
  minLength: 1,
  maxLength: 40,
});
const rate = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true }));

/** One pair over these instances, as columns of one row each. */
function onePair({ demands, shares, outstanding }: { demands?: number[]; shares?: number[]; outstanding?: number[] }): Sharer[] {
  const { length } = demands ?? shares ?? [];
  return Array.from({ length }, (_, i) => ({
    pairOf: undefined,
    demands: Float64Array.of(demands?.[i] ?? 0),
    shares: Float64Array.of(shares?.[i] ?? 0),
    outstanding: Float64Array.of(outstanding?.[i] ?? JOINER),
    grants: new Float64Array(1),
  }));
}

const zeros = (size: number) => new Float64Array(size);

function shares(total: number, wants: number[], even = EVEN_PART): number[] {
  const sharers = onePair({ demands: wants });
  shareOut(Float64Array.of(total), sharers, even, zeros);
  return sharers.map((sharer) => sharer.shares[0]);
}

function grown(
  { rate, ceiling, lingering }: { rate: number; ceiling: number; lingering: number },
  wants: number[],
  outstanding: number[],
): number[] {
  const sharers = onePair({ shares: wants, outstanding });
  const pairs = { rates: Float64Array.of(rate), ceilings: Float64Array.of(ceiling), lingering: Float64Array.of(lingering) };
  growWithin(pairs, sharers, zeros);
  return sharers.map(({ grants }) => grants[0]);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

describe("shares", () => {
  test("never pass the rate, are never negative, and leave a reserve", () => {
    fc.assert(
      fc.property(rate, demands, fc.constantFrom(EVEN_PART, FALLBACK_EVEN_PART), (total, wants, even) => {
        const out = shares(total, wants, even);
        expect(Math.min(...out)).toBeGreaterThanOrEqual(0);
        expect(sum(out)).toBeLessThanOrEqual(0.99 * total * (1 + 1e-9));
        expect(sum(out)).toBeGreaterThanOrEqual(0.99 * total * (1 - 1e-9));
      }),
    );
  });

  test("under any skew at least 90 % of the rate is usable: Σ min(share, demand) when demand is enough", () => {
    fc.assert(
      fc.property(rate, demands, (total, wants) => {
        if (sum(wants) < 1e-9) return;
        // Demand is scaled so that together it is just the rate.
        const scaled = wants.map((want) => (want / sum(wants)) * total);
        const out = shares(total, scaled);
        expect(sum(out.map((share, i) => Math.min(share, scaled[i])))).toBeGreaterThanOrEqual(0.9 * total * (1 - 1e-9));
      }),
    );
  });

  test("the one hot instance of ten gets 94 % of the rate", () => {
    expect(shares(100, [5, 0, 0, 0, 0, 0, 0, 0, 0, 0])[0]).toBeGreaterThan(94);
  });

  test("without demand anywhere they are even", () => {
    expect(shares(100, [0, 0, 0, 0])).toEqual([24.75, 24.75, 24.75, 24.75]);
  });
});

describe("shrink, then grow", () => {
  const outstanding = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(JOINER));

  test("what may be in use together never passes the rate, or what it was when that was more", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1_000), outstanding), { minLength: 1, maxLength: 20 }),
        fc.nat(100),
        fc.nat(500),
        (members, lingering, total) => {
          const out = members.map(([, value]) => value);
          const wants = shares(
            total,
            members.map(([want]) => want),
          );
          const before = sum(out.map((value) => Math.max(value, 0))) + lingering;
          const ceiling = Math.max(total, before / 0.99);
          const grants = grown({ rate: total, ceiling, lingering }, wants, out);
          const inUse = sum(out.map((value, i) => Math.max(value, grants[i]))) + lingering;
          expect(inUse).toBeLessThanOrEqual(Math.max(total, ceiling) * (1 + 1e-9));
          grants.forEach((grant, i) => {
            expect(grant).toBeGreaterThanOrEqual(0);
            expect(grant).toBeLessThanOrEqual(wants[i] * (1 + 1e-9));
          });
        },
      ),
    );
  });

  test("a joiner during a cut gets something, since zero would turn all its requests away", () => {
    expect(grown({ rate: 50, ceiling: 100, lingering: 0 }, [22, 22, 5], [49, 49, JOINER])).toEqual([22, 22, 2]);
  });

  test("instances that were unlimited until now get their shares at once", () => {
    expect(grown({ rate: 100, ceiling: 100, lingering: 0 }, [49, 49], [JOINER, JOINER])).toEqual([49, 49]);
  });
});

type Act =
  | { kind: "report"; agent: number; demand: number }
  | { kind: "receive" | "cut" | "connect" | "restart"; agent: number }
  | { kind: "rate"; value: number }
  | { kind: "windows"; count: number };

const acts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("report" as const), agent: fc.nat(3), demand: fc.nat(200) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("receive" as const), agent: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "connect" as const), agent: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("rate" as const), value: fc.integer({ min: 10, max: 1_000 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("windows" as const), count: fc.constantFrom(0.1, 0.5, 1) }) },
  ),
  { minLength: 20, maxLength: 150 },
);

describe("over the real controller, whatever is late, lost or cut", () => {
  test("leases in force never sum to more than the highest rate decided while any of them ran", () => {
    fc.assert(
      fc.property(acts, (script: Act[]) => {
        let wanted = 100;
        const scripted = definePolicy({
          name: "scripted",
          params: {},
          decide: (view) => {
            const rates = new Rates(view);
            for (const point of view.points) for (const tenant of view.tenants) rates.limit(point, tenant, wanted);
            return rates;
          },
        });
        const { controller, clock, run } = bench({ policies: [scripted] });
        const decided: { atUs: number; rate: number }[] = [{ atUs: 0, rate: wanted }];
        const agents = Array.from({ length: 4 }, (_, i) => new FakeAgent(controller, "svc", `i${i}`));
        const expires = new Map<FakeAgent, number>();
        const received = new Map<FakeAgent, number>();
        for (const agent of agents) {
          agent.acknowledges = false;
          agent.connect();
        }
        const receive = (agent: FakeAgent) => {
          const next = agent.allocations[received.get(agent) ?? 0];
          if (next === undefined) return;
          received.set(agent, (received.get(agent) ?? 0) + 1);
          agent.held = next;
          expires.set(agent, clock.nowUs() + next.ttlUs);
        };
        const inForce = (agent: FakeAgent): Allocation | undefined =>
          (expires.get(agent) ?? 0) > clock.nowUs() ? agent.held : undefined;
        for (const act of script) {
          if (act.kind === "windows") run(act.count);
          else if (act.kind === "rate") {
            wanted = act.value;
            decided.push({ atUs: clock.nowUs(), rate: wanted });
          } else {
            const agent = agents[act.agent];
            if (act.kind === "report") agent.report({ "p:front": { t: { count: act.demand, cost: act.demand } } });
            else if (act.kind === "receive") receive(agent);
            else if (act.kind === "cut") {
              agent.cut();
              // What was under way is gone with the stream.
              received.set(agent, agent.allocations.length);
            } else if (agent.session === undefined) agent.connect(inForce(agent));
          }
          // A rate is decided up to a window after it was wished for, and outlives its successor by two leases at most.
          const sinceUs = clock.nowUs() - 12_000_000;
          const live = decided.filter(
            ({ atUs }, i) => atUs >= sinceUs || (decided[i + 1]?.atUs ?? Number.POSITIVE_INFINITY) >= sinceUs,
          );
          const most = Math.max(...live.map((each) => each.rate));
          const granted = sum(agents.map((agent) => rateIn(inForce(agent), "svc/front", "t") ?? 0));
          expect(granted).toBeLessThanOrEqual(most * (1 + 1e-9));
          const fallback = sum(agents.map((agent) => rateIn(inForce(agent), "svc/front", "t", "fallbackPerSec") ?? 0));
          expect(fallback).toBeLessThanOrEqual(most * (1 + 1e-9));
        }
      }),
      { numRuns: 120 },
    );
  });
});
