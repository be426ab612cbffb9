import { expect, test } from "vitest";
import { Service } from "./service.js";

test("tryThrottle takes what is there, behind whoever waits, and changes nothing when it refuses", () => {
  const service = new Service().limited({ a: 10, zero: 0 }, 2);
  const { point, agent, clock } = service;
  const [a, zero, free] = ["a", "zero", "free"].map((id) => agent.tenant(id));
  expect([point.tryThrottle(a), point.tryThrottle(a), point.tryThrottle(a), point.tryThrottle(zero)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect([point.tryThrottle(free, 1e9), point.tryThrottle(free, 1e9)]).toEqual([true, true]);
  clock.advance(100_000);
  expect([point.tryThrottle(a), point.tryThrottle(a)]).toEqual([true, false]);
  service.submit("a");
  clock.advance(150_000); // one for who waits, half a token left
  expect([service.told(), point.tryThrottle(a, 0.6), point.tryThrottle(a, 0.5)]).toEqual([["a1 starts"], false, true]);
  for (const cost of [Number.NaN, -1])
    expect(() => point.tryThrottle(a, cost)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  expect(() => point.tryThrottle(77)).toThrow("is not a tenant's handle");
  agent.close(() => {});
  expect(point.tryThrottle(free)).toBe(false);
});
