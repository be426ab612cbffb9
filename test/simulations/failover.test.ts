/**
 * The controller dies and comes back while tenants flood: what is granted never passes the cluster's rate, nothing stops, and
 * control returns. Every member runs the production agent, the controller is the production controller.
 */
import { describe, expect, test } from "vitest";
import { pick } from "../../simulations/world/chance.js";
import { type Member, SECOND_US, SmallWorld } from "./small-world.js";

const RATE = 100;

/** Four instances, very unequal demand, ten seconds to come to rest. */
function settled(seed: number, drift = 0): SmallWorld {
  const small = new SmallWorld({ seed, drift, network: { keepAliveUs: 5_000_000 } });
  small.startController(RATE);
  for (const clients of [60, 20, 10, 2]) small.join(clients);
  small.world.run(10 * SECOND_US);
  return small;
}

/**
 * Runs on, and looks at every grant that arrives: all leases together must not pass the rate, nor must their fallbacks, unless
 * this one took nothing that its instance may have had shortly before.
 *
 * What an instance uses already cannot be forbidden before it is known. One that comes back from a partition in which its lease
 * ran out brings such a surprise, and is then cut step by step; for a while it is left out of the sum.
 */
function runChecked(small: SmallWorld, untilSec: number): void {
  small.onGrant = ({ node, grants }) => {
    const grant = grants[grants.length - 1];
    const leases = small.leases();
    const nowUs = small.world.clock.nowUs();
    // The controller knows what is in force from reports, so it is behind by a few grants.
    const recent = grants.slice(-5, -1);
    for (const what of ["ratePerSec", "fallbackPerSec"] as const) {
      const sum = leases.reduce((total, lease) => total + lease[what], 0);
      const had = Math.max(
        0,
        ...recent.map((each) => (nowUs <= each.untilUs ? each[what] : Math.max(each[what], each.fallbackPerSec))),
      );
      if (sum <= RATE * (1 + 1e-9) || grant[what] <= had) continue;
      const all = small.members.map((member) => `${member.node.name} ${JSON.stringify(member.grants.slice(-3))}`);
      const story = `${what} sum to ${sum} as ${node.name} gets ${grant[what]} and had at most ${had}`;
      throw new Error(`seed ${small.world.seed}, at ${nowUs} µs: ${story}\n${all.join("\n")}`);
    }
  };
  small.world.run(untilSec * SECOND_US);
}

const ladders = (small: SmallWorld) => small.members.map(({ node }) => node.agent.state.ladder);

