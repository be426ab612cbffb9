/** Hostile bytes: mutated messages, random ones, and ones made to be small on the wire and large in memory. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createController, type RunningController } from "../../controller/io/index.js";
import { TenantryError } from "../../proto/errors.js";
import {
  decodeAgentMessage,
  decodeControllerMessage,
  encodeAgentMessage,
  encodeControllerMessage,
  MAX_MESSAGE_BYTES,
} from "../../proto/io/codec.js";
import { emptyRows, type Report } from "../../proto/messages.js";
import { validateAgentMessage, validateControllerMessage } from "../../proto/validate.js";
import * as any from "./arbitrary.js";
import { connectTo, helloOf, RawSession } from "./raw-session.js";

const sound = fc.oneof(
  any.report.map((report) => encodeAgentMessage({ report })),
  any.hello.map((hello) => encodeAgentMessage({ hello })),
  any.allocation.map((allocation) => encodeControllerMessage({ allocation })),
);

/** A few bytes changed, removed, inserted or repeated; or the end cut off. */
const mutated = fc
  .tuple(sound, fc.array(fc.tuple(fc.nat(4), fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }))
  .map(([bytes, changes]) => {
    const list = [...bytes];
    for (const [kind, where, byte] of changes) {
      const at = where % (list.length + 1);
      if (kind === 0) list[at] = byte;
      else if (kind === 1) list.splice(at, 1 + (byte % 4));
      else if (kind === 2) list.splice(at, 0, byte);
      else if (kind === 3) list.splice(at, 0, ...list.slice(at, at + (byte % 32)));
      else list.length = at;
    }
    return Uint8Array.from(list);
  });

const hostile = fc.oneof(mutated, fc.uint8Array({ maxLength: 200 }));

function check(decode: () => void): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(TenantryError);
    expect(error).toMatchObject({ code: "BAD_MESSAGE" });
    expect((error as Error).message.length).toBeLessThan(600);
    return false;
  }
}

test("bytes decode to a sound message or are refused with BAD_MESSAGE; nothing else is thrown", () => {
  fc.assert(
    fc.property(hostile, (bytes) => {
      check(() => validateAgentMessage(decodeAgentMessage(bytes)));
      check(() => validateControllerMessage(decodeControllerMessage(bytes)));
    }),
    { numRuns: 3_000 },
  );
});

describe("a controller behind a socket", () => {
  let controller: RunningController;
  beforeAll(async () => {
    // No window ends during the test: what the view shows is what messages did to it.
    controller = await createController({ grpcPort: 0, httpPort: 0, config: { windowUs: 60_000_000 } });
  });
  afterAll(() => controller.close());

  /** All the view shows, without the passing of time and the number of allocations sent. */
  function state(): string {
    const { instances, sequence: _allocations, ...view } = controller.view();
    const members = instances.map(({ ageUs, silentUs, ...rest }) => rest);
    return JSON.stringify([view, members, controller.controller.listTenants(), controller.controller.listPoints()]);
  }

  test("bad first messages and bad reports cost their stream alone, are coded and counted, and change nothing", async () => {
    const client = connectTo(controller.grpcPort);
    const good = new RawSession(client);
    good.send({ hello: helloOf("good") });
    await good.receive((message) => message.welcome);
    // One instance for all hostile streams, so that its joining is no change.
    const greet = async () => {
      const session = new RawSession(client);
      session.send({ hello: helloOf("hostile") });
      await session.receive((message) => message.welcome);
      return session;
    };
    (await greet()).cancel();
    const before = state();
    let refused = 0;
    for (const bytes of fc.sample(hostile, 250)) {
      const unsound = !check(() => validateAgentMessage(decodeAgentMessage(bytes)));
      if (!unsound) continue;
      const session = refused % 2 === 0 ? new RawSession(client) : await greet();
      session.sendBytes(bytes);
      const ending = await session.over;
      expect(ending).toMatchObject({ status: 3, code: "BAD_MESSAGE" });
      expect(ending.details).not.toBe("");
      refused++;
    }
    expect(refused).toBeGreaterThan(100);
    expect(state()).toBe(before);

    good.send({ report: firstReport("acme") });
    expect(await good.receive((message) => message.acknowledgement)).toEqual({ sequence: 1 });
    good.end();
    expect(await good.over).toMatchObject({ status: 0 });
    client.close();
    const metrics = await (await fetch(`http://127.0.0.1:${controller.httpPort}/metrics`)).text();
    expect(metrics).toContain(`tenantry_controller_bad_messages_total ${refused}\n`);
  });

  test("sound messages at the wrong moment are refused too", async () => {
    const client = connectTo(controller.grpcPort);
    const early = new RawSession(client);
    early.send({ report: firstReport("acme") });
    expect(await early.over).toMatchObject({ code: "BAD_MESSAGE", details: "the first message is no hello" });

    const twice = new RawSession(client);
    twice.send({ hello: helloOf("twice") });
    twice.send({ hello: helloOf("twice") });
    expect(await twice.over).toMatchObject({ code: "BAD_MESSAGE", details: "hello was said before" });

    const unbound = new RawSession(client);
    unbound.send({ hello: helloOf("unbound") });
    unbound.send({ report: { ...firstReport("acme"), tenants: [] } });
    expect(await unbound.over).toMatchObject({ code: "BAD_MESSAGE" });

    const hasty = new RawSession(client);
    hasty.send({ hello: helloOf("hasty") });
    for (let i = 0; i < 50; i++) hasty.send({ report: firstReport("acme") });
    expect(await hasty.over).toMatchObject({ status: 8, code: "TOO_MANY" });
    client.close();
  });

  test("a message over the size limit is refused before it is decoded", async () => {
    const client = connectTo(controller.grpcPort);
    const session = new RawSession(client);
    session.sendBytes(new Uint8Array(MAX_MESSAGE_BYTES + 1));
    expect(await session.over).toMatchObject({ status: 8 });
    client.close();
  });
});

