import { describe, expect, test } from "vitest";
import { TenantryError } from "../../proto/errors.js";
import { Service } from "./service.js";

const SECOND = 1_000_000;
const unreachable = () => new TenantryError("UNAVAILABLE", "connection refused");

/** Times at which sessions were tried, when each fails at once; `chance` decides how long of the possible wait is waited. */
function attempts(chance: number, count: number, onOpen = (_service: Service) => {}): number[] {
  const service = new Service({}, { chance: { next: () => chance } });
  service.agent.start();
  const times: number[] = [];
  const { sessions } = service.controller;
  while (times.length < count) {
    if (sessions.length > times.length) {
      times.push(service.clock.nowUs());
      onOpen(service);
      sessions[sessions.length - 1].handlers.onClosed(unreachable());
    } else service.clock.advance(1_000);
  }
  return times;
}

const gapsMs = (times: number[]) => times.slice(1).map((time, i) => Math.round((time - times[i]) / 1_000));

describe("the link", () => {
  test("tries again with growing waits, of which chance takes a part: 100 ms … 10 s", () => {
    expect(gapsMs(attempts(0.999, 11))).toEqual(
      [100, 200, 400, 800, 1_599, 3_197, 6_394, 9_991, 9_991, 9_991].map((ms) => expect.closeTo(ms, -1)),
    );
    expect(gapsMs(attempts(0.5, 5))).toEqual([50, 100, 200, 400].map((ms) => expect.closeTo(ms, -1)));
  });

  test("waits start over only once an allocation has come: a controller in a crash loop is not stormed", () => {
    expect(gapsMs(attempts(0.999, 6, (service) => service.controller.welcome())).at(-1)).toBeGreaterThan(1_500);
    const healed = (service: Service) => {
      service.controller.welcome();
      service.controller.allocate([]);
    };
    expect(gapsMs(attempts(0.999, 6, healed)).at(-1)).toBeLessThanOrEqual(101);
  });

  test("an outage is told once, and its end", () => {
    const service = new Service();
    service.agent.start();
    for (let i = 0; i < 10; i++) {
      service.controller.session.handlers.onClosed(unreachable());
      service.clock.advance(20 * SECOND);
    }
    expect(service.events.map(({ message }) => message)).toEqual([
      "no controller can be reached: connection refused; requests are served with local fairness while it is tried again",
    ]);
    service.controller.welcome();
    expect(service.kinds()).toEqual(["disconnected", "connected"]);
  });

  test("no welcome within 5 s ends the attempt", () => {
    const service = new Service();
    service.agent.start();
    service.clock.advance(4_999_999);
    expect(service.controller.sessions).toHaveLength(1);
    service.clock.advance(2);
    expect([service.controller.sessions.length, service.controller.sessions[0].closed]).toEqual([2, true]);
  });

  test("what a session says after it ended is not heard", () => {
    const service = new Service();
    service.agent.start();
    const first = service.controller.session;
    first.handlers.onClosed();
    first.handlers.onClosed();
    service.clock.advance(10);
    expect(service.controller.sessions).toHaveLength(2);
    first.handlers.onWelcome({ epoch: 9, appliedSequence: 0, windowUs: 5_000, maxTenants: 10, maxMeters: 10 });
    expect(service.agent.state).toMatchObject({ connected: false, windowUs: SECOND });
    service.controller.welcome();
    expect(service.agent.state.connected).toBe(true);
  });

  test("service starts at once without a controller, and close ends the trying", () => {
    const service = new Service({ slots: 1 });
    service.agent.start();
    service.controller.session.handlers.onClosed(unreachable());
    service.submit("a");
    expect(service.told()).toEqual(["a1 starts"]);
    let done = 0;
    service.agent.close(() => done++);
    service.agent.start();
    expect([done, service.clock.pending]).toEqual([1, 0]);
  });

  test("reports keep their phase, drawn by chance, and are not doubled when a tick is late", () => {
    const service = new Service({}, { chance: { next: () => 0.25 } });
    service.agent.start();
    service.controller.welcome();
    const at: number[] = [];
    for (let i = 0; i < 5 * 1_000; i++) {
      service.clock.advance(1_000);
      if (service.controller.session.reports.length > at.length) {
        at.push(Math.round(service.clock.nowUs() / 1_000) - 1_000);
        service.controller.acknowledge();
      }
    }
    expect(at).toEqual([251, 1_251, 2_251, 3_251, 4_251]);
  });
});
