/** Clients, machines and windows; and that what one component does is no other one's luck. */
import { describe, expect, test } from "vitest";
import { Agent } from "../../enforcement/index.js";
import { SeededChance } from "../../simulations/world/chance.js";
import { closedLoop, openLoop } from "../../simulations/world/clients.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { Disk } from "../../simulations/world/machines.js";
import { Recorder } from "../../simulations/world/recorder.js";
import { VirtualStore } from "../../simulations/world/store.js";
import { Trace } from "../../simulations/world/trace.js";
import { World } from "../../simulations/world/world.js";
import { SECOND_US, SmallWorld } from "./small-world.js";

const chance = (name: string) => new SeededChance(1, name);

describe("clients", () => {
  test("a closed loop asks again only when answered, after thinking", () => {
    const clock = new VirtualClock();
    let inFlight = 0;
    let asked = 0;
    const load = closedLoop({
      clock,
      chance: chance("c"),
      clients: 5,
      thinkUs: 50_000,
      ask: (_, done) => {
        asked++;
        inFlight++;
        expect(inFlight).toBeLessThanOrEqual(5);
        clock.at(clock.nowUs() + 50_000, () => {
          inFlight--;
          done();
        });
      },
    });
    clock.run(20 * SECOND_US);
    // Five clients, a cycle of 100 ms: 50 a second.
    expect(asked).toBeGreaterThan(900);
    expect(asked).toBeLessThan(1_060);
    load.stop();
    clock.run(21 * SECOND_US);
    const before = asked;
    clock.run(30 * SECOND_US);
    expect(asked).toBe(before);
  });

  test("answers that come at once do not deepen the stack", () => {
    const clock = new VirtualClock();
    let asked = 0;
    const load = closedLoop({
      clock,
      chance: chance("c"),
      clients: 1,
      ask: (_, done) => {
        if (++asked === 200_000) load.stop();
        done();
      },
    });
    clock.run(2 * SECOND_US);
    expect(asked).toBe(200_000);
  });

  test("an open loop asks whether or not it is answered", () => {
    const clock = new VirtualClock();
    let asked = 0;
    openLoop({ clock, chance: chance("o"), ratePerSec: 1_000, ask: () => asked++ });
    clock.run(10 * SECOND_US);
    expect(Math.abs(asked - 10_000)).toBeLessThan(4 * 100);
  });
});

describe("a disk", () => {
  test("serves one after the other, a seek and then bytes; the library measures it", () => {
    const clock = new VirtualClock();
    const agent = new Agent({ service: "s", instance: "i", boot: "1", clock, chance: chance("agent") });
    const served: [number, number][] = [];
    const disk = new Disk({
      clock,
      chance: chance("disk"),
      meter: agent.resource("disk", { slots: 1 }),
      seekUs: 8_000,
      bytesPerSec: 100e6,
      onServed: (_, waitUs, serviceUs) => served.push([waitUs, serviceUs]),
    });
    const tenant = agent.tenant("a");
    let done = 0;
    for (let i = 0; i < 3; i++) disk.transfer({ tenant, via: 0, done: () => done++ }, 1_000_000);
    clock.run(SECOND_US);
    expect(done).toBe(3);
    for (const [, serviceUs] of served) {
      expect(serviceUs).toBeGreaterThanOrEqual(14_000);
      expect(serviceUs).toBeLessThanOrEqual(22_000);
    }
    expect(served[0][0]).toBe(0);
    expect(served[1][0]).toBe(served[0][1]);
    expect(served[2][0]).toBe(served[0][1] + served[1][1]);
  });
});

describe("the recorder", () => {
  test("sums what is counted in each window and reads gauges at its end", () => {
    const clock = new VirtualClock();
    const recorder = new Recorder(clock, new Trace(), 100);
    const tally = recorder.tally();
    const times = recorder.gauge(() => clock.nowUs());
    clock.at(50, () => tally.add(1));
    clock.at(99, () => tally.add(2));
    clock.at(150, () => tally.add(4));
    clock.run(310);
    expect(tally.values).toEqual([3, 4, 0]);
    expect(times).toEqual([100, 200, 300]);
    expect(recorder.tally().values).toEqual([0, 0, 0]);
  });
});

describe("the store", () => {
  test("keeps what was written whole; the dead hear nothing; what fails says so", () => {
    const clock = new VirtualClock();
    const store = new VirtualStore(clock, 10);
    const state = { version: 1, epoch: 3, tenants: {}, policies: {}, points: {} } as const;
    const story: string[] = [];
    const life = { alive: true };
    store.openedBy(life).save(state, (error) => story.push(error?.code ?? "saved"));
    clock.run(20);
    expect(store.state).toEqual(state);
    store.openedBy(life).save({ ...state, epoch: 4 }, () => story.push("never"));
    life.alive = false;
    clock.run(40);
    store.failing = true;
    store.openedBy({ alive: true }).load((error, found) => story.push(`${error?.code} ${found}`));
    clock.run(60);
    expect(store.state?.epoch).toBe(3);
    expect(story).toEqual(["saved", "STORE_UNAVAILABLE undefined"]);
  });
});

describe("a world", () => {
  test("one component more changes nothing for the others", () => {
    const admitted = (crowd: number) => {
      const small = new SmallWorld({ seed: 9, drift: 1e-4 });
      for (let i = 0; i < crowd; i++) small.join(3 + i);
      small.world.run(5 * SECOND_US);
      return small.members.slice(0, 2).map(({ admitted }) => admitted.values);
    };
    expect(admitted(6)).toEqual(admitted(2));
  });

  test("processes have clocks of their own", () => {
    const world = new World({ seed: 1 });
    const clocks = ["a", "b", "c"].map((name) => world.process(name).clock.nowUs());
    expect(new Set(clocks).size).toBe(3);
  });

  test("says so when no controller runs", () => {
    expect(() => new World({ seed: 1 }).controller).toThrow(/no controller/);
  });
});
