/**
 * Golden stories: what a service lives through, line by line, on a virtual clock. When one changes, read the difference; if it is
 * what you meant, `npx vitest run test/enforcement/stories.test.ts -u` writes it down.
 */
import { expect, test } from "vitest";
import type { PointOptions } from "../../enforcement/index.js";
import { Service } from "./service.js";

/** A service whose log lines carry the time, and whose requests take `serviceMs` each once they run. */
class Story {
  readonly lines: string[] = [];
  readonly service: Service;
  readonly #startUs: number;

  constructor(options: PointOptions) {
    this.service = new Service(options);
    this.#startUs = this.service.clock.nowUs();
    this.service.log.push = (...lines: string[]) => this.lines.push(...lines.map((line) => this.#timed(line)));
    this.service.events.push = (...events) => this.lines.push(...events.map(({ message }) => this.#timed(`-- ${message}`)));
    this.service.agent.start();
  }

  tell(line: string): this {
    this.lines.push(this.#timed(`== ${line}`));
    return this;
  }

  ask(tenant: string, count: number, serviceMs: number, deadlineInUs?: number): this {
    const { service } = this;
    for (let i = 0; i < count; i++) {
      service.submit(tenant, {
        deadlineInUs,
        onStart: (request) => service.clock.at(service.clock.nowUs() + serviceMs * 1_000, () => service.point.complete(request)),
      });
    }
    return this;
  }

  wait(ms: number): this {
    this.service.clock.advance(ms * 1_000);
    const { session } = this.service.controller;
    if (this.service.agent.state.reportsSent > this.service.agent.state.reportsAcknowledged && !session.closed)
      this.service.controller.acknowledge();
    return this;
  }

  #timed(line: string): string {
    return `${((this.service.clock.nowUs() - this.#startUs) / 1_000).toFixed(0).padStart(6)} ms  ${line}`;
  }

  get text(): string {
    return `${this.lines.join("\n")}\n`;
  }
}

test("a flood meets two slots, alone with the fair scheduler", async () => {
  const story = new Story({ slots: 2, queueLimit: 8 });
  story.tell("one tenant floods").ask("flood", 6, 100).wait(50);
  story.tell("a calm one comes").ask("calm", 2, 10).wait(100);
  story.tell("the flood goes on, and a third comes in a hurry").ask("flood", 8, 100).ask("hasty", 1, 10, 120_000).wait(2_000);
  await expect(story.text).toMatchFileSnapshot("stories/flood-and-slots.txt");
});

test("a rate comes, is lowered, raised and taken away; the controller goes and returns", async () => {
  const story = new Story({});
  const { service } = story;
  const allow = (ratePerSec: number, fallbackPerSec: number) => {
    story.tell(`the controller allows flood ${ratePerSec}/s, ${fallbackPerSec}/s should it be lost`);
    service.controller.allocate([{ point: "s/p", tenant: "flood", ratePerSec, fallbackPerSec, burst: 1 }]);
  };
  service.controller.welcome();
  allow(2, 1);
  story.ask("flood", 4, 10).ask("calm", 1, 10).wait(600);
  allow(10, 1);
  story.wait(100);
  allow(0, 1);
  story.ask("flood", 1, 10).wait(10);
  allow(4, 1);
  story.ask("flood", 12, 10).wait(500).tell("the controller dies");
  service.controller.session.handlers.onClosed();
  story.wait(12_000).tell("another takes over");
  service.controller.epoch = 2;
  service.controller.welcome();
  allow(2, 1);
  story.ask("flood", 3, 10).wait(400).tell("the flood is over: nothing is limited");
  service.controller.allocate([]);
  story.wait(10);
  service.agent.close(() => story.tell("closed"));
  story.wait(2_000);
  await expect(story.text).toMatchFileSnapshot("stories/rates-and-loss.txt");
});
