import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { Server as GrpcServer, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { createController, type RunningController } from "../../controller/io/index.js";
import { grpcTransport } from "../../enforcement/io/grpc-transport.js";
import type { TenantryError } from "../../proto/errors.js";
import { encodeControllerMessage, MAX_MESSAGE_BYTES, SESSION_PATH } from "../../proto/io/codec.js";
import { emptyAllocation, emptyRows, type Hello, type Report } from "../../proto/messages.js";
import type { AgentSession, SessionHandlers } from "../../proto/ports.js";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

const hello: Hello = { service: "storage", instance: "one", boot: "b1", acknowledgedSequence: 0 };
const report: Report = {
  sequence: 1,
  baseSequence: 0,
  windowUs: 1_000_000,
  heldEpoch: 0,
  heldSequence: 0,
  tenants: [{ index: 0, name: "acme" }],
  meters: [{ index: 0, name: "disk", kind: 0, unit: "us", slots: 0 }],
  rows: [{ ...emptyRows(0), tenant: [0], count: [1], serviceUs: [500] }],
  feeds: [],
};

type News = { kind: string; body?: unknown; error?: TenantryError };

/** Opens a session and keeps all that comes of it. */
class Listener implements SessionHandlers {
  readonly news: News[] = [];
  readonly session: AgentSession;
  #tell: () => void = () => {};
  #read = 0;

  constructor(controller: string, tls?: object) {
    this.session = grpcTransport({ controller, tls }).open(hello, this);
    expect(this.news).toEqual([]);
  }
  onWelcome(body: unknown): void {
    this.#add({ kind: "welcome", body });
  }
  onAcknowledgement(body: unknown): void {
    this.#add({ kind: "acknowledgement", body });
  }
  onAllocation(body: unknown): void {
    this.#add({ kind: "allocation", body });
  }
  onClosed(error?: TenantryError): void {
    this.#add({ kind: "closed", error });
  }
  #add(news: News): void {
    this.news.push(news);
    this.#tell();
  }

  /** The next piece of news of this kind; others are passed over. */
  async next(kind: string): Promise<News> {
    for (;;) {
      while (this.#read < this.news.length) {
        const news = this.news[this.#read++];
        if (news.kind === kind) return news;
      }
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
    }
  }
}

async function controllerRuns(): Promise<RunningController> {
  const controller = await createController({ grpcPort: 0, httpPort: 0, config: { windowUs: 100_000 } });
  closers.push(() => controller.close());
  return controller;
}

/** A server that does with the stream whatever a test wants. */
async function strangeController(conduct: (call: ServerDuplexStream<Buffer, Buffer>) => void): Promise<string> {
  const same = (bytes: Buffer) => bytes;
  const coding = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  const server = new GrpcServer();
  const definition = { session: { path: SESSION_PATH, requestStream: true, responseStream: true, ...coding } } as const;
  server.addService(definition, { session: conduct });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  closers.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

async function listening(onConnection: (socket: Socket) => void): Promise<{ address: string; server: Server }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as { port: number }).port}`, server };
}

const welcome = Buffer.from(
  encodeControllerMessage({ welcome: { epoch: 1, appliedSequence: 0, windowUs: 1_000_000, maxTenants: 10, maxMeters: 10 } }),
);

describe("with a live controller", () => {
  test.each(["127.0.0.1", "localhost"])("at %s: welcome, acknowledgement, allocation, and an end without error", async (host) => {
    const { grpcPort, view } = await controllerRuns();
    const agent = new Listener(`${host}:${grpcPort}`);
    expect((await agent.next("welcome")).body).toMatchObject({ epoch: 1, appliedSequence: 0, windowUs: 100_000 });
    agent.session.send(report);
    expect((await agent.next("acknowledgement")).body).toEqual({ sequence: 1 });
    expect((await agent.next("allocation")).body).toEqual({ ...emptyAllocation(1, expect.any(Number), expect.any(Number)) });
    expect(view().instances).toMatchObject([{ service: "storage", instance: "one" }]);
    agent.session.close();
    agent.session.close();
    expect(await agent.next("closed")).toEqual({ kind: "closed", error: undefined });
    expect(agent.news.filter(({ kind }) => kind === "closed")).toHaveLength(1);
  });

  test("what was sent before close arrives", async () => {
    const { grpcPort, controller } = await controllerRuns();
    const agent = new Listener(`127.0.0.1:${grpcPort}`);
    await agent.next("welcome");
    agent.session.send(report);
    agent.session.close();
    await agent.next("closed");
    expect(controller.counters.reports).toBe(1);
  });

  test("a refusal arrives with its code", async () => {
    const { grpcPort } = await controllerRuns();
    const agent = new Listener(`127.0.0.1:${grpcPort}`);
    await agent.next("welcome");
    agent.session.send({ ...report, tenants: [] });
    const { error } = await agent.next("closed");
    expect(error).toMatchObject({ code: "BAD_MESSAGE" });
  });

  test("its end is told, and the next one is found at once", async () => {
    const first = await controllerRuns();
    const agent = new Listener(`127.0.0.1:${first.grpcPort}`);
    await agent.next("welcome");
    await first.close();
    expect((await agent.next("closed")).error).toMatchObject({ name: "TenantryError" });
    const gone = new Listener(`127.0.0.1:${first.grpcPort}`);
    expect((await gone.next("closed")).error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    const second = await createController({ grpcPort: first.grpcPort, httpPort: 0 });
    closers.push(() => second.close());
    const again = new Listener(`127.0.0.1:${first.grpcPort}`);
    await again.next("welcome");
    again.session.close();
    await again.next("closed");
  });

  test("over TLS, with a certificate of its own", async () => {
    const file = (name: string) => join(import.meta.dirname, "..", "controller-io", "certificates", name);
    const tls = { cert: file("controller.pem"), key: file("controller.key"), ca: file("ca.pem") };
    const { grpcPort, close } = await createController({ grpcPort: 0, httpPort: 0, config: { tls } });
    closers.push(close);
    const ca = readFileSync(file("ca.pem"));
    const agent = new Listener(`localhost:${grpcPort}`, {
      ca,
      cert: readFileSync(file("agent.pem")),
      key: readFileSync(file("agent.key")),
    });
    await agent.next("welcome");
    agent.session.close();
    await agent.next("closed");
    const stranger = new Listener(`localhost:${grpcPort}`, { ca });
    expect((await stranger.next("closed")).error).toMatchObject({ code: "UNAVAILABLE" });
  });
});

describe("with something else at the other end", () => {
  test.each(["", "nowhere", "host:", "host:0", "host:65536", "http://host:1", "[::1:7411", 7411 as never])(
    "%j is no address",
    (address) => {
      expect(() => grpcTransport({ controller: address })).toThrow(expect.objectContaining({ code: "BAD_ARGUMENT" }));
    },
  );

  test("close before anything answered", async () => {
    const { address } = await listening(() => {});
    const agent = new Listener(address);
    agent.session.close();
    expect(await agent.next("closed")).toEqual({ kind: "closed", error: undefined });
  });

  test("a server that hangs up is unavailable", async () => {
    const { address } = await listening((socket) => socket.end());
    expect((await new Listener(address).next("closed")).error).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("a server that speaks HTTP/1.1 is unavailable", async () => {
    const { address } = await listening((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    expect((await new Listener(address).next("closed")).error).toMatchObject({ code: "UNAVAILABLE" });
  });

  const wrongs: [string, Buffer[], RegExp][] = [
    ["bytes that are no message", [Buffer.from([0xff, 0xff])], /malformed/],
    ["an empty message", [Buffer.alloc(0)], /message has 0 of its fields/],
    [
      "an acknowledgement before welcome",
      [Buffer.from(encodeControllerMessage({ acknowledgement: { sequence: 1 } }))],
      /does not begin with welcome/,
    ],
    ["welcome twice", [welcome, welcome], /says welcome twice/],
    [
      "a rate that is no number",
      [
        welcome,
        Buffer.from(
          encodeControllerMessage({ allocation: { ...emptyAllocation(1, 1, 1), weightTenants: ["a"], weights: [Number.NaN] } }),
        ),
      ],
      /allocation\.weights\[0\] is NaN/,
    ],
  ];
  test.each(wrongs)("%s ends the session with BAD_MESSAGE", async (_, messages, expected) => {
    const address = await strangeController((call) => {
      for (const message of messages) call.write(message);
      call.on("error", () => {});
    });
    const { error } = await new Listener(address).next("closed");
    expect(error).toMatchObject({ code: "BAD_MESSAGE", message: expect.stringMatching(expected) });
  });

  test("a controller that ends the session without a reason", async () => {
    const address = await strangeController((call) => call.end());
    expect((await new Listener(address).next("closed")).error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("it ended the session"),
    });
  });

  test("a controller that does not read ends the session once reports pile up; memory stays bounded", async () => {
    const address = await strangeController((call) => {
      call.write(welcome);
      call.pause();
    });
    const agent = new Listener(address);
    await agent.next("welcome");
    const large = { ...report, rows: [{ ...emptyRows(0), tenant: new Array(200_000).fill(1) }] };
    for (let i = 0; i < 100; i++) agent.session.send(large);
    const { error } = await agent.next("closed");
    expect(error).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("does not read") });
  });

  test("a report too large loses its histograms; one that is still too large ends the session", async () => {
    const sizes: number[] = [];
    let told = () => {};
    const address = await strangeController((call) => {
      call.write(welcome);
      call.on("data", (bytes: Buffer) => {
        sizes.push(bytes.length);
        told();
      });
      call.on("error", () => {});
    });
    const agent = new Listener(address);
    await agent.next("welcome");
    const many = new Array(2_000_000).fill(1);
    agent.session.send({
      ...report,
      rows: [{ ...emptyRows(0), tenant: [0], latencyRow: many, latencyBucket: many, latencyCount: many }],
    });
    while (sizes.length < 2) {
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
    expect(sizes[1]).toBeLessThan(200);
    agent.session.send({ ...report, rows: [{ ...emptyRows(0), tenant: new Array(MAX_MESSAGE_BYTES).fill(1) }] });
    expect((await agent.next("closed")).error).toMatchObject({ code: "TOO_MANY" });
  });
});

describe("a process with nothing else to do ends", () => {
  function run(address: string, patienceMs = 15_000): Promise<{ code: unknown; said: string }> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(import.meta.dirname, "idle-agent.mjs"), address, String(patienceMs)],
        { timeout: 60_000 },
        (error, said) => {
          resolve({ code: error === null ? 0 : (error.code ?? error.signal), said });
        },
      );
    });
  }

  test("connected to a controller", async () => {
    const { grpcPort } = await controllerRuns();
    expect(await run(`127.0.0.1:${grpcPort}`)).toEqual({ code: 0, said: "welcome\n" });
  });

  test("over TLS", async () => {
    const file = (name: string) => join(import.meta.dirname, "..", "controller-io", "certificates", name);
    const tls = { cert: file("controller.pem"), key: file("controller.key") };
    const { grpcPort, close } = await createController({ grpcPort: 0, httpPort: 0, config: { tls } });
    closers.push(close);
    expect(await run(`localhost:${grpcPort}`)).toEqual({ code: 0, said: "welcome\n" });
  });

  test("while nobody listens, or whoever listens says nothing", async () => {
    expect(await run("127.0.0.1:1")).toEqual({ code: 0, said: "closed UNAVAILABLE\n" });
    const { address } = await listening(() => {});
    expect(await run(address, 500)).toEqual({ code: 0, said: "" });
  });
});