test("messages that are small on the wire and large in memory do not exhaust a controller with a small heap", async () => {
  const child = spawn(process.execPath, ["--max-old-space-size=160", join(import.meta.dirname, "small-heap.mjs")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number((await lines.next()).value);
  const client = connectTo(port);
  for (let round = 0; round < 3; round++) {
    for (const bytes of bombs()) {
      const session = new RawSession(client);
      session.send({ hello: helloOf(`bomb-${round}`) });
      await session.receive((message) => message.welcome);
      session.sendBytes(bytes);
      expect(await session.over).toMatchObject({ code: "BAD_MESSAGE" });
    }
  }
  const good = new RawSession(client);
  good.send({ hello: helloOf("good") });
  good.send({ report: firstReport("acme") });
  await good.receive((message) => message.acknowledgement);
  good.cancel();
  client.close();
  child.stdin.end();
  expect(await exit).toBe(0);
}, 60_000);

function firstReport(tenant: string): Report {
  return {
    sequence: 1,
    baseSequence: 0,
    windowUs: 1_000_000,
    heldEpoch: 0,
    heldSequence: 0,
    tenants: [{ index: 0, name: tenant }],
    meters: [{ index: 0, name: "disk", kind: 0, unit: "us", slots: 0 }],
    rows: [{ ...emptyRows(0), tenant: [0], count: [1], serviceUs: [500] }],
    feeds: [],
  };
}

/** As many entries as fit into a message, of each kind that could have many. */
function* bombs(): Generator<Uint8Array> {
  const room = MAX_MESSAGE_BYTES - 32;
  // Empty tenants, meters, rows and feeds: two bytes each.
  for (const field of [6, 7, 8, 9]) {
    const parts = new Uint8Array(room);
    for (let i = 0; i < room; i += 2) parts[i] = field * 8 + 2;
    yield nested(2, parts);
  }
  // One column of one-byte numbers, and a column of floats.
  yield nested(2, nested(8, nested(3, new Uint8Array(room))));
  yield nested(2, nested(8, nested(5, new Uint8Array(room - (room % 4)))));
  // A Hello that holds an allocation of empty names.
  const names = new Uint8Array(room);
  for (let i = 0; i < room; i += 2) names[i] = 4 * 8 + 2;
  yield nested(1, nested(5, names));
}

function nested(field: number, body: Uint8Array): Uint8Array {
  const head = [field * 8 + 2];
  let length = body.length;
  for (; length >= 128; length = Math.floor(length / 128)) head.push((length % 128) | 128);
  return Buffer.concat([Uint8Array.from([...head, length]), body]);
}
