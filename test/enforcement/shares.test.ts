import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agent, Operation, type ResourceMeter, sharesOf } from "../../enforcement/index.js";
import { FakeClock, steady } from "./fake-clock.js";
import { FakeController } from "./fake-controller.js";

const WINDOW = 1_000_000;

function world(slots?: number) {
  const clock = new FakeClock();
  const controller = new FakeController();
  const agent = new Agent({ service: "s", instance: "i", boot: "b", clock, chance: steady(), transport: controller });
  agent.start();
  controller.welcome();
  clock.advance(1);
  controller.acknowledge();
  const disk: ResourceMeter = agent.resource("disk", slots === undefined ? {} : { slots });
  const [a, b] = ["a", "b"].map((id) => agent.tenant(id));
  const shared = (ofA: number, ofB: number) =>
    new Operation(
      {
        tenant: a,
        shares: sharesOf([
          { tenant: a, via: 0, part: ofA },
          { tenant: b, via: 0, part: ofB },
        ]),
      },
      () => {},
    );
  /** The rows of the one resource over another window. */
  const window = () => {
    clock.advance(WINDOW);
    const [rows] = controller.session.last.rows;
    controller.acknowledge();
    return rows;
  };
  return { clock, disk, a, shared, window };
}

describe("an operation that tenants share", () => {
  test("property: parts are in proportion to what was contributed, and add up to exactly 1", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-9, max: 2 ** 53, noNaN: true }), { minLength: 1, maxLength: 50 }), (parts) => {
        const shares = sharesOf(parts.map((part, tenant) => ({ tenant, via: 0, part })));
        const total = parts.reduce((sum, part) => sum + part, 0);
        expect(shares.reduce((sum, { part }) => sum + part, 0)).toBe(1);
        shares.forEach(({ part }, i) => {
          expect(Math.abs(part - parts[i] / total)).toBeLessThanOrEqual(2 ** -20);
          expect(part).toBeGreaterThanOrEqual(0);
          expect(Number.isInteger(part * 2 ** 20)).toBe(true);
        });
      }),
    );
  });

  test("each is charged its part of the waiting and of the service, in every window it spans", () => {
    const { clock, disk, shared, window } = world(1);
    const [one, two] = [shared(300, 100), shared(1, 1)];
    disk.use(one);
    disk.use(two);
    expect(window()).toMatchObject({
      tenant: [2, 1],
      serviceUs: [0.75 * WINDOW, 0.25 * WINDOW],
      waitUs: [0.5 * WINDOW, 0.5 * WINDOW],
      running: [1, 1],
      waiting: [1, 1],
      count: [],
    });
    disk.finish(one);
    clock.advance(WINDOW / 2);
    disk.finish(two);
    clock.advance(WINDOW / 2);
  });

  test("costs in another unit are shared too, and half an operation is told when another half has come", () => {
    const { disk, shared, window } = world();
    const operation = shared(3, 1);
    disk.use(operation);
    disk.finish(operation, 1_000);
    expect(window()).toMatchObject({ tenant: [2, 1], cost: [750, 250], count: [] });
    const next = shared(1, 3);
    disk.use(next);
    disk.finish(next, 1_000);
    expect(window()).toMatchObject({ cost: [250, 750], count: [1, 1] });
  });

  test("is cancelled while it queues, for all", () => {
    const { disk, shared, window } = world(1);
    const [one, two] = [shared(1, 2), shared(2, 1)];
    disk.use(one);
    disk.use(two);
    expect(disk.cancel(two)).toBe(true);
    disk.finish(one);
    expect(window()).toBeUndefined();
  });

  test("property: whatever was begun and ended, nothing is left in any gauge", () => {
    const { clock, disk, shared, window } = world(2);
    const step = fc.record({ ofA: fc.integer({ min: 1, max: 1e6 }), ofB: fc.integer({ min: 1, max: 1e6 }), end: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const open: Operation[] = [];
        const end = (operation: Operation) => {
          if (operation.phase === "running") disk.finish(operation);
          else disk.cancel(operation);
        };
        for (const { ofA, ofB, end: which } of steps) {
          const operation = shared(ofA, ofB);
          disk.use(operation);
          open.push(operation);
          clock.advance(7);
          if (which < open.length) end(open.splice(which, 1)[0]);
        }
        // Ending one may start another.
        while (open.length > 0) end(open.shift() as Operation);
        expect([disk.running, disk.waiting]).toEqual([0, 0]);
        window();
        // A grain that was left would go on running, and be told.
        expect(window()).toBeUndefined();
      }),
    );
  });

  test("a tenant's handle that is none is refused before anything is counted", () => {
    const { disk, a, window } = world();
    const shares = [
      { tenant: a, via: 0, part: 0.5 },
      { tenant: 999, via: 0, part: 0.5 },
    ];
    expect(() => disk.use(new Operation({ tenant: a, shares }, () => {}))).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT" }),
    );
    expect(window()).toBeUndefined();
  });
});
