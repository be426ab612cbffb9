import { describe, expect, test } from "vitest";
import { OVERFLOW, UNKNOWN } from "../../enforcement/index.js";
import { ViaTable } from "../../enforcement/via.js";
import { Service } from "./service.js";

const MINUTE = 60_000_000;

describe("the tenant table", () => {
  test("gives small handles, the same for the same name, and names back", () => {
    const { agent } = new Service();
    expect([agent.tenant("overflow"), agent.tenant("unknown")]).toEqual([OVERFLOW, UNKNOWN]);
    const a = agent.tenant("a");
    expect([a, agent.tenant("a"), agent.tenant("b"), agent.tenantName(a)]).toEqual([2, 2, 3, "a"]);
    for (const id of ["", " a", "a\n", "\u202Ea", "x".repeat(129), 7 as unknown as string]) {
      expect(() => agent.tenant(id)).toThrow(expect.objectContaining({ code: "BAD_TENANT" }));
    }
  });

  test("is bounded: ten thousand invented tenants share one overflow, told once", () => {
    const service = new Service({}, { maxTenants: 100, transport: undefined });
    const handles = new Set(Array.from({ length: 10_000 }, (_, i) => service.agent.tenant(`invented-${i}`)));
    expect([handles.size, service.agent.state.tenants, handles.has(OVERFLOW)]).toEqual([99, 100, true]);
    expect(service.kinds()).toEqual(["bounded"]);
  });

  test("who is idle for minutes gives its place to another, with nothing left of it", () => {
    const service = new Service({}, { maxTenants: 4, transport: undefined });
    const { agent, clock, point } = service;
    const gone = agent.tenant("gone");
    const busy = agent.tenant("busy");
    const running = service.submit("busy");
    expect(agent.tenant("new")).toBe(OVERFLOW);
    for (let i = 0; i < 2; i++) {
      clock.advance(MINUTE);
      agent.tenant("new");
    }
    expect([agent.tenant("new"), agent.tenantName(gone), agent.tenantName(busy)]).toEqual([gone, "new", "busy"]);
    clock.advance(10 * MINUTE);
    expect(agent.tenant("another")).toBe(OVERFLOW);
    point.complete(running);
  });

  test("is not forgotten while it has something unreported, waits, or was named lately; and takes no limit along", () => {
    const service = new Service({}, { maxTenants: 3 }).limited({ gone: 5 });
    const { agent, clock, controller, point } = service;
    const gone = agent.tenant("gone");
    service.point.complete(service.submit("gone"));
    const pass = (minutes: number) => {
      for (let i = 0; i < minutes * 60; i++) {
        clock.advance(1_000_000);
        if (controller.session.reports.length > agent.state.reportsAcknowledged) controller.acknowledge();
      }
    };
    expect(agent.tenant("new")).toBe(OVERFLOW);
    clock.advance(3 * MINUTE); // nothing acknowledged
    expect(agent.tenant("new")).toBe(OVERFLOW);
    controller.session.handlers.onClosed();
    clock.advance(10);
    controller.welcome();
    for (let minute = 0; minute < 3; minute++) {
      pass(1);
      agent.tenant("gone");
      expect(agent.tenant("new")).toBe(OVERFLOW);
    }
    for (let minute = 0; minute < 2; minute++) {
      pass(1.1);
      agent.tenant("new");
    }
    expect([agent.tenant("new"), agent.tenantName(gone), point.ratePerSec(gone)]).toEqual([
      gone,
      "new",
      Number.POSITIVE_INFINITY,
    ]);
    point.complete(service.submit("new"));
    clock.advance(1_000_000);
    expect(controller.session.last.tenants).toEqual([{ index: gone, name: "new" }]);
  });
});

test("via sets are interned, bounded, and hold only logical names", () => {
  const vias = new ViaTable();
  const one = vias.intern(["b/x", "a/y", "b/x", "nonsense", "a/y/z"]);
  expect([vias.names(one), vias.intern(["a/y", "b/x"]), vias.intern([]), vias.names(999)]).toEqual([["a/y", "b/x"], one, 0, []]);
  expect(vias.names(vias.intern(Array.from({ length: 40 }, (_, i) => `s/p${i}`)))).toHaveLength(16);
  const all = new Set(Array.from({ length: 5_000 }, (_, i) => vias.intern([`s/q${i}`])));
  expect([all.size <= 1_024, all.has(0)]).toEqual([true, true]);
});
