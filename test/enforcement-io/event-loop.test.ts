import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createAgent } from "../../enforcement/io/index.js";
import { StandIn } from "./stand-in.js";

/** Work counted in steps, not in time: a busy machine slows both tenants alike. A few tenths of a millisecond per unit. */
function work(units: number): number {
  let x = 1;
  for (let i = 0; i < units * 100_000; i++) x = (x * 48_271) % 2_147_483_647;
  return x;
}

test("two tenants at three to one: the loop's time is theirs in about that proportion", async () => {
  const controller = new StandIn();
  const agent = createAgent({ service: "storage", transport: controller, log: false });
  expect(() => agent.eventLoop({ duty: 0.9 })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  const loop = agent.eventLoop({ duty: 0.5 });
  expect(agent.eventLoop()).toBe(loop);
  expect(loop.name).toBe("event-loop");
  // Work before and after an await, in one turn and across turns: what timing the first segment alone would miss.
  const server = createServer(async (request, response) => {
    const context = agent.extract(request.headers);
    await agent.run(context, async () => {
      const units = context.tenant === "heavy" ? 3 : 1;
      work(units / 3);
      await Promise.resolve();
      work(units / 3);
      await new Promise((resolve) => setImmediate(resolve));
      response.end(String(work(units / 3)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const got = { heavy: 0, light: 0 };
  let stop = false;
  const client = async (tenant: "heavy" | "light") => {
    while (!stop) {
      await (await fetch(url, { headers: { baggage: `tenant.id=${tenant}` } })).text();
      got[tenant]++;
    }
  };
  const clients = [client("heavy"), client("light")];
  await controller.until(() => (controller.sums("event-loop", "count").heavy ?? 0) > 400);
  stop = true;
  await Promise.all(clients);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await agent.close();

  const load = controller.sums("event-loop", "serviceUs");
  // Each waits for its answer before it asks again, so they come about equally often: three quarters are the heavy one's.
  expect((3 * got.heavy) / (3 * got.heavy + got.light)).toBeGreaterThan(0.7);
  expect(load.heavy / (load.heavy + load.light)).toBeGreaterThan(0.6);
  // A turn that was ready waited for others: that is the slowdown.
  expect(controller.sums("event-loop", "waitUs").light).toBeGreaterThanOrEqual(0);
  expect(() => agent.eventLoop()).toThrow(expect.objectContaining({ code: "CLOSED" }));
});
