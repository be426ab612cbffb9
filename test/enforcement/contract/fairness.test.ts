/** How far behind an ideal server a scheduler may be, whether weights are honoured, and whether costs are settled to the last bit. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, SCHEDULER_KINDS, type SchedulerKind } from "../../../enforcement/index.js";
import { FluidServer } from "../fluid.js";
import { Pool } from "./pool.js";
import { PROMISES, type Promises } from "./promises.js";

/** Kinds that promise something, and tests by name of those that do not and why. */
function those(promise: keyof Promises): SchedulerKind[] {
  for (const kind of SCHEDULER_KINDS)
    if (PROMISES[kind][promise] !== true) test.skip(`not ${kind}: ${PROMISES[kind][promise]}`, () => {});
  return SCHEDULER_KINDS.filter((kind) => PROMISES[kind][promise] === true);
}

const weights = fc.array(fc.constantFrom(0.5, 1, 2, 4), { minLength: 6, maxLength: 6 });
const arrivals = fc.array(
  fc.record({ tenant: fc.nat(5), cost: fc.integer({ min: 1, max: 64 }), afterUs: fc.integer({ min: 0, max: 40 }) }),
  { minLength: 1, maxLength: 150 },
);

describe("never behind the fluid server by more than n jobs of the largest size, whatever comes, seen at every event", () => {
  test.each(those("lag"))("%s", (kind) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), weights, arrivals, (slots, weights, arrivals) => {
        const pool = new Pool(kind, { slots, weights, estimator: "known" });
        const fluid = new FluidServer(slots * 1e6, (tenant) => weights[Number(tenant.slice(1))]);
        const most = slots * Math.max(...arrivals.map(({ cost }) => cost));
        const check = () => {
          fluid.advance(pool.nowUs);
          for (const [tenant, ideal] of fluid.served) {
            const lag = ideal - pool.served(tenant);
            pool.expect(lag <= most + 1e-6, () => `at ${pool.nowUs} µs ${tenant} is ${lag} behind, and ${most} is the most`);
          }
        };
        for (const { tenant, cost, afterUs } of arrivals) {
          pool.advance(afterUs, check);
          fluid.arrive(`t${tenant}`, cost, pool.nowUs);
          pool.arrive(`t${tenant}`, cost);
          check();
        }
        pool.advance(arrivals.length * 64, check);
      }),
      { numRuns: 100 },
    );
  });
});

describe("whoever is backlogged gets work in proportion to its weight", () => {
  test.each(those("weights"))("%s", (kind) => {
    const costs = fc.array(fc.integer({ min: 16, max: 64 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        weights,
        fc.array(costs, { minLength: 6, maxLength: 6 }),
        (slots, weights, costs) => {
          const pool = new Pool(kind, { slots, weights, estimator: "known" });
          const names = weights.map((_, i) => `t${i}`);
          // Enough of each that nobody runs dry: the clock stops when half of all is done.
          const share = 64 * 32 * slots;
          names.forEach((name, i) => {
            for (let sum = 0, j = 0; sum < 2 * share * weights[i]; j++) {
              const cost = costs[i][j % costs[i].length];
              pool.arrive(name, cost);
              sum += cost;
            }
          });
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          pool.advance((share * total) / slots);
          names.forEach((name, i) => {
            const got = pool.served(name) / weights[i];
            // Deficit round robin may have a quantum saved besides.
            const most = (64 * (slots + (kind === "drr" ? 2 : 1))) / Math.min(1, weights[i]);
            pool.expect(Math.abs(got - share) <= most, () => `${name} got ${got} by weight where ${share} is fair, ± ${most}`);
          });
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("refunds and surcharges are exact: what follows is as if the estimate had been right", () => {
  const power = (most: number) => fc.integer({ min: 0, max: most }).map((exponent) => 2 ** exponent);
  test.each(those("settled"))("%s", (kind) => {
    fc.assert(
      fc.property(
        fc.record({ estimate: power(12), actual: power(12), weight: power(2), told: fc.array(power(12), { maxLength: 3 }) }),
        fc.array(fc.record({ tenant: fc.constantFrom("a", "b", "x"), cost: power(6) }), { minLength: 5, maxLength: 30 }),
        ({ estimate, actual, weight, told }, backlog) => {
          /** Who is served after a job of x that was taken to cost so much was settled at what it did cost. */
          const servedAfter = (declared: number) => {
            const scheduler = createScheduler<Job & { name: number }>(kind, {
              slots: 2,
              estimator: "known",
              costUnitsPerSecPerSlot: 1e6,
              weightOf: (tenant) => (tenant === "x" ? weight : 1),
            });
            const job = { tenant: "x", cost: declared, name: -1 };
            scheduler.enqueue(job, 0);
            scheduler.dequeue(0, 0);
            backlog.forEach((each, name) => {
              scheduler.enqueue({ ...each, name }, 0);
            });
            let soFar = 0;
            for (const cost of told) {
              soFar = Math.min(actual, Math.max(soFar, cost));
              scheduler.charge(job, soFar, soFar);
            }
            scheduler.complete(job, actual, actual);
            return backlog.map(() => {
              const out = scheduler.dequeue(1, actual)!;
              scheduler.complete(out, out.cost!, actual);
              return out.name;
            });
          };
          expect(servedAfter(estimate)).toEqual(servedAfter(actual));
        },
      ),
      { numRuns: 200 },
    );
  });
});
