import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAgent, rateLimitHeaders, refuse, type ServiceAgent, ThrottledError } from "../../enforcement/io/index.js";
import { TenantryError } from "../../proto/errors.js";
import { StandIn } from "./stand-in.js";

let controller: StandIn;
let agent: ServiceAgent;
let lines: string[];

beforeEach(async () => {
  controller = new StandIn();
  lines = [];
  agent = createAgent({ service: "storage", instance: "one", transport: controller, log: (line) => lines.push(line) });
  await controller.until(() => controller.hellos.length > 0 && agent.state.connected);
});
afterEach(() => agent.close());

describe("with a controller", () => {
  test("says who it is, with a boot of its own", () => {
    expect(controller.hellos[0]).toMatchObject({ service: "storage", instance: "one" });
    expect(controller.hellos[0].boot).toMatch(/^[0-9a-f]{16}$/);
  });

  test("a rate holds its tenant back and nobody else; the error says who, where, why and when", async () => {
    const point = agent.controlPoint("read");
    await agent.run("slow", () => point.run(() => {}));
    controller.limit([{ point: "storage/read", tenant: "slow", ratePerSec: 0.5, burst: 1, reason: "fairness|storage/disk" }]);
    await agent.run("slow", () => point.throttle({ deadlineMs: 10_000 }));
    const refused = agent.run("slow", () => point.run({ deadlineMs: 1 }, () => expect.unreachable()));
    await expect(refused).rejects.toMatchObject({
      name: "ThrottledError",
      code: "DEADLINE",
      tenant: "slow",
      point: "read",
      because: "fairness|storage/disk",
    });
    const error = (await refused.catch((e) => e)) as ThrottledError;
    expect(error.retryAfterMs).toBeGreaterThan(100);
    expect(Number(rateLimitHeaders(error)["retry-after"])).toBeLessThanOrEqual(2);
    expect([point.ratePerSec("slow"), agent.run("slow", () => point.ratePerSec())]).toEqual([0.5, 0.5]);
    expect(point.ratePerSec()).toBe(Number.POSITIVE_INFINITY);
    expect(await agent.run("fast", () => point.run({ deadlineMs: 1 }, () => "fast"))).toBe("fast");
  });

  test("zero is zero, and a raise wakes who waits at once", async () => {
    const point = agent.controlPoint("read");
    await agent.run("a", () => point.run(() => {}));
    controller.limit([{ point: "storage/read", tenant: "a", ratePerSec: 0 }]);
    await expect(agent.run("a", () => point.run(() => {}))).rejects.toMatchObject({ code: "RATE_ZERO" });
    controller.limit([{ point: "storage/read", tenant: "a", ratePerSec: 1e-6 }]);
    await agent.run("a", () => point.throttle({ cost: 1, deadlineMs: 1 })).catch(() => {});
    const waits = agent.run("a", () => point.run(() => agent.tenant()));
    expect(point.waiting).toBe(1);
    controller.limit([]);
    expect(await waits).toBe("a");
  });

  test("who gives up while held back gives its tokens back", async () => {
    const point = agent.controlPoint("read");
    await agent.run("a", () => point.run(() => {}));
    controller.limit([{ point: "storage/read", tenant: "a", ratePerSec: 1e-6, burst: 1 }]);
    await agent.run("a", () => point.throttle({ deadlineMs: 1 })).catch(() => {});
    const abort = new AbortController();
    const waits = agent.run("a", () => point.throttle({ signal: abort.signal }));
    abort.abort(new Error("given up"));
    await expect(waits).rejects.toThrow("given up");
    expect(point.waiting).toBe(0);
  });

  test("what was used is reported, with the last of it sent by close", async () => {
    const disk = agent.resource("disk", { slots: 1 });
    const network = agent.resource("network", { unit: "bytes" });
    await agent.run("a", () => Promise.all([disk.use(() => new Promise((r) => setTimeout(r, 5))), disk.use(() => {})]));
    await agent.run("b", async () => {
      network.record(1_000);
      network.record(24, { count: 3 });
      await network.use(async (use) => {
        use.charge(10);
        use.charge(1_000);
      });
    });
    await agent.close();
    expect(controller.sums("disk", "count")).toEqual({ a: 2 });
    expect(controller.sums("disk", "waitUs").a).toBeGreaterThan(3_000);
    expect(controller.sums("disk", "serviceUs").a).toBeGreaterThan(3_000);
    expect(controller.sums("network", "cost")).toEqual({ b: 2_024 });
    expect(controller.sums("network", "count")).toEqual({ b: 5 });
  });

  test("an aborted use leaves the resource's queue", async () => {
    const disk = agent.resource("disk", { slots: 1 });
    let done = () => {};
    const held = disk.use(() => new Promise<void>((resolve) => (done = resolve)));
    const abort = new AbortController();
    const waits = disk.use({ signal: abort.signal }, () => expect.unreachable());
    expect([disk.running, disk.waiting]).toEqual([1, 1]);
    abort.abort(new Error("given up"));
    await expect(waits).rejects.toThrow("given up");
    expect(disk.waiting).toBe(0);
    done();
    await held;
    await expect(disk.use({ signal: abort.signal }, () => {})).rejects.toThrow("given up");
    expect(() => disk.record(-1)).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
  });

  test("an outage is one line in the log, however often it tries again, and its end another", async () => {
    const before = lines.length;
    expect(before).toBeLessThanOrEqual(1);
    controller.cut(new TenantryError("UNAVAILABLE", "connection refused"));
    await controller.until(() => controller.hellos.length > 1 && agent.state.connected);
    const told = lines.slice(before);
    expect(told.length).toBeLessThanOrEqual(3);
    expect(told.every((line) => line.startsWith("tenantry storage: ") && !line.includes("\n"))).toBe(true);
    expect(told.some((line) => line.includes("connection refused"))).toBe(true);
  });

  test("at an HTTP edge a refused request is answered 429, a bad tenant 400", async () => {
    const point = agent.controlPoint("read");
    await agent.run("acme", () => point.run(() => {}));
    controller.limit([{ point: "storage/read", tenant: "acme", ratePerSec: 0 }]);
    const server = createServer(async (request, response) => {
      try {
        await agent.run(agent.extract(request.headers), () => point.run(() => response.end("ok")));
      } catch (error) {
        if (error instanceof ThrottledError) refuse(response, error, { ratePerSec: point.ratePerSec(error.tenant) });
        else response.writeHead(error instanceof TenantryError && error.code === "BAD_TENANT" ? 400 : 500).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const answer = await fetch(url, { headers: { baggage: "tenant.id=acme" } });
      expect(answer.status).toBe(429);
      expect(answer.headers.get("ratelimit-policy")).toBe('"read";q=0;w=1;pk=:YWNtZQ==:');
      expect((await fetch(url, { headers: { baggage: "tenant.id=other" } })).status).toBe(200);
      expect((await fetch(url, { headers: { baggage: "tenant.id=%00" } })).status).toBe(400);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe("options", () => {
  test("that make no sense are refused with a code, before anything starts", () => {
    for (const [options, code] of [
      [undefined, "BAD_ARGUMENT"],
      [{ service: "not a name" }, "BAD_NAME"],
      [{ service: "s", controller: "nonsense" }, "BAD_ARGUMENT"],
      [{ service: "s", tenantHeader: "a b" }, "BAD_ARGUMENT"],
      [{ service: "s", endAfterMs: -1 }, "BAD_ARGUMENT"],
      [{ service: "s", controler: "localhost:1" }, "BAD_ARGUMENT"],
      [{ service: "s", log: "loud" }, "BAD_ARGUMENT"],
    ] as const) {
      expect(() => createAgent(options as never), JSON.stringify(options)).toThrow(expect.objectContaining({ code }));
    }
  });

  test("the environment names the controller where the program does not; false outranks it", async () => {
    process.env.TENANTRY_CONTROLLER = "nonsense";
    try {
      expect(() => createAgent({ service: "s" })).toThrow(/TENANTRY_CONTROLLER: .*nonsense/);
      await createAgent({ service: "s", controller: false }).close();
      process.env.TENANTRY_CONTROLLER = " ";
      await createAgent({ service: "s" }).close();
    } finally {
      delete process.env.TENANTRY_CONTROLLER;
    }
  });
});
