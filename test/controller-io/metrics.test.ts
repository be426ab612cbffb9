import { afterAll, beforeAll, expect, test } from "vitest";
import { type ControllerEvent, createController, type RunningController } from "../../controller/io/index.js";
import { MAX_MESSAGE_BYTES } from "../../proto/io/codec.js";
import { emptyRows } from "../../proto/messages.js";
import { connectTo, helloOf, RawSession } from "../wire/raw-session.js";

let controller: RunningController;
beforeAll(async () => {
  // One report must do however slow the machine is: the instance is not given up for want of a second one.
  const config = { windowUs: 50_000, deadAfterWindows: 100, metricsTopTenants: 3 };
  controller = await createController({ grpcPort: 0, httpPort: 0, config });
});
afterAll(() => controller.close());

test("the largest tenants have a label of their own, all others share one, whatever they are called", async () => {
  const client = connectTo(controller.grpcPort);
  const session = new RawSession(client);
  session.send({ hello: helloOf("one") });
  await session.receive((message) => message.welcome);
  const indices = Array.from({ length: 40 }, (_, i) => i);
  const steps = indices.map((i) => (i === 0 ? 0 : 1));
  session.send({
    report: {
      sequence: 1,
      baseSequence: 0,
      windowUs: 1_000_000,
      heldEpoch: 0,
      heldSequence: 0,
      tenants: indices.map((index) => ({ index, name: `tenant "${index}"\\` })),
      meters: [
        { index: 0, name: "disk", kind: 0, unit: "us", slots: 0 },
        { index: 1, name: "read", kind: 1, unit: "requests", slots: 0 },
      ],
      rows: [
        { ...emptyRows(0), tenant: steps, count: indices.map(() => 1), serviceUs: indices.map((i) => 1_000 * (i + 1)) },
        {
          ...emptyRows(1),
          tenant: steps,
          count: indices.map(() => 2),
          cost: indices.map(() => 2),
          waiting: indices.map(() => 1),
        },
      ],
      feeds: [],
    },
  });
  await session.receive((message) => message.acknowledgement);
  while (controller.view().resources.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const text = await (await fetch(`http://127.0.0.1:${controller.httpPort}/metrics`)).text();
  session.cancel();
  client.close();

  const loads = lines(text, "tenantry_resource_load");
  expect(loads.map(({ tenant }) => tenant).sort()).toEqual([
    "others",
    'tenant \\"37\\"\\\\',
    'tenant \\"38\\"\\\\',
    'tenant \\"39\\"\\\\',
  ]);
  const total = loads.reduce((sum, { value }) => sum + value, 0);
  const named = loads.filter(({ tenant }) => tenant !== "others").reduce((sum, { value }) => sum + value, 0);
  // 38 + 39 + 40 of 1 + 2 + … + 40, whatever the averaging made of the whole.
  expect(named / total).toBeCloseTo(117 / 820, 6);
  expect(lines(text, "tenantry_point_queued").map(({ tenant }) => tenant)).toContain("others");
  expect(text).toMatch(/^tenantry_controller_reports_total 1$/m);
  expect(text).toMatch(/^tenantry_controller_tuples_total 80$/m);
  expect(text).toMatch(/^tenantry_instances\{service="storage"\} [01]$/m);
});

test("a message over the size limit costs its stream, is counted, and is said once", async () => {
  const events: ControllerEvent[] = [];
  const other = await createController({ grpcPort: 0, httpPort: 0, onEvent: (event) => events.push(event) });
  const client = connectTo(other.grpcPort);
  for (let i = 0; i < 2; i++) {
    const session = new RawSession(client);
    session.send({ hello: helloOf("one") });
    await session.receive((message) => message.welcome);
    session.sendBytes(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    expect(await session.over).toMatchObject({ status: 8 });
  }
  client.close();
  const text = await (await fetch(`http://127.0.0.1:${other.httpPort}/metrics`)).text();
  await other.close();
  expect(text).toMatch(/^tenantry_controller_oversized_messages_total 2$/m);
  const told = events.filter(({ kind }) => kind === "bound");
  expect(told).toHaveLength(1);
  expect(told[0]).toMatchObject({ code: "TOO_MANY", message: expect.stringContaining("maxTenantsPerInstance") });
});

function lines(text: string, name: string): { tenant: string; value: number }[] {
  return [...text.matchAll(new RegExp(`^${name}\\{.*tenant="((?:[^"\\\\]|\\\\.)*)".*\\} (\\S+)$`, "gm"))].map((match) => ({
    tenant: match[1],
    value: Number(match[2]),
  }));
}
