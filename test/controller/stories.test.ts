/**
 * Stories of the policy loop, told window by window and kept in golden files: a change of behaviour shows as a change of the
 * story, to be read and judged. `npx vitest run test/controller/stories -u` writes them anew.
 */
import { expect, test } from "vitest";
import type { ControllerEvent } from "../../controller/index.js";
import { bench, FakeAgent, type Happenings, WINDOW_US } from "./harness.js";

const CAPACITY_US = 1_000_000;

/**
 * A resource that serves 1,000 requests a second, fluid and without chance: what is offered beyond that waits in the queue.
 * Who is limited offers no more than its rate; the rest is held back by the throttle.
 */
class Fluid {
  readonly agent: FakeAgent;
  readonly backlog: Record<string, number> = {};
  #first = true;

  constructor(agent: FakeAgent) {
    this.agent = agent;
  }

  window(offered: Record<string, number>): void {
    const disk: Happenings[string] = {};
    const front: Happenings[string] = {};
    const arrived: Record<string, number> = {};
    for (const [tenant, perSec] of Object.entries(offered)) {
      const rate = this.agent.rate("svc/front", tenant) ?? Number.POSITIVE_INFINITY;
      arrived[tenant] = Math.min(perSec, rate);
      this.backlog[tenant] = (this.backlog[tenant] ?? 0) + arrived[tenant];
      front[tenant] = { throttled: Math.round(perSec - arrived[tenant]) };
    }
    const total = Object.values(this.backlog).reduce((a, b) => a + b, 0);
    const part = Math.min(1, CAPACITY_US / 1_000 / Math.max(total, 1e-9));
    for (const tenant of Object.keys(this.backlog)) {
      const done = this.backlog[tenant] * part;
      const left = Math.min(this.backlog[tenant] - done, 50);
      disk[tenant] = {
        count: done,
        serviceUs: done * 1_000,
        waitUs: ((left + this.backlog[tenant] - done) / 2) * 1e6,
        waiting: left,
      };
      front[tenant] = { ...front[tenant], count: done, cost: done };
      this.backlog[tenant] = left;
    }
    this.agent.report({ "r:disk": disk, "p:front": front }, { feeds: this.#first ? [["svc/front", "r:disk"]] : [] });
    this.#first = false;
  }
}

function rounded(value: number | null | undefined): string {
  return value === null || value === undefined ? "-" : String(Number(value.toPrecision(2)));
}

function tell(
  script: (
    say: (line: string) => void,
    play: (windows: number, offered: Record<string, number>) => void,
    setup: ReturnType<typeof bench>,
    fluid: Fluid,
  ) => void,
): string {
  const setup = bench({ config: { policies: { "bottleneck-fairness": { params: { threshold: 8 } } } } });
  const fluid = new Fluid(new FakeAgent(setup.controller, "svc", "a").connect());
  const lines: string[] = [];
  let told = 0;
  const events = () => {
    for (const { kind, message } of setup.events.slice(told) as ControllerEvent[]) lines.push(`      [${kind}] ${message}`);
    told = setup.events.length;
  };
  const play = (windows: number, offered: Record<string, number>) => {
    for (let i = 0; i < windows; i++) {
      fluid.window(offered);
      setup.run(1);
      events();
      const view = setup.controller.view();
      const pairs = Object.keys(offered).map((tenant) => {
        const pair = view.points[0]?.tenants[tenant];
        return `${tenant} ${rounded(pair?.throughputPerSec)}/s limit ${rounded(pair?.ratePerSec)}`;
      });
      const second = Math.round(setup.clock.nowUs() / WINDOW_US);
      lines.push(`${String(second).padStart(3)} s  slowdown ${rounded(view.resources[0]?.slowdown)}  ${pairs.join("  ")}`);
    }
  };
  script((line) => lines.push(`-- ${line}`), play, setup, fluid);
  return `${lines.join("\n")}\n`;
}

test("a flood comes, is held, and goes", async () => {
  const story = tell((say, play, { controller }) => {
    say("calm: two tenants, far from full");
    play(3, { web: 100, batch: 200 });
    say("the batch tenant floods");
    play(12, { web: 100, batch: 5_000 });
    say(controller.explain("batch").sentence);
    say("it ebbs");
    play(8, { web: 100, batch: 200 });
    say(controller.explain("batch").sentence);
  });
  await expect(story).toMatchFileSnapshot("stories/flood.txt");
});

test("the operator switches to observe in the middle of it, and back", async () => {
  const story = tell((say, play, { controller }) => {
    play(6, { web: 100, batch: 5_000 });
    say("observe");
    controller.setPolicy("bottleneck-fairness", { mode: "observe" });
    play(4, { web: 100, batch: 5_000 });
    say(controller.explain("batch").sentence);
    say("enforce");
    controller.setPolicy("bottleneck-fairness", { mode: "enforce" });
    play(6, { web: 100, batch: 5_000 });
  });
  await expect(story).toMatchFileSnapshot("stories/observe.txt");
});

test("the agent falls silent, is given up, and comes back", async () => {
  const story = tell((say, play, { run, controller }, fluid) => {
    play(6, { web: 100, batch: 5_000 });
    say("its stream is cut");
    fluid.agent.cut();
    run(5);
    say(`live: ${controller.view().instances[0].live}`);
    say("it is back");
    fluid.agent.connect();
    play(6, { web: 100, batch: 5_000 });
  });
  await expect(story).toMatchFileSnapshot("stories/silence.txt");
});
