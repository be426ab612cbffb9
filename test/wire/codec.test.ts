import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeAgentMessage,
  decodeControllerMessage,
  encodeAgentMessage,
  encodeControllerMessage,
  MAX_MESSAGE_BYTES,
} from "../../proto/io/codec.js";
import { messageType } from "../../proto/io/schema.js";
import { emptyAllocation, emptyRows, type Report } from "../../proto/messages.js";
import { validateAgentMessage, validateControllerMessage } from "../../proto/validate.js";
import * as any from "./arbitrary.js";

const emptyReport: Report = {
  sequence: 1,
  baseSequence: 0,
  windowUs: 1,
  heldEpoch: 0,
  heldSequence: 0,
  tenants: [],
  meters: [],
  rows: [],
  feeds: [],
};

describe("what goes in comes out, in the plain shape of messages.ts, and is valid", () => {
  test("reports", () => {
    fc.assert(
      fc.property(any.report, (report) => {
        const back = decodeAgentMessage(encodeAgentMessage({ report }));
        expect(back).toStrictEqual({ report });
        validateAgentMessage(back);
      }),
    );
  });

  test("hellos, with and without a held allocation", () => {
    fc.assert(
      fc.property(any.hello, (hello) => {
        const back = decodeAgentMessage(encodeAgentMessage({ hello }));
        expect(back).toStrictEqual({ hello });
        validateAgentMessage(back);
      }),
    );
  });

  test("ten thousand tenants limited at twenty points fit into one message", () => {
    const allocation = emptyAllocation(1, 1, 3_000_000);
    allocation.reasons.push("bottleneck-fairness|storage/disk");
    allocation.points = Array.from({ length: 20 }, (_, p) => `storage/point-${p}`);
    allocation.tenants = Array.from({ length: 10_000 }, (_, t) => `a-tenant-of-ours-${t}`);
    const rows = 200_000;
    allocation.point = Array.from({ length: rows }, (_, i) => Math.floor(i / 10_000));
    allocation.tenant = Array.from({ length: rows }, (_, i) => i % 10_000);
    allocation.reason = new Array(rows).fill(0);
    for (const column of ["ratePerSec", "burst", "fallbackPerSec"] as const) {
      allocation[column] = Array.from({ length: rows }, (_, i) => i / 7);
    }
    expect(encodeControllerMessage({ allocation }).length).toBeLessThan(MAX_MESSAGE_BYTES);
    expect(
      encodeAgentMessage({ hello: { service: "s", instance: "i", boot: "b", acknowledgedSequence: 0, held: allocation } }).length,
    ).toBeLessThan(MAX_MESSAGE_BYTES);
  });

  test("welcomes, acknowledgements, allocations", () => {
    const welcome = any.record({
      epoch: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      appliedSequence: any.sequence,
      windowUs: fc.integer({ min: 1_000, max: 600_000_000 }),
      maxTenants: fc.integer({ min: 1, max: 100_000 }),
      maxMeters: fc.integer({ min: 1, max: 4_096 }),
    });
    const acknowledgement = any.record({ sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) });
    fc.assert(
      fc.property(
        fc.oneof(any.record({ welcome }), any.record({ acknowledgement }), any.record({ allocation: any.allocation })),
        (message) => {
          const back = decodeControllerMessage(encodeControllerMessage(message));
          expect(back).toStrictEqual(message);
          validateControllerMessage(back);
        },
      ),
    );
  });
});

describe("the report's own codec speaks the same as protobufjs over the .proto", () => {
  const type = messageType("AgentMessage");

  test("protobufjs reads what we write", () => {
    fc.assert(
      fc.property(any.report, (report) => {
        const read = type.toObject(type.decode(encodeAgentMessage({ report })), { longs: Number, arrays: true, defaults: true });
        expect({ ...read.report }).toEqual(report);
      }),
    );
  });

  test("we read what protobufjs writes, fields we do not know included", () => {
    fc.assert(
      fc.property(any.report, fc.uint8Array({ maxLength: 20 }), (report, extra) => {
        const inner = messageType("Report").encode(report);
        inner.uint32(1000 * 8 + 2).bytes(extra);
        inner.uint32(1001 * 8 + 5).fixed32(7);
        inner.uint32(1002 * 8 + 1).fixed64(7);
        inner.uint32(1003 * 8).uint32(7);
        const body = inner.finish();
        const length = [];
        for (let left = body.length; ; left = Math.floor(left / 128)) {
          length.push(left >= 128 ? (left % 128) | 128 : left);
          if (left < 128) break;
        }
        expect(decodeAgentMessage(Uint8Array.from([0x12, ...length, ...body]))).toStrictEqual({ report });
      }),
    );
  });

  test("columns that are not packed are read as protobuf asks", () => {
    const bytes = Uint8Array.from([0x12, 12, 0x42, 10, 0x10, 3, 0x10, 0x81, 1, 0x2d, 0, 0, 0x80, 0x3f]);
    const rows = { ...emptyRows(0), tenant: [3, 129], costSquared: [1] };
    expect(decodeAgentMessage(bytes).report?.rows).toStrictEqual([rows]);
  });
});

describe("numbers are exact or refused", () => {
  test("2^53-1 passes, 2^53 does not", () => {
    const report = { ...emptyReport, sequence: Number.MAX_SAFE_INTEGER };
    expect(decodeAgentMessage(encodeAgentMessage({ report })).report?.sequence).toBe(Number.MAX_SAFE_INTEGER);
    // sequence = 2^53, as bytes: 53 zero bits, then a one.
    const tooLarge = Uint8Array.from([0x12, 9, 0x08, 128, 128, 128, 128, 128, 128, 128, 16]);
    expect(() => decodeAgentMessage(tooLarge)).toThrow(/report\.sequence is beyond 2\^53-1/);
    const hello = messageType("AgentMessage")
      .encode({ hello: { acknowledgedSequence: 2 ** 60 } })
      .finish();
    expect(() => decodeAgentMessage(hello)).toThrow(/hello\.acknowledgedSequence is beyond 2\^53-1/);
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY])("%d does not fit a column", (value) => {
    const rows = { ...emptyRows(0), tenant: [0], count: [value] };
    expect(() => encodeAgentMessage({ report: { ...emptyReport, rows: [rows] } })).toThrow(/cannot carry/);
  });
});

describe("bytes are bounded before they are decoded", () => {
  test("too many", () => {
    expect(() => decodeAgentMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(/expected at most 4194304/);
    expect(() => decodeControllerMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1))).toThrow(/expected at most 4194304/);
  });

  test("many small parts, each large in memory", () => {
    const parts = new Uint8Array(MAX_MESSAGE_BYTES - 16);
    for (let i = 0; i < parts.length; i += 2) parts[i] = 8 * 8 + 2;
    const message = Uint8Array.from([0x12, 0xf0, 0xff, 0xff, 0x01]);
    const bytes = new Uint8Array(message.length + parts.length);
    bytes.set(message);
    bytes.set(parts, message.length);
    expect(() => decodeAgentMessage(bytes)).toThrow(/report\.rows has more than 4096 entries/);
  });

  test("more than one message in a message", () => {
    expect(() => decodeAgentMessage(Uint8Array.from([0x0a, 0, 0x0a, 0]))).toThrow(/more than one/);
  });
});