describe("a cluster with a cap", () => {
  test("admits the cap, wherever the demand is", () => {
    const small = settled(1);
    runChecked(small, 20);
    for (let window = 12; window < 20; window++) {
      expect(small.admitted(window)).toBeGreaterThan(0.9 * RATE);
      expect(small.admitted(window)).toBeLessThanOrEqual(1.02 * RATE);
    }
    expect(ladders(small)).toEqual(["leased", "leased", "leased", "leased"]);
  });

  test("controller killed: rates hold for the lease, then go smoothly to the fallback, and stay", () => {
    const small = settled(2);
    small.world.killController();
    runChecked(small, 12);
    expect(ladders(small)).toEqual(["leased", "leased", "leased", "leased"]);
    runChecked(small, 16);
    expect(ladders(small)).toEqual(["decaying", "decaying", "decaying", "decaying"]);
    runChecked(small, 35);
    expect(ladders(small)).toEqual(["fallback", "fallback", "fallback", "fallback"]);
    const admitted = Array.from({ length: 25 }, (_, i) => small.admitted(10 + i));
    for (const count of admitted) {
      expect(count).toBeLessThanOrEqual(1.03 * RATE);
      expect(count).toBeGreaterThan(0.4 * RATE);
    }
  });

  test("controller killed and started again: holds, learns one window, decides; no dip, no spike", () => {
    const small = settled(3);
    const epoch = small.world.controller.epoch;
    small.world.killController();
    runChecked(small, 11);
    small.startController(RATE);
    runChecked(small, 25);
    expect(small.world.controller.epoch).toBeGreaterThan(epoch);
    expect(ladders(small)).toEqual(["leased", "leased", "leased", "leased"]);
    for (let window = 10; window < 25; window++) {
      expect(small.admitted(window)).toBeLessThanOrEqual(1.03 * RATE);
      expect(small.admitted(window)).toBeGreaterThan(0.75 * RATE);
    }
    expect(small.admitted(24)).toBeGreaterThan(0.9 * RATE);
  });

  test("controller away until all have fallen back: takes over within a few windows", () => {
    const small = settled(4);
    small.world.killController();
    runChecked(small, 40);
    small.startController(RATE);
    runChecked(small, 60);
    // All have found it within a lease; then five windows.
    expect(ladders(small)).toEqual(["leased", "leased", "leased", "leased"]);
    expect(small.admitted(58)).toBeGreaterThan(0.9 * RATE);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "a successor decides when all have come back: it never grants to some what others hold (seed %i)",
    (seed) => {
      const small = settled(seed);
      for (let outage = 0; outage < 6; outage++) {
        const fromUs = small.world.clock.nowUs();
        small.world.killController();
        // Within the lease, after it, and long after it; each after a moment of its own.
        runChecked(small, fromUs / SECOND_US + [0.05, 0.7, 2, 4, 9, 20][(outage + seed) % 6]);
        small.startController(RATE);
        runChecked(small, small.world.clock.nowUs() / SECOND_US + 5.5);
        expect(small.world.controller.view().learning).toBe(false);
        expect(small.world.controller.view().instances.filter(({ live }) => live)).toHaveLength(4);
        runChecked(small, small.world.clock.nowUs() / SECOND_US + 8);
      }
    },
  );

  test("an instance that is gone keeps a successor waiting for a lease, not longer", () => {
    const small = settled(6);
    small.world.killController();
    small.kill(small.members[3]);
    runChecked(small, 11);
    small.startController(RATE);
    runChecked(small, 15);
    expect(small.world.controller.view().learning).toBe(true);
    runChecked(small, 16.5);
    expect(small.world.controller.view().learning).toBe(false);
    for (let window = 10; window < 16; window++) expect(small.admitted(window)).toBeLessThanOrEqual(1.03 * RATE);
  });

  test("an instance that dies gives its share back; one that joins gets its own", () => {
    const small = settled(5);
    small.kill(small.members[0]);
    runChecked(small, 25);
    expect(small.admitted(23)).toBeGreaterThan(0.85 * RATE);
    small.join(60);
    runChecked(small, 40);
    expect(small.members[3].admitted.values[38]).toBeGreaterThan(0.5 * RATE);
  });
});

describe("under an adversary", () => {
  /** What goes wrong each half second, drawn from the seed. */
  function adversity(small: SmallWorld, kinds: number): void {
    small.surprises = true;
    const chance = small.world.chance("adversary");
    const { network, clock } = small.world;
    let controllerAlive = true;
    const member = (): Member => small.members[pick(chance, small.members.length)];
    const strike = () => {
      if (clock.nowUs() > 45 * SECOND_US) return;
      const { name } = member().node;
      switch (pick(chance, kinds)) {
        case 0:
          network.cut(name);
          break;
        case 1:
          network.partition(name);
          clock.at(clock.nowUs() + pick(chance, 9 * SECOND_US), () => network.heal(name));
          break;
        case 2:
          network.slow(name, pick(chance, 3 * SECOND_US));
          clock.at(clock.nowUs() + pick(chance, 5 * SECOND_US), () => network.slow(name, 0));
          break;
        case 3:
          if (small.members.length > 2) small.kill(member());
          break;
        case 4:
          if (small.members.length < 7) small.join(1 + pick(chance, 40));
          break;
        case 5:
          if (controllerAlive) {
            controllerAlive = false;
            small.world.killController();
            clock.at(clock.nowUs() + pick(chance, 6 * SECOND_US), () => {
              small.startController(RATE);
              controllerAlive = true;
            });
          }
          break;
        default:
          small.world.store.failing = true;
          clock.at(clock.nowUs() + SECOND_US, () => {
            small.world.store.failing = false;
          });
      }
      clock.at(clock.nowUs() + 500_000 + pick(chance, 2 * SECOND_US), strike);
    };
    clock.at(clock.nowUs(), strike);
  }

  const seeds = Array.from({ length: 8 }, (_, i) => i + 1);

  test.each(seeds)("cuts, partitions, delays, deaths and joins: never leases more than the rate, and heals (seed %i)", (seed) => {
    const small = settled(seed, 200e-6);
    adversity(small, 5);
    runChecked(small, 60);
    healed(small);
  });

  test.each(seeds)("controllers die and stores fail as well: nobody's successor leases more (seed %i)", (seed) => {
    const small = settled(seed, 200e-6);
    adversity(small, 7);
    runChecked(small, 60);
    healed(small);
  });

  /** The world is well again: within 30 s all of the rate is used, and no more. */
  function healed(small: SmallWorld): void {
    for (const { node } of small.members) small.world.network.heal(node.name);
    runChecked(small, 90);
    expect(small.admitted(88)).toBeGreaterThan(0.9 * RATE);
    expect(small.admitted(88)).toBeLessThanOrEqual(1.03 * RATE);
    expect(small.world.network.bad).toBe(0);
  }

  test("the same seed gives the same run", () => {
    const hash = (seed: number) => {
      const small = settled(seed, 200e-6);
      adversity(small, 7);
      small.world.run(40 * SECOND_US);
      return small.world.trace.hash;
    };
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
  });
});
