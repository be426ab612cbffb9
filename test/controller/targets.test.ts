/** A latency target that no limit on others could meet is noticed and said, and nothing else is. */
import { describe, expect, test } from "vitest";
import { latencyBucket } from "../../proto/histogram.js";
import { bench, FakeAgent, type Happenings } from "./harness.js";

function setup(p99TargetUs = 1_000) {
  const { controller, run, events } = bench({ config: { tenants: { a: { p99TargetUs }, b: {} } } });
  const agent = new FakeAgent(controller, "svc", "a").connect();
  /** One window in which 99 of 100 of a's requests take `p99Us`. */
  const windows = (count: number, p99Us: number, happenings: { waitUs?: number; waiting?: number } = {}) => {
    const { waitUs = 0, waiting = 0 } = happenings;
    const told: Happenings = {
      "r:disk": { a: { count: 10, serviceUs: 20_000, waitUs } },
      "p:front": { a: { count: 10, cost: 10, waiting, latencies: { [latencyBucket(p99Us)]: 10 } } },
    };
    for (let i = 0; i < count; i++) {
      agent.report(told, { feeds: [["svc/front", "r:disk"]] });
      run(1);
    }
  };
  const said = () => events.filter(({ kind }) => kind === "target").map(({ message }) => message);
  const shown = () => controller.view().tenants.find(({ id }) => id === "a")?.outOfReach ?? null;
  return { controller, windows, said, shown };
}

describe("out of reach is a target", () => {
  test("that is missed five windows long though nothing is crowded: said once, shown, explained, with what to write", () => {
    const { controller, windows, said, shown } = setup();
    windows(4, 2_000);
    expect(shown()).toBe(null);
    windows(8, 2_000);
    expect(said()).toHaveLength(1);
    expect(said()[0]).toMatch(
      /^a misses its target of 1 ms at svc\/front, where 99 of 100 of its requests take 2\.\d\d? ms though .* set p99TargetUs to \d{4} or more, or/,
    );
    expect(shown()).toMatchObject({ point: "svc/front" });
    expect(controller.explain("a").sentence).toContain("a misses its target of 1 ms at svc/front");
    // Said again only for another target, and not while it is met.
    controller.setTenant("a", { p99TargetUs: 1_500 });
    windows(6, 2_000);
    expect(said()).toHaveLength(2);
    controller.setTenant("a", { p99TargetUs: 5_000 });
    windows(1, 2_000);
    expect(shown()).toBe(null);
  });

  test("not one that is missed because a resource is crowded", () => {
    const { windows, said } = setup();
    windows(15, 20_000, { waitUs: 400_000 });
    expect(said()).toEqual([]);
  });

  test("not one that is missed because its requests wait for slots", () => {
    const { windows, said } = setup();
    windows(15, 20_000, { waiting: 3 });
    expect(said()).toEqual([]);
  });

  test("not one that is met, nor that of a tenant that has been idle since", () => {
    const { windows, said, shown } = setup();
    windows(15, 900);
    expect(said()).toEqual([]);
    expect(shown()).toBe(null);
  });
});
