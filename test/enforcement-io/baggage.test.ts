import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeValue,
  encodeValue,
  MAX_BAGGAGE_BYTES,
  parseBaggage,
  serializeBaggage,
  withinLimit,
} from "../../enforcement/io/baggage.js";
import { vectors } from "../data.js";

interface BaggageVectors {
  cases: {
    header: string;
    entries: { key: string; value: string; properties: [string, string | null][] }[];
    serialized: string;
  }[];
  must_reject_in_reference: string[];
}

const w3c = vectors<BaggageVectors>("baggage_w3c.json");

describe.skipIf(w3c === undefined)("W3C baggage, by the reference implementation's tests (baggage_w3c.json)", () => {
  test("reads and writes every case alike", () => {
    for (const { header, entries, serialized } of w3c?.cases ?? []) {
      const members = parseBaggage(header);
      const read = members.map((member) => ({
        key: member.key,
        value: decodeValue(member.raw),
        properties: member.properties.map((property) => {
          const at = property.indexOf("=");
          return at < 0 ? [property, null] : [property.slice(0, at), decodeValue(property.slice(at + 1))];
        }),
      }));
      expect(read, header).toEqual(entries);
      const written = members.map((member) => ({ ...member, raw: encodeValue(decodeValue(member.raw)) }));
      expect(serializeBaggage(written), header).toBe(serialized);
    }
  });

  test("what the reference refuses is dropped, and its neighbours stay", () => {
    for (const bad of w3c?.must_reject_in_reference ?? []) {
      expect(parseBaggage(bad), bad).toEqual([]);
      expect(
        parseBaggage(`a=1,${bad},b=2`).map((member) => member.key),
        bad,
      ).toEqual(["a", "b"]);
    }
  });
});

describe("baggage", () => {
  test("a header of 8192 bytes is carried whole: one long member, or 512 short ones", () => {
    for (const header of [
      `a=${"x".repeat(8190)}`,
      Array.from({ length: 512 }, (_, i) => `${String(1000 + i)}=${"v".repeat(10)}`).join(","),
    ]) {
      expect(header.length).toBeLessThanOrEqual(MAX_BAGGAGE_BYTES);
      expect(serializeBaggage(withinLimit(parseBaggage(header)))).toBe(header);
    }
  });

  test("beyond it whole members are dropped from the end", () => {
    const members = parseBaggage(`a=1,b=${"x".repeat(8187)},c=3`);
    expect(withinLimit(members).map((member) => member.key)).toEqual(["a"]);
    expect(withinLimit(parseBaggage(`a=${"x".repeat(8191)}`))).toEqual([]);
  });

  test("others' values are not decoded, octets that are not UTF-8 are replaced", () => {
    expect(serializeBaggage(parseBaggage("a=%41%zz;p=%20"))).toBe("a=%41%zz;p=%20");
    expect(decodeValue("%ff%41")).toBe("\uFFFDA");
    expect(decodeValue("%zz")).toBe("%zz");
  });

  test("any value survives the journey; any header is read without a throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (value) => {
        const [member] = parseBaggage(serializeBaggage([{ key: "k", raw: encodeValue(value), properties: [] }]));
        expect(decodeValue(member.raw)).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (header) => {
        const once = serializeBaggage(parseBaggage(header));
        expect(serializeBaggage(parseBaggage(once))).toBe(once);
      }),
    );
  });
});
