import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAgent, type ServiceAgent, TenantryError } from "../../enforcement/io/index.js";
import { StandIn } from "./stand-in.js";

const closers: (() => unknown)[] = [];
let agent: ServiceAgent;

beforeEach(() => {
  agent = createAgent({ service: "storage", controller: false });
  closers.push(() => agent.close());
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the tenant of a request", () => {
  test("is unknown outside any run, and inside it is whom it was given", () => {
    expect(agent.tenant()).toBe("unknown");
    expect(agent.run("acme", () => agent.tenant())).toBe("acme");
    expect(agent.tenant()).toBe("unknown");
  });

  test("inner runs are for whom they say, and give back what they return", () => {
    const seen = agent.run("a", () => [
      agent.tenant(),
      agent.run("b", () => agent.tenant()),
      agent.run("a", () => agent.tenant()),
      agent.tenant(),
    ]);
    expect(seen).toEqual(["a", "b", "a", "a"]);
    expect(() =>
      agent.run("a", () => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(agent.tenant()).toBe("unknown");
  });

  test("goes along with awaits, timers, emitters and streams, interleaved", async () => {
    const walk = async () => {
      const seen: string[] = [agent.tenant()];
      await Promise.resolve();
      seen.push(agent.tenant());
      await sleep(1);
      seen.push(agent.tenant());
      await new Promise<void>((resolve) => setImmediate(() => resolve(void seen.push(agent.tenant()))));
      const emitter = new EventEmitter();
      setTimeout(() => emitter.emit("done"), 1);
      await once(emitter, "done");
      seen.push(agent.tenant());
      await pipeline(
        Readable.from(["x", "y"]),
        new Transform({
          transform(chunk, _encoding, done) {
            seen.push(agent.tenant());
            setImmediate(() => done(null, chunk));
          },
        }),
        async (source) => {
          for await (const _chunk of source) seen.push(agent.tenant());
        },
      );
      return seen;
    };
    const tenants = ["a", "b", "c"];
    const all = await Promise.all(tenants.map((tenant) => agent.run(tenant, walk)));
    all.forEach((seen, i) => {
      expect(new Set(seen)).toEqual(new Set([tenants[i]]));
      expect(seen.length).toBeGreaterThan(7);
    });
  });

  test("an id that is none is refused at the edge, and nothing runs", () => {
    for (const bad of ["", "a\nb", "x".repeat(129), " a", undefined, null, 7, { tenant: "a" }]) {
      let ran = false;
      const refused = () =>
        agent.run(bad as string, () => {
          ran = true;
        });
      expect(refused).toThrow(expect.objectContaining({ code: "BAD_TENANT" }));
      expect(ran).toBe(false);
    }
    expect(() => agent.run("a", "b" as never)).toThrow(TenantryError);
  });

  test("ten thousand invented tenants: memory stays bounded, and each is still served under its own name", async () => {
    const lines: string[] = [];
    const bounded = createAgent({ service: "s", controller: false, maxTenants: 50, log: (line) => lines.push(line) });
    closers.push(() => bounded.close());
    const point = bounded.controlPoint("p", { slots: 2 });
    const seen = await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => bounded.run(`t${i}`, () => point.run(() => bounded.tenant()))),
    );
    expect(new Set(seen).size).toBe(10_000);
    expect(bounded.state.tenants).toBeLessThanOrEqual(50);
    expect(lines).toHaveLength(1);
  });

  test("agents of one process share the context: each resolves the tenant for itself", async () => {
    const controller = new StandIn();
    const other = createAgent({ service: "other", transport: controller, log: false });
    closers.push(() => other.close());
    await controller.until(() => other.state.connected);
    await agent.run("acme", () => agent.controlPoint("outer").run(() => other.resource("disk").use(() => {})));
    await other.close();
    expect(controller.sums("disk", "count")).toEqual({ acme: 1 });
    expect(controller.feeds()).toEqual(["storage/outer → disk"]);
  });
});

describe("across services, over real HTTP", () => {
  test("tenant, points passed and others' baggage arrive; resources downstream learn which points lead to them", async () => {
    const controller = new StandIn();
    const storage = createAgent({ service: "storage", transport: controller, log: false });
    const gateway = createAgent({ service: "gateway", controller: false, tenantHeader: "x-tenant" });
    closers.push(
      () => storage.close(),
      () => gateway.close(),
    );
    const disk = storage.resource("disk");
    const back = await listening(
      createServer(async (request, response) => {
        await storage.run(storage.extract(request.headers), () =>
          disk.use(async () => {
            for await (const _chunk of request);
            await sleep(1);
            response.end(JSON.stringify([storage.tenant(), storage.inject<Record<string, string>>({}).baggage]));
          }),
        );
      }),
    );
    const reads = gateway.controlPoint("read");
    const front = await listening(
      createServer((request, response) => {
        void gateway.run(gateway.extract(request.headers), () =>
          reads.run(async () => {
            const answer = await fetch(back, { method: "POST", body: "x", headers: gateway.inject({ accept: "*/*" }) });
            response.end(await answer.text());
          }),
        );
      }),
    );
    const ask = (headers: Record<string, string>) => fetch(front, { headers }).then((answer) => answer.json());
    const answers = await Promise.all([
      ask({ "x-tenant": "acme", baggage: "userTier=gold;p=1,tenant.id=ignored" }),
      ask({ baggage: "tenant.id=caf%C3%A9" }),
      ask({}),
    ]);
    expect(answers).toEqual([
      ["acme", "tenant.id=acme,tenant.via=gateway/read,userTier=gold;p=1"],
      ["café", "tenant.id=caf%C3%A9,tenant.via=gateway/read"],
      ["unknown", "tenant.via=gateway/read"],
    ]);
    await storage.close();
    expect(controller.sums("disk", "count")).toEqual({ acme: 1, café: 1, unknown: 1 });
    expect(controller.feeds()).toEqual(["gateway/read → disk"]);
  });

  test("nothing is written outside any run", () => {
    expect(agent.inject({ a: "b" })).toEqual({ a: "b" });
  });
});
