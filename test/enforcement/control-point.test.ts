import { describe, expect, test } from "vitest";
import { Agent, type Request } from "../../enforcement/index.js";
import { FakeClock, steady } from "./fake-clock.js";
import { Service } from "./service.js";

const SECOND = 1_000_000;
const badJob = expect.objectContaining({ code: "BAD_JOB" });
const badArgument = expect.objectContaining({ code: "BAD_ARGUMENT" });

describe("slots", () => {
  test("so many run, the rest wait; each completion starts the next, fairly", () => {
    const service = new Service({ slots: 2 });
    const flood = [1, 2, 3, 4].map(() => service.submit("flood"));
    service.submit("calm");
    expect(service.told()).toEqual(["flood1 starts", "flood2 starts"]);
    service.clock.advance(1_000);
    service.point.complete(flood[0]);
    expect(service.told()).toEqual(["calm1 starts"]);
    service.point.complete(flood[1]);
    expect(service.told()).toEqual(["flood3 starts"]);
    expect([service.point.running, service.point.waiting]).toEqual([2, 1]);
  });

  test("fifo is fifo", () => {
    const service = new Service({ slots: 1, scheduler: "fifo" });
    const first = service.submit("a");
    for (const tenant of ["a", "b", "a"]) service.submit(tenant);
    service.told();
    service.clock.advance(1_000);
    service.point.complete(first);
    expect(service.told()).toEqual(["a2 starts"]);
  });

  test("a point that is only observed goes by arrival, and those that wait when that changes go first", () => {
    const service = new Service({ slots: 1 }).limited({});
    const observe = (inArrivalOrder: string[]) => service.controller.allocate([], { inArrivalOrder, ttlUs: 60 * SECOND });
    const running: Request[] = [];
    const submit = (tenant: string) => service.submit(tenant, { onStart: (request) => running.push(request) });
    observe(["s/p"]);
    for (let i = 0; i < 4; i++) submit("flood");
    submit("calm");
    const order = () => {
      service.clock.advance(1_000);
      service.point.complete(running.at(-1) as Request);
      return service.told();
    };
    service.told();
    expect(order()).toEqual(["flood2 starts"]);
    observe([]);
    for (let i = 0; i < 2; i++) submit("flood");
    submit("calm");
    expect([order(), order(), order()].flat()).toEqual(["flood3 starts", "flood4 starts", "calm1 starts"]);
    // By turns now, and not by arrival: of three that wait, calm's goes before flood's second.
    expect(order()).toEqual(["flood5 starts"]);
    submit("flood");
    submit("calm");
    observe(["s/p"]);
    submit("new");
    expect([order(), order()].flat()).toEqual(["calm2 starts", "flood6 starts"]);
    expect([order(), order(), order()].flat().sort()).toEqual(["calm3 starts", "flood7 starts", "new1 starts"]);
    expect([service.point.running, service.point.waiting]).toEqual([1, 0]);
  });

  test("without a controller any more, its word on the order does not last", () => {
    const service = new Service({ slots: 1 }).limited({});
    service.controller.allocate([], { inArrivalOrder: ["s/p"] });
    service.controller.session.handlers.onClosed();
    service.clock.advance(3_600 * SECOND);
    const first = service.submit("flood");
    for (let i = 0; i < 3; i++) service.submit("flood");
    service.submit("calm");
    service.told();
    service.clock.advance(1_000);
    service.point.complete(first);
    expect(service.told()).toEqual(["calm1 starts"]);
  });

  test("slots are shared by the time they are held: who holds them long gets them seldom", () => {
    const service = new Service({ slots: 1 });
    const starts: Record<string, number> = { long: 0, short: 0 };
    const lengths: Record<string, number> = { long: 9_000, short: 1_000 };
    const again = (tenant: string) =>
      service.submit(tenant, {
        onStart: (request) => {
          starts[tenant] += 1;
          service.clock.at(service.clock.nowUs() + lengths[tenant], () => {
            again(tenant);
            service.point.complete(request);
          });
        },
      });
    for (let i = 0; i < 5; i++) for (const tenant of ["long", "short"]) again(tenant);
    service.clock.advance(10 * SECOND);
    expect(starts.short / starts.long).toBeGreaterThan(8);
    expect(starts.short / starts.long).toBeLessThan(10);
  });

  test("weights come with an allocation and count at once", () => {
    const service = new Service({ slots: 1, unit: "bytes" }).limited({});
    const starts: Record<string, number> = { gold: 0, iron: 0 };
    let running: Request | undefined;
    const again = (tenant: string) =>
      service.submit(tenant, {
        cost: 1,
        onStart: (request) => {
          starts[tenant] += 1;
          running = request;
          again(tenant);
        },
      });
    for (const tenant of ["gold", "iron", "gold", "iron"]) again(tenant);
    service.controller.allocate([], { weights: { gold: 3 } });
    for (let i = 0; i < 400; i++) service.point.complete(running as Request);
    expect(starts.gold / starts.iron).toBeGreaterThan(2.9);
    expect(starts.gold / starts.iron).toBeLessThan(3.1);
  });

  test("their number may change while they are held", () => {
    const service = new Service({ slots: 2 });
    const requests = [1, 2, 3, 4, 5, 6].map(() => service.submit("a"));
    service.point.setSlots(4);
    expect(service.told()).toHaveLength(4);
    service.point.setSlots(1);
    for (const request of requests.slice(0, 3)) service.point.complete(request);
    expect(service.told()).toEqual([]);
    service.point.complete(requests[3]);
    expect(service.told()).toEqual(["a5 starts"]);
    service.point.setSlots(Number.POSITIVE_INFINITY);
    expect([service.told(), service.point.running]).toEqual([["a6 starts"], 2]);
    for (const slots of [0, -1, 1.5, Number.NaN]) expect(() => service.point.setSlots(slots)).toThrow(badArgument);
  });

  test("a cancelled waiter does not leak its slot, nor its tokens", () => {
    const service = new Service({ slots: 1 }).limited({ a: 1 }, 3);
    const [first, second, third] = [1, 2, 3].map(() => service.submit("a"));
    expect(service.point.cancel(first)).toBe(false);
    expect([service.point.cancel(second), service.point.cancel(third)]).toEqual([true, true]);
    service.point.complete(first);
    service.told();
    for (const request of [service.submit("a"), service.submit("a")]) service.point.complete(request);
    expect(service.told()).toEqual(["a4 starts", "a5 starts"]);
    expect([service.point.running, service.point.waiting]).toEqual([0, 0]);
  });

  test("10,000 that complete within their own start neither overflow the stack nor overtake", () => {
    const service = new Service({ slots: 1 });
    const first = service.submit("a");
    for (let i = 0; i < 9_999; i++) service.submit("a", { onStart: (request) => service.point.complete(request) });
    service.point.complete(first);
    const told = service.told();
    expect([told.length, told[9_999], service.point.running]).toEqual([10_000, "a10000 starts", 0]);
  });
});

