import { describe, expect, test } from "vitest";
import { allocationOf } from "./fake-controller.js";
import { Service } from "./service.js";

const SECOND = 1_000_000;

/** Connected, with one rate of 100/s and a fallback of 40/s under a lease of 3 s. */
function leased(options: ConstructorParameters<typeof Service>[1] = {}): Service {
  const service = new Service({}, options);
  service.agent.start();
  service.controller.welcome();
  service.controller.allocate([{ point: "s/p", tenant: "a", ratePerSec: 100, burst: 10, fallbackPerSec: 40 }]);
  service.agent.tenant("a");
  return service;
}

const rate = (service: Service) => service.point.ratePerSec(service.agent.tenant("a"));

/** The controller is gone, and stays away. */
function lose(service: Service): void {
  service.controller.session.handlers.onClosed();
}

describe("allocations", () => {
  test("a lower or equal (epoch, sequence) is ignored: late, repeated, of a deposed controller", () => {
    const service = leased();
    const row = (ratePerSec: number) => [{ point: "s/p", tenant: "a", ratePerSec }];
    const { handlers } = service.controller.session;
    handlers.onAllocation(allocationOf(row(7), { epoch: 1, sequence: 1 }));
    handlers.onAllocation(allocationOf(row(8), { epoch: 0, sequence: 99 }));
    expect(rate(service)).toBe(100);
    handlers.onAllocation(allocationOf(row(9), { epoch: 2, sequence: 0 }));
    expect(rate(service)).toBe(9);
    handlers.onAllocation(allocationOf(row(10), { epoch: 1, sequence: 1_000 }));
    expect(rate(service)).toBe(9);
    expect(service.agent.state).toMatchObject({ epoch: 2, sequence: 0, allocationsApplied: 2, allocationsIgnored: 3 });
  });

  test("a repeated allocation does not renew the lease", () => {
    const service = leased();
    service.clock.advance(2 * SECOND);
    service.controller.session.handlers.onAllocation(
      allocationOf([{ point: "s/p", tenant: "a", ratePerSec: 100, fallbackPerSec: 40 }], { epoch: 1, sequence: 1 }),
    );
    service.clock.advance(SECOND);
    expect(service.agent.state.ladder).toBe("decaying");
  });

  test("what is not listed is unlimited, explicitly", () => {
    const service = leased();
    service.controller.allocate([{ point: "s/p", tenant: "b", ratePerSec: 1 }]);
    expect(rate(service)).toBe(Number.POSITIVE_INFINITY);
    expect(service.agent.state.limitsInForce).toBe(1);
  });

  test("find tenants and points that come later, and those of other services not at all", () => {
    const service = leased();
    const rows = ["s/later", "other/p"].map((point) => ({ point, tenant: "new", ratePerSec: 5 }));
    service.controller.allocate(rows, { weights: { new: 3 } });
    const later = service.agent.controlPoint("later");
    const tenant = service.agent.tenant("new");
    expect([later.ratePerSec(tenant), service.point.ratePerSec(tenant)]).toEqual([5, Number.POSITIVE_INFINITY]);
    expect(later.because(tenant)).toBe("fairness|s/disk");
    expect(service.agent.state.tenants).toBe(4);
  });

  test("one that breaks the contract costs its session, and what was in force stays", () => {
    const service = leased();
    const bad = allocationOf([{ point: "s/p", tenant: "a", ratePerSec: Number.NaN }], { epoch: 1, sequence: 2 });
    service.controller.session.handlers.onAllocation(bad);
    expect([rate(service), service.controller.session.closed]).toEqual([100, true]);
    expect(service.events.at(-2)?.message).toContain("ratePerSec");
  });
});

describe("the ladder on loss", () => {
  test("holds for the lease, decays smoothly over ten windows, then the fallback, then the end state", () => {
    const service = leased();
    lose(service);
    const seen: number[] = [];
    for (let sec = 0; sec < 14; sec++) {
      seen.push(rate(service));
      service.clock.advance(SECOND);
    }
    expect(seen.map(Math.round)).toEqual([100, 100, 100, 94, 88, 82, 76, 70, 64, 58, 52, 46, 40, 40]);
    service.clock.advance(57 * SECOND);
    expect([rate(service), service.agent.state.ladder]).toEqual([40, "fallback"]);
    service.clock.advance(SECOND);
    expect([rate(service), service.agent.state.ladder]).toEqual([Number.POSITIVE_INFINITY, "open"]);
    expect(service.kinds()).toEqual(["connected", "disconnected", "holding", "decaying", "fallback", "open"]);
  });

  test.each([
    ["floor", { endState: "floor", floorPerSec: 3 } as const, 3],
    ["floor", { endState: "floor" } as const, 40],
    ["closed", { endState: "closed" } as const, 0],
  ])("may end %s", (kind, options, expected) => {
    const service = leased({ ...options, endAfterUs: SECOND });
    lose(service);
    service.clock.advance(14 * SECOND);
    expect([rate(service), service.kinds().at(-1)]).toEqual([expected, kind]);
    expect(service.point.ratePerSec(service.agent.tenant("never-limited"))).toBe(Number.POSITIVE_INFINITY);
  });

  test("ttl 0 is the fallback, now: the controller said goodbye", () => {
    const service = leased();
    service.controller.allocate([{ point: "s/p", tenant: "a", ratePerSec: 100, fallbackPerSec: 40 }], { ttlUs: 0 });
    expect([rate(service), service.agent.state.ladder]).toEqual([40, "fallback"]);
  });

  test("the next allocation heals, from anywhere", () => {
    for (const seconds of [1, 5, 20, 100]) {
      const service = leased();
      lose(service);
      service.clock.advance(seconds * SECOND);
      service.controller.epoch = 2;
      service.controller.welcome();
      service.controller.allocate([{ point: "s/p", tenant: "a", ratePerSec: 70 }]);
      expect([rate(service), service.agent.state.ladder]).toEqual([70, "leased"]);
      service.clock.advance(2 * SECOND);
      expect(rate(service)).toBe(70);
    }
  });

  test("a new controller is told what is held now, complete with names; nothing once open", () => {
    const service = leased();
    lose(service);
    service.clock.advance(8 * SECOND);
    const { held } = service.controller.session.hello;
    expect(held).toMatchObject({ epoch: 1, sequence: 1, points: ["s/p"], tenants: ["a"], fallbackPerSec: [40] });
    expect(held?.ratePerSec[0]).toBeLessThanOrEqual(100);
    expect(held?.ratePerSec[0]).toBeGreaterThan(40);
    service.clock.advance(100 * SECOND);
    lose(service);
    service.clock.advance(20 * SECOND);
    expect(service.controller.session.hello.held).toBeNull();
  });

  test("a waiter is woken when the end state opens", () => {
    const service = leased({ endAfterUs: SECOND });
    service.controller.allocate([{ point: "s/p", tenant: "a", ratePerSec: 1e-6, burst: 1 }]);
    lose(service);
    service.submit("a");
    service.submit("a");
    service.told();
    service.clock.advance(20 * SECOND);
    expect(service.told()).toEqual(["a2 starts"]);
  });
});
