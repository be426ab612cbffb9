/** A cap of zero lets nothing through: of such a pair there is no ratio of rate and use, and no policy may stumble over it. */
import { expect, test } from "vitest";
import { latencySlo, POLICIES, Point, Resource, type Tenant, type View } from "../../policies/index.js";

function withOneShut(): View {
  const tenants: Tenant[] = [
    { index: 0, id: "objective", weight: 1, terms: { p99TargetUs: 10_000 } },
    { index: 1, id: "flood", weight: 1 },
    { index: 2, id: "shut", weight: 1, terms: { caps: { "svc/front": 0 } } },
  ];
  const disk = new Resource(0, "svc/disk", "us", 3);
  disk.slowdown = 30;
  disk.calmServiceUs = 1_000;
  disk.loads.set([50_000, 900_000, 0]);
  disk.demands.set([50_000, 1_800_000, 0]);
  disk.latenciesUs.set([30_000, 30_000, 0]);
  const front = new Point(0, "svc/front", "requests", 3, 1);
  front.fed[0] = 1;
  front.throughputs.set([50, 900, 0]);
  front.totalThroughput = 950;
  front.p99sUs.set([40_000, 40_000, 0]);
  front.waitings.set([0, 900, 20]);
  front.rates.set([Number.NaN, 950, 0]);
  front.reasons.set([-1, 0, -1]);
  return { windowUs: 1_000_000, tenants, resources: [disk], points: [front] };
}

test.each(POLICIES.map((policy) => [policy.name, policy] as const))(
  "%s decides finite rates where one is shut out",
  (_name, policy) => {
    const view = withOneShut();
    policy.decide(view, policy.params).forEach((_point, _tenant, rate) => {
      expect(rate).toBeGreaterThanOrEqual(0);
      expect(rate).toBeLessThan(Number.POSITIVE_INFINITY);
    });
  },
);

test("an objective is still kept at the cost of the flood", () => {
  const view = withOneShut();
  const rates = latencySlo.decide(view, latencySlo.params);
  expect(rates.get(view.points[0], view.tenants[1])).toBeLessThan(900);
});
