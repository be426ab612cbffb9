/** A group commit as a service writes it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAgent, type ServiceAgent } from "../../enforcement/io/index.js";
import { StandIn } from "./stand-in.js";

let agent: ServiceAgent;

beforeEach(() => {
  agent = createAgent({ service: "storage", controller: false });
});
afterEach(() => agent.close());

describe("a batch", () => {
  test("runs once, for whoever contributed, and gives back what it did", async () => {
    const journal = agent.resource("journal", { slots: 1 });
    const batch = journal.batch();
    agent.run("acme", () => batch.add(300));
    agent.run("globex", () => batch.add(50));
    agent.run("globex", () => batch.add(50));
    agent.run("idle", () => batch.add(0));
    expect(batch.size).toBe(2);
    let running = 0;
    const done = await batch.run(async (use) => {
      running = journal.running;
      use.charge(400);
      return "synced";
    });
    expect([done, running, journal.running]).toEqual(["synced", 1, 0]);
  });

  test("each contributor is charged its part, and the points its request passed lead to the resource", async () => {
    const controller = new StandIn();
    const storage = createAgent({ service: "storage", transport: controller, log: false });
    await controller.until(() => storage.state.connected);
    const network = storage.resource("network", { unit: "bytes" });
    const batch = network.batch();
    await storage.run("acme", () => storage.controlPoint("put").run(() => batch.add(3)));
    await storage.run("globex", () => storage.controlPoint("copy").run(() => batch.add(1)));
    await batch.run((use) => use.charge(4_000));
    await storage.close();
    expect(controller.sums("network", "cost")).toEqual({ acme: 3_000, globex: 1_000 });
    expect(controller.feeds()).toEqual(["storage/copy → network", "storage/put → network"]);
  });

  test("waits for a slot like any other use, and leaves the queue when aborted", async () => {
    const journal = agent.resource("journal", { slots: 1 });
    let finish = () => {};
    const first = journal.use(() => new Promise<void>((resolve) => (finish = resolve)));
    const batch = journal.batch();
    agent.run("acme", () => batch.add());
    const controller = new AbortController();
    const second = batch.run({ signal: controller.signal }, () => "never");
    expect(journal.waiting).toBe(1);
    controller.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    expect(journal.waiting).toBe(0);
    finish();
    await first;
  });

  test("without contributions it is a use by whoever runs it", async () => {
    const journal = agent.resource("journal");
    expect(await agent.run("acme", () => journal.batch().run(() => agent.tenant()))).toBe("acme");
  });

  test("misuse is told with a code: parts that are none, too late, twice, without a function", async () => {
    const batch = agent.resource("journal").batch();
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "3" as never]) {
      expect(() => batch.add(wrong)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    }
    await batch.run(() => {});
    expect(() => batch.add(1)).toThrow(expect.objectContaining({ code: "BAD_JOB" }));
    await expect(batch.run(() => {})).rejects.toMatchObject({ code: "BAD_JOB" });
    const slip = agent.resource("journal").batch();
    slip.add(1);
    await expect(slip.run(undefined as never)).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    expect(await slip.run(() => slip.size), "what was contributed is not lost").toBe(1);
  });
});