describe("a full point", () => {
  test("refuses the newest of the tenant with the longest backlog, not whoever comes last", () => {
    const service = new Service({ slots: 1, queueLimit: 4 });
    service.submit("x");
    for (let i = 0; i < 4; i++) service.submit("flood");
    service.submit("calm");
    service.submit("flood");
    service.submit("other");
    expect(service.told()).toEqual([
      "x1 starts",
      "flood4 refused QUEUE_FULL",
      "flood5 refused QUEUE_FULL",
      "flood3 refused QUEUE_FULL",
    ]);
    expect(service.point.waiting).toBe(4);
    expect(service.point.refusals.QUEUE_FULL).toBe(3);
  });

  test("counts the throttled as well: a flood behind its own throttle fills nobody else's queue", () => {
    const service = new Service({ queueLimit: 3 }).limited({ flood: 1 });
    for (let i = 0; i < 5; i++) service.submit("flood");
    expect(service.told()).toEqual(["flood1 starts", "flood5 refused QUEUE_FULL"]);
    service.submit("calm");
    expect(service.told()).toEqual(["calm1 starts"]);
  });
});

describe("one end each", () => {
  test("completing twice, too early, or charging backwards is BAD_JOB, and changes nothing", () => {
    const service = new Service({ slots: 1, unit: "bytes" });
    const one = service.submit("a", { cost: 10 });
    const two = service.submit("a", { cost: 10 });
    expect(() => service.point.submit(one)).toThrow(badJob);
    expect(() => service.point.complete(two)).toThrow(badJob);
    expect(() => service.point.charge(two, 1)).toThrow(badJob);
    service.point.charge(one, 6);
    expect(() => service.point.charge(one, 5)).toThrow(badJob);
    for (const cost of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => service.point.charge(one, cost)).toThrow(badArgument);
      expect(() => service.point.complete(one, cost)).toThrow(badArgument);
      expect(() => service.submit("a", { cost })).toThrow(badArgument);
    }
    expect([service.point.running, service.point.waiting]).toEqual([1, 1]);
    service.point.complete(one);
    expect(() => service.point.complete(one)).toThrow(badJob);
    expect([service.point.running, service.point.waiting]).toEqual([1, 0]);
  });

  test("a tenant's handle that is none is refused", () => {
    const service = new Service();
    for (const tenant of [99, -1, Number.NaN]) expect(() => service.submit("a", { tenant })).not.toThrow();
    const request = service.request("a");
    Object.assign(request, { tenant: 99 });
    expect(() => service.point.submit(request)).toThrow("99 is not a tenant's handle");
  });

  test("closing refuses what waits, lets what runs complete, and leaves no alarm", () => {
    const service = new Service({ slots: 1 }, { transport: undefined });
    const running = service.submit("a");
    service.submit("a", { deadlineInUs: SECOND });
    let done = 0;
    service.agent.close(() => done++);
    service.submit("a");
    service.agent.close(() => done++);
    expect(service.told()).toEqual(["a1 starts", "a2 refused SHUTTING_DOWN", "a3 refused SHUTTING_DOWN"]);
    service.point.complete(running);
    expect([done, service.clock.pending, service.point.running]).toEqual([2, 0, 0]);
  });

  test("a deadline that passes in the queue frees the place; one that was met is forgotten", () => {
    const service = new Service({ slots: 1 });
    const first = service.submit("a");
    service.submit("a", { deadlineInUs: 10_000 });
    service.submit("a", { deadlineInUs: 30_000 });
    service.clock.advance(20_000);
    expect(service.told()).toEqual(["a1 starts", "a2 refused DEADLINE"]);
    service.point.complete(first);
    service.clock.advance(SECOND);
    expect([service.told(), service.clock.pending]).toEqual([["a3 starts"], 0]);
  });
});

test("options out of range say so; the same name gives the same point, unless asked for otherwise", () => {
  const agent = new Agent({ service: "s", instance: "i", boot: "b", clock: new FakeClock(), chance: steady(), maxMeters: 3 });
  const point = agent.controlPoint("p", { slots: 4 });
  expect(agent.controlPoint("p")).toBe(point);
  expect(agent.controlPoint("p", { slots: 4 })).toBe(point);
  expect(() => agent.controlPoint("p", { slots: 5 })).toThrow(
    'control point "p" was made with slots 4 and is now asked for with 5',
  );
  for (const wrong of [{ slots: 0 }, { queueLimit: -1 }, { burstSeconds: 0 }, { unit: "" }, { scheduler: "lifo" as "fifo" }]) {
    expect(() => agent.controlPoint("q", wrong)).toThrow(badArgument);
  }
  expect(() => agent.controlPoint("no/name")).toThrow(expect.objectContaining({ code: "BAD_NAME" }));
  expect(() => agent.tenant("")).toThrow(expect.objectContaining({ code: "BAD_TENANT" }));
  agent.resource("r");
  agent.resource("q");
  expect(() => agent.resource("t")).toThrow(expect.objectContaining({ code: "TOO_MANY" }));
});
