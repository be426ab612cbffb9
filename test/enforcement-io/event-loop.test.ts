import { afterEach, expect, test, vi } from "vitest";
import { createAgent } from "../../enforcement/io/index.js";
import { sampleLoop } from "../../enforcement/io/loop-sampler.js";
import { StandIn } from "./stand-in.js";

/** Work counted in steps, not in time: a busy machine slows both tenants alike. */
function work(steps: number): number {
  let x = 1;
  for (let i = 0; i < steps; i++) x = (x * 48_271) % 2_147_483_647;
  return x;
}

test("two tenants at three to one: the loop's time is theirs in about that proportion", async () => {
  const controller = new StandIn();
  const agent = createAgent({ service: "storage", transport: controller, log: false });
  expect(() => agent.eventLoop({ duty: 0.9 })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  for (const misspelt of [
    () => agent.eventLoop({ dutty: 0.5 } as never),
    () => agent.controlPoint("reads", { slotz: 1, slots: 2 } as never),
    () => agent.resource("disk", { slotz: 1 } as never),
  ]) {
    expect(misspelt).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining("not an option; there are") }),
    );
  }
  const loop = agent.eventLoop({ duty: 0.5 });
  expect(agent.eventLoop()).toBe(loop);
  expect(loop.name).toBe("event-loop");
  let stop = false;
  // Work before and after an await, in one turn and across turns: timing only what a tenant begins with would miss most of it.
  const busy = async (steps: number) => {
    let done = 0;
    for (; !stop; done++) {
      work(steps / 3);
      await Promise.resolve();
      work(steps / 3);
      await new Promise((resolve) => setImmediate(resolve));
      work(steps / 3);
    }
    return done;
  };
  const heavy = agent.run("heavy", () => busy(18_000));
  const light = agent.run("light", () => busy(6_000));
  await controller.until(() => (controller.sums("event-loop", "count").heavy ?? 0) > 1_000);
  stop = true;
  expect((await heavy) / (await light)).toBeCloseTo(1, 1);
  await agent.close();

  const load = controller.sums("event-loop", "serviceUs");
  expect(load.heavy / (load.heavy + load.light)).toBeGreaterThan(0.55);
  expect(load.heavy / (load.heavy + load.light)).toBeLessThan(0.95);
  expect(controller.sums("event-loop", "count").light).toBeGreaterThan(100);
  expect(loop.delayMs).toBeGreaterThanOrEqual(0);
  expect(() => agent.eventLoop()).toThrow(expect.objectContaining({ code: "CLOSED" }));
}, 60_000);

test("long turns are felt by all that come while they last, not by one", async () => {
  const delaysMs: number[] = [];
  let enough = () => {};
  const sampled = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const stop = sampleLoop(({ delayUs }) => {
    if (delaysMs.push(delayUs / 1000) === 80) enough();
  }, 0.5);
  // Half of the time is turns of 60 ms: who comes at any moment waits 15 ms on average, and more where the machine is busy besides.
  const turn = () => {
    for (const endMs = performance.now() + 60; performance.now() < endMs; ) work(1000);
  };
  const timer = setInterval(turn, 120);
  await sampled;
  clearInterval(timer);
  stop();
  expect(delaysMs.reduce((a, b) => a + b) / delaysMs.length).toBeGreaterThan(5);
}, 60_000);

/** Timers set from now on that have neither rung nor been cleared. */
function timers(): Set<unknown> {
  const live = new Set<unknown>();
  const [set, clear] = [setTimeout, clearTimeout];
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((act: () => void, ms?: number) => {
    const timer = set(() => {
      live.delete(timer);
      act();
    }, ms);
    live.add(timer);
    return timer;
  }) as typeof setTimeout);
  vi.spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    live.delete(timer);
    clear(timer);
  });
  return live;
}
afterEach(() => {
  vi.restoreAllMocks();
});

test("two timers are there while somebody listens, and none after that, however often one begins and ends", () => {
  const live = timers();
  for (let time = 0; time < 3; time++) {
    const [one, other] = [sampleLoop(() => {}), sampleLoop(() => {}, 0.5)];
    expect(live.size).toBe(2);
    one();
    expect(live.size).toBe(2);
    other();
    other();
    expect(live.size).toBe(0);
  }
});

test("a listener may stop it and begin anew while it is told", async () => {
  const live = timers();
  const busy = setInterval(() => work(20_000), 1);
  let again = () => {};
  await new Promise<void>((resolve) => {
    const stop = sampleLoop(() => {
      stop();
      again = sampleLoop(() => resolve(), 0.5);
    }, 0.5);
  });
  clearInterval(busy);
  expect(live.size).toBe(2);
  again();
  expect(live.size).toBe(0);
}, 60_000);

test("closing an agent ends the measuring of its loop", async () => {
  const live = timers();
  const agent = createAgent({ service: "storage", transport: new StandIn(), log: false });
  agent.eventLoop();
  expect(live.size).toBeGreaterThanOrEqual(2);
  await agent.close();
  expect(live.size).toBe(0);
});
