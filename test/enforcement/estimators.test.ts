/** What jobs are taken to cost, and what those of a kind nobody has seen. */
import { describe, expect, test } from "vitest";
import { createEstimator, type Estimator, type EstimatorKind } from "../../enforcement/schedulers/estimators.js";
import { Ticket } from "../../enforcement/schedulers/ticket.js";

const LEARNED = ["moving-average", "pessimistic"] as const;

function estimate(estimator: Estimator, tenant: number, api?: string, declared?: number): number {
  const ticket = new Ticket(tenant, api, declared);
  ticket.apiIndex = estimator.apiIndex(api);
  return estimator.estimate(ticket);
}

function completed(estimator: Estimator, tenant: number, api: string | undefined, ...costs: number[]): void {
  for (const cost of costs) estimator.observe(tenant, estimator.apiIndex(api), cost);
}

describe.each(LEARNED)("%s", (kind: EstimatorKind) => {
  test("what is unknown: the api of all tenants, then a high quantile of all there was, then the configured cost", () => {
    const estimator = createEstimator(kind, { initialCost: 77 });
    expect(estimate(estimator, 1, "Get")).toBe(77);
    completed(estimator, 2, "Put", ...new Array(80).fill(100), ...new Array(20).fill(1_000));
    const unknown = estimate(estimator, 1, "Get");
    expect(unknown).toBeGreaterThanOrEqual(1_000);
    expect(unknown).toBeLessThanOrEqual(1_125);
    completed(estimator, 2, "Get", 5);
    expect(estimate(estimator, 1, "Get")).toBe(5);
    completed(estimator, 1, "Get", 9);
    expect(estimate(estimator, 1, "Get")).toBe(9);
    expect(estimate(estimator, 2, "Get")).toBe(5);
  });

  test("a declared cost is believed only where that was agreed", () => {
    const agreed = createEstimator(kind, { believe: true });
    const not = createEstimator(kind, {});
    expect([estimate(agreed, 0, "x", 40), estimate(not, 0, "x", 40)]).toEqual([40, 1]);
  });

  test("a tenant that is forgotten leaves nothing to who has its index next", () => {
    const estimator = createEstimator(kind, {});
    completed(estimator, 4, "x", 10);
    completed(estimator, 3, "x", 1_000);
    estimator.forget(3);
    estimator.forget(99);
    expect(estimate(estimator, 3, "x")).toBe(estimate(estimator, 1_000_000, "x"));
    expect(estimate(estimator, 4, "x")).toBe(10);
  });

  test("a service may invent names of apis: those beyond the sixty-second share one", () => {
    const estimator = createEstimator(kind, {});
    const indices = Array.from({ length: 10_000 }, (_, i) => estimator.apiIndex(`api${i}`));
    expect(Math.max(...indices)).toBe(63);
    expect(new Set(indices).size).toBe(63);
    expect(estimator.apiIndex("api5")).toBe(indices[5]);
    expect(estimator.apiIndex(undefined)).toBe(0);
  });
});

test("the moving average is the plain mean at first, and then forgets by a hundredth", () => {
  const estimator = createEstimator("moving-average", {});
  completed(estimator, 0, "x", 10, 20, 30, 40);
  expect(estimate(estimator, 0, "x")).toBeCloseTo(25, 9);
  completed(estimator, 0, "x", ...new Array(396).fill(25));
  completed(estimator, 0, "x", 125);
  expect(estimate(estimator, 0, "x")).toBeCloseTo(26, 9);
});

test("the pessimistic estimate is the largest lately: at once when it grows, by a hundredth when it does not", () => {
  const estimator = createEstimator("pessimistic", {});
  completed(estimator, 0, "x", 10, 1_000);
  expect(estimate(estimator, 0, "x")).toBe(1_000);
  completed(estimator, 0, "x", 10, 10);
  expect(estimate(estimator, 0, "x")).toBeCloseTo(1_000 * 0.99 * 0.99, 9);
  completed(estimator, 0, "x", ...new Array(1_000).fill(10));
  expect(estimate(estimator, 0, "x")).toBe(10);
});

test("a tenant is not taken for small because its first job was: pessimists begin with what the api taught, others with the job", () => {
  for (const [kind, first, second] of [
    ["pessimistic", 990, 980.1],
    ["moving-average", 10, 10],
  ] as const) {
    const estimator = createEstimator(kind, {});
    completed(estimator, 1, "Get", 1_000);
    completed(estimator, 2, "Get", 10);
    expect(estimate(estimator, 2, "Get")).toBe(first);
    completed(estimator, 2, "Get", 10);
    expect(estimate(estimator, 2, "Get")).toBeCloseTo(second, 9);
    completed(estimator, 2, "Put", 10);
    expect(estimate(estimator, 2, "Put")).toBe(10);
  }
});

test("who sends most does not teach newcomers what an api costs: pessimists forget an api by tenants, not by jobs", () => {
  const estimator = createEstimator("pessimistic", {});
  for (let tenant = 0; tenant < 100; tenant++) completed(estimator, tenant, "Query", tenant === 50 ? 1_000_000 : 10);
  completed(estimator, 0, "Query", ...new Array(1_000).fill(10));
  // A thousand jobs are ten of each of the hundred tenants, so a tenth is forgotten, not everything.
  expect(estimate(estimator, 100, "Query")).toBeGreaterThan(0.89e6);
  expect(estimate(estimator, 0, "Query")).toBe(10);
  // And it is forgotten: by as many jobs per tenant as a tenant's own.
  for (let k = 0; k < 200_000; k++) completed(estimator, 0, "Query", 10);
  expect(estimate(estimator, 100, "Query")).toBe(10);
  // Tenants that left count no more: the one that stays is alone.
  for (let tenant = 1; tenant < 100; tenant++) estimator.forget(tenant);
  completed(estimator, 0, "Query", 1_000, 10);
  expect(estimate(estimator, 100, "Query")).toBeCloseTo(990, 9);
});

test("what was seen long ago fades from the quantile", () => {
  const estimator = createEstimator("pessimistic", {});
  completed(estimator, 0, "old", ...new Array(1_000).fill(1e6));
  completed(estimator, 0, "new", ...new Array(20_000).fill(10));
  expect(estimate(estimator, 0, "never seen")).toBeLessThanOrEqual(12);
});

test("known is what is declared, else 1", () => {
  const estimator = createEstimator("known", { initialCost: 9 });
  completed(estimator, 0, "x", 50);
  expect([estimate(estimator, 0, "x", 7), estimate(estimator, 0, "x")]).toEqual([7, 1]);
});
