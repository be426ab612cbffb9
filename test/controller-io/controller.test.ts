import { readFileSync } from "node:fs";
import { request } from "node:http";
import { get } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CreateControllerOptions, createController, type RunningController } from "../../controller/io/index.js";
import { memoryStore } from "../../controller/state.js";
import { admin, call, codeOf, health } from "./client.js";

const certificates = join(import.meta.dirname, "certificates");
const pem = (name: string) => readFileSync(join(certificates, name));

let open: RunningController[] = [];
async function start(options: CreateControllerOptions = {}): Promise<RunningController> {
  const controller = await createController({ grpcPort: 0, httpPort: 0, ...options });
  open.push(controller);
  return controller;
}
beforeEach(() => {
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((controller) => controller.close()));
});

describe("over HTTP", () => {
  async function fetchText(path: string, init?: RequestInit): Promise<{ status: number; text: string; headers: Headers }> {
    const response = await fetch(`http://127.0.0.1:${open[0].httpPort}${path}`, init);
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  test("says how it is, and what it sees", async () => {
    const controller = await start();
    expect(await fetchText("/healthz")).toMatchObject({ status: 200, text: "ok\n" });
    expect((await fetchText("/")).text).toContain("/api/explain?tenant=ID");
    const view = await fetchText("/api/view");
    expect(view.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(JSON.parse(view.text)).toMatchObject({ epoch: 1, mode: "enforce", instances: [] });
    expect(JSON.parse(view.text)).toEqual(JSON.parse(JSON.stringify(controller.view())));
    const explanation = await fetchText("/api/explain?tenant=acme%20%26%20sons");
    expect(JSON.parse(explanation.text)).toMatchObject({ tenant: "acme & sons", known: false });
  });

  test("refuses what it does not understand, plainly", async () => {
    await start();
    expect(await fetchText("/api/explain")).toMatchObject({ status: 400 });
    expect(JSON.parse((await fetchText("/api/explain?tenant=%00")).text)).toMatchObject({ code: "BAD_TENANT" });
    expect(await fetchText("/nothing")).toMatchObject({ status: 404 });
    expect((await fetchText("/nothing")).text).toContain("/metrics");
    expect(await fetchText("/constructor")).toMatchObject({ status: 404 });
    const post = await fetchText("/api/view", { method: "POST", body: "{}" });
    expect(post.status).toBe(405);
    expect(post.headers.get("allow")).toBe("GET, HEAD");
    expect(await fetchText("/healthz", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  test("does not answer to a name that only pretends to be this machine", async () => {
    const { httpPort } = await start();
    const status = (host: string) =>
      new Promise((resolve, reject) => {
        const asking = request({ host: "127.0.0.1", port: httpPort, path: "/api/view", headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asking.on("error", reject).end();
      });
    expect(await status("evil.example")).toBe(403);
    expect(await status(`localhost:${httpPort}`)).toBe(200);
    expect(await status("[::1]:1")).toBe(200);
  });

  test("exports its own figures and the process's", async () => {
    await start();
    const second = await start();
    expect(second.httpPort).not.toBe(open[0].httpPort);
    const { text, headers } = await fetchText("/metrics");
    expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toMatch(/^tenantry_controller_epoch 1$/m);
    expect(text).toMatch(/^tenantry_controller_bad_messages_total 0$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    const names = text.split("\n").filter((line) => line.startsWith("# TYPE "));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("over gRPC", () => {
  test("health answers for every service, and reflection describes them", async () => {
    const { grpcPort } = await start();
    for (const service of ["", "tenantry.v1.Control", "tenantry.v1.Admin"]) {
      expect(await call(grpcPort, health, "Check", { service })).toEqual({ status: "SERVING" });
    }
    await expect(call(grpcPort, health, "Check", { service: "other" })).rejects.toMatchObject({ code: 5 });
    expect(await servicesByReflection(grpcPort)).toEqual(
      expect.arrayContaining(["grpc.health.v1.Health", "tenantry.v1.Admin", "tenantry.v1.Control"]),
    );
  });

  test("a client that watches health learns of the end, and does not delay it", async () => {
    const controller = await start();
    const client = new Client(`127.0.0.1:${controller.grpcPort}`, credentials.createInsecure());
    const { path, requestSerialize, responseDeserialize } = health.Watch;
    const seen: unknown[] = [];
    const over = new Promise<void>((resolve) => {
      const watch = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: "" });
      watch.on("data", (message) => {
        seen.push((message as { status: string }).status);
        if (seen.length === 1) void controller.close();
      });
      watch.on("error", () => resolve());
      watch.on("end", () => resolve());
    });
    await over;
    client.close();
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
  });

  test("settings are shown and changed while it runs, and kept", async () => {
    const store = memoryStore();
    const first = await start({ store });
    const port = first.grpcPort;
    expect(await call(port, admin, "SetTenant", { settings: { tenant: "acme", weight: 3 } })).toEqual({
      tenant: "acme",
      weight: 3,
      mode: "ENFORCE",
      caps: [],
      guarantees: [],
    });
    const caps = [{ point: "storage/read", ratePerSec: 0 }];
    const terms = { p99TargetUs: 5_000, tier: 0, caps, guarantees: [{ point: "storage/write", ratePerSec: 2.5 }] };
    expect(await call(port, admin, "SetTenant", { settings: { tenant: "acme", ...terms } })).toMatchObject(terms);
    const backAgain = { p99TargetUs: 0, caps: [{ point: "storage/read" }] };
    await call(port, admin, "SetTenant", { settings: { tenant: "acme", ...backAgain } });
    const twice = call(port, admin, "SetTenant", { settings: { tenant: "acme", caps: [...caps, ...caps] } });
    await expect(twice).rejects.toMatchObject({ details: expect.stringContaining('caps names "storage/read" twice') });
    await call(port, admin, "SetTenant", { settings: { tenant: "acme", mode: "OBSERVE" } });
    await call(port, admin, "SetPoint", { settings: { point: "storage/read", mode: "OFF" } });
    const policy = { policy: "bottleneck-fairness", params: { threshold: 7 }, mode: "OBSERVE" };
    expect(await call(port, admin, "SetPolicy", { settings: policy })).toMatchObject({ params: { threshold: 7, beta: 0.1 } });
    expect(await call(port, admin, "SetMode", { mode: "OBSERVE" })).toEqual({ mode: "OBSERVE" });
    await first.close();

    const { grpcPort } = await start({ store });
    expect(await call(grpcPort, admin, "ListTenants", {})).toEqual({
      tenants: [
        {
          tenant: "acme",
          weight: 3,
          mode: "OBSERVE",
          tier: 0,
          caps: [],
          guarantees: [{ point: "storage/write", ratePerSec: 2.5 }],
        },
      ],
    });
    expect(await call(grpcPort, admin, "ListPoints", {})).toEqual({ points: [{ point: "storage/read", mode: "OFF" }] });
    const { policies } = await call<{ policies: { policy: string; mode: string }[] }>(grpcPort, admin, "ListPolicies", {});
    expect(policies.find(({ policy }) => policy === "bottleneck-fairness")).toMatchObject({
      mode: "OBSERVE",
      params: { threshold: 7, alpha: 0.3 },
    });
    // Of those nobody said anything about, the stack is in force.
    expect(policies.filter(({ mode }) => mode === "ENFORCE").map(({ policy }) => policy)).toEqual([
      "latency-slo",
      "caps-and-guarantees",
    ]);
    expect(await call(grpcPort, admin, "GetMode", {})).toEqual({ mode: "OBSERVE" });
    const { json } = await call<{ json: string }>(grpcPort, admin, "GetView", {});
    expect(JSON.parse(json)).toMatchObject({ epoch: 2, mode: "observe" });
    const { sentence } = await call<{ sentence: string }>(grpcPort, admin, "Explain", { tenant: "acme" });
    expect(sentence).toContain("acme");
  });

  test.each([
    ["SetTenant", { settings: { tenant: "acme", weight: 0 } }, 3, "BAD_ARGUMENT"],
    ["SetTenant", { settings: { tenant: "acme", weight: -1 } }, 3, "BAD_ARGUMENT"],
    ["SetTenant", { settings: { tenant: "acme", weight: Number.NaN } }, 3, "BAD_ARGUMENT"],
    ["SetTenant", {}, 3, "BAD_ARGUMENT"],
    ["SetTenant", { settings: { tenant: "acme", mode: 9 } }, 3, "BAD_ARGUMENT"],
    ["SetPolicy", { settings: { policy: "none" } }, 5, "UNKNOWN"],
    ["SetPolicy", { settings: { policy: "bottleneck-fairness", params: { nope: 1 } } }, 3, "BAD_ARGUMENT"],
    ["SetPoint", { settings: { point: "no point" } }, 3, "BAD_ARGUMENT"],
    ["SetMode", {}, 3, "BAD_ARGUMENT"],
    ["Explain", { tenant: "" }, 3, "BAD_TENANT"],
  ])("%s %j is refused with a code and changes nothing", async (method, message, status, code) => {
    const { grpcPort, controller } = await start();
    const before = JSON.stringify([controller.listTenants(), controller.listPolicies(), controller.listPoints()]);
    const error = await call(grpcPort, admin, method, message).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: status });
    expect(codeOf(error)).toBe(code);
    expect(JSON.stringify([controller.listTenants(), controller.listPolicies(), controller.listPoints()])).toBe(before);
  });
});

describe("where it listens", () => {
  test.each(["gRPC", "HTTP"])(
    "a taken %s port is said plainly, with the way out, and leaves nothing open or changed",
    async (what) => {
      const taken = createServer();
      const port = await new Promise<number>((resolve) => {
        taken.listen(0, "127.0.0.1", () => resolve((taken.address() as { port: number }).port));
      });
      const store = memoryStore();
      const ports = what === "gRPC" ? { grpcPort: port, httpPort: 0 } : { grpcPort: 0, httpPort: port };
      const refusal = await createController({ ...ports, store }).catch((error: unknown) => error);
      taken.close();
      expect(refusal).toMatchObject({ code: "ADDRESS_IN_USE" });
      expect((refusal as Error).message).toContain(`${what} port ${port} on 127.0.0.1 is taken`);
      expect((refusal as Error).message).toContain(`--${what.toLowerCase()}-port`);
      expect(store.state).toBeUndefined();
    },
  );

  test.each(["0.0.0.0", "192.0.2.1", "::", "example.com"])("%s without TLS is refused", async (host) => {
    for (const side of ["grpc", "http"] as const) {
      const refusal = createController({ grpcPort: 0, httpPort: 0, config: { [side]: { host } } });
      await expect(refusal).rejects.toMatchObject({ code: "BAD_CONFIG" });
      await expect(refusal).rejects.toThrow(/reached from other machines, and there is no TLS/);
    }
  });

  test("a bad port is refused", async () => {
    await expect(createController({ grpcPort: 70_000 })).rejects.toThrow(/gRPC port 70000 is none/);
    const given: [unknown, RegExp][] = [
      [{ tenants: { a: { weight: 2 } } }, /"tenants" is no option; expected config: { tenants: … }/],
      [{ cofnig: {} }, /"cofnig" is no option; expected one of config, grpcPort/],
      [null, /null is given; expected an object of options/],
      [{ policies: {} }, /policies is \[object Object\]; expected a list of policies/],
      [{ policies: [{ name: "x" }] }, /a policy is an object with name, params and decide/],
      [{ onEvent: 5 }, /onEvent is 5; expected a function/],
    ];
    for (const [options, says] of given) await expect(createController(options as object)).rejects.toThrow(says);
    const circle: { tenants?: object } = {};
    circle.tenants = { a: circle };
    await expect(createController({ config: circle as object })).rejects.toThrow(/config contains itself/);
  });

  test("with TLS, both sides are encrypted, and only callers with a certificate are let in when a CA is given", async () => {
    const tls = {
      cert: join(certificates, "controller.pem"),
      key: join(certificates, "controller.key"),
      ca: join(certificates, "ca.pem"),
    };
    const { grpcPort, httpPort } = await start({ config: { tls, grpc: { host: "0.0.0.0" } } });
    const known = credentials.createSsl(pem("ca.pem"), pem("agent.key"), pem("agent.pem"));
    expect(await call(grpcPort, health, "Check", { service: "" }, known)).toEqual({ status: "SERVING" });
    for (const stranger of [credentials.createSsl(pem("ca.pem")), credentials.createInsecure()]) {
      await expect(call(grpcPort, health, "Check", { service: "" }, stranger)).rejects.toMatchObject({ code: 14 });
    }
    const httpsStatus = (identity: object) =>
      new Promise((resolve, reject) => {
        const asking = get(`https://localhost:${httpPort}/healthz`, { ca: pem("ca.pem"), ...identity }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asking.on("error", reject);
      });
    expect(await httpsStatus({ cert: pem("agent.pem"), key: pem("agent.key") })).toBe(200);
    await expect(httpsStatus({})).rejects.toThrow();
  });

  test("a certificate lets one look; to change something one must be named", async () => {
    const tls = {
      cert: join(certificates, "controller.pem"),
      key: join(certificates, "controller.key"),
      ca: join(certificates, "ca.pem"),
    };
    const agent = credentials.createSsl(pem("ca.pem"), pem("agent.key"), pem("agent.pem"));
    const acme = { settings: { tenant: "acme", weight: 3 } };
    for (const administrators of [undefined, ["ops"]]) {
      const { grpcPort, controller } = await start({ config: { tls, ...(administrators && { administrators }) } });
      expect(await call(grpcPort, admin, "ListTenants", {}, agent)).toEqual({ tenants: [] });
      const refusal = await call(grpcPort, admin, "SetTenant", acme, agent).catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: 7,
        details: expect.stringMatching(/^nothing was changed: .*"agent".*"administrators"/),
      });
      expect(codeOf(refusal)).toBe("NOT_ALLOWED");
      expect(controller.listTenants()).toEqual([]);
    }
    const { grpcPort } = await start({ config: { tls, administrators: ["ops", "agent"] } });
    expect(await call(grpcPort, admin, "SetTenant", acme, agent)).toMatchObject({ tenant: "acme", weight: 3 });
  });

  test("certificates that cannot be used are said plainly", async () => {
    const missing = createController({ config: { tls: { cert: "/none.pem", key: "/none.key" } } });
    await expect(missing).rejects.toThrow(/tls\.cert: \/none\.pem cannot be read \(ENOENT\)/);
    const mismatched = { cert: join(certificates, "controller.pem"), key: join(certificates, "agent.key") };
    await expect(createController({ config: { tls: mismatched } })).rejects.toThrow(/tls: certificate and key cannot be used/);
  });
});

test("settings given as an object are refused whole", async () => {
  const config = { windowUs: 1, mode: "on", frob: 1 } as never;
  await expect(createController({ config })).rejects.toThrow(/^3 mistakes in the configuration:\n/);
});

test("closing twice is harmless", async () => {
  const controller = await start();
  await Promise.all([controller.close(), controller.close()]);
});

/** Asks the standard reflection service which services there are, speaking its bytes. */
function servicesByReflection(port: number): Promise<string[]> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const stream = client.makeBidiStreamRequest("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", same, same);
  return new Promise<string[]>((resolve, reject) => {
    stream.on("error", reject);
    stream.on("data", (bytes: Buffer) => {
      resolve([...bytes.toString("latin1").matchAll(/[a-z]+(?:\.[A-Za-z0-9]+)+/g)].map(([name]) => name));
      stream.end();
    });
    // ServerReflectionRequest { list_services: "*" }
    stream.write(Buffer.from([0x3a, 1, 0x2a]));
  }).finally(() => client.close());
}
