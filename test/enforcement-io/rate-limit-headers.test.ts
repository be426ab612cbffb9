import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { quotaOf, rateLimitHeaders, refuse } from "../../enforcement/io/rate-limit-headers.js";
import { type BareItem, serializeBare, serializeList } from "../../enforcement/io/structured-fields.js";
import { TenantryError, ThrottledError } from "../../proto/errors.js";
import { vectors } from "../data.js";

const refused = new ThrottledError("DEADLINE", { tenant: "acme", point: "read", retryAfterMs: 1_200 });

interface RateLimitVectors {
  cases: {
    policy: string;
    expect?: [string, Record<string, number>][];
    ratelimit?: string;
    current?: [string, Record<string, number>];
    pk_hex?: string;
  }[];
}
interface FieldCase {
  name: string;
  expected?: [unknown, unknown[]] | { __type: string; value: string };
  header_type: string;
  raw: string[];
  canonical?: string[];
  must_fail?: boolean;
}

const keyBytes = (header: string) => {
  const base64 = /;pk=:([^:]*):/.exec(header)?.[1];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64").toString("hex");
};
const withoutKey = (header: string) => header.replace(/;pk=:[^:]*:/, "");

const ietf = vectors<RateLimitVectors>("ratelimit_header_ietf.json");
const strings = vectors<FieldCase[]>("structured_fields/string.json");

describe.skipIf(ietf === undefined)("RateLimit fields, by the draft's tests (ratelimit_header_ietf.json)", () => {
  test("what they read is what we write", () => {
    for (const { policy, expect: items, ratelimit, current, pk_hex } of ietf?.cases ?? []) {
      if (items !== undefined) {
        const written = serializeList(items.map(([value, parameters]) => ({ value, parameters })));
        expect(written).toBe(policy.replaceAll(/, ?/g, ", "));
      }
      if (ratelimit === undefined || ratelimit.includes("sdfj")) continue;
      const parameters: Record<string, BareItem> = { ...(current?.[1] ?? { r: 50, t: 30 }) };
      if (pk_hex !== undefined) parameters.pk = Buffer.from(pk_hex, "hex");
      const written = serializeList([{ value: current?.[0] ?? "peruser", parameters }]);
      // The draft's example of a partition key is base64 that no encoder writes; its bytes are what counts.
      expect(keyBytes(written)).toBe(pk_hex);
      expect(withoutKey(written)).toBe(withoutKey(ratelimit));
    }
  });
});

describe.skipIf(strings === undefined)("structured fields, by RFC 8941's tests (structured_fields/)", () => {
  test("strings are written canonically, and what is no string is refused", () => {
    let written = 0;
    for (const { name, expected, must_fail, canonical, raw, header_type } of strings ?? []) {
      if (must_fail || header_type !== "item" || !Array.isArray(expected) || typeof expected[0] !== "string") continue;
      expect(serializeBare(expected[0]), name).toBe((canonical ?? raw)[0]);
      written++;
    }
    expect(written).toBeGreaterThan(3);
    for (const bad of ["é", "a\n", "\u007f"]) expect(() => serializeBare(bad)).toThrow(/printable ASCII/);
  });
});

describe("answering a refused request", () => {
  test("says when to come back, and how much there is", () => {
    expect(rateLimitHeaders(refused, { ratePerSec: 20.7 })).toEqual({
      "retry-after": "2",
      ratelimit: '"read";r=0;t=2;pk=:YWNtZQ==:',
      "ratelimit-policy": '"read";q=20;w=1;pk=:YWNtZQ==:',
    });
    expect(rateLimitHeaders(refused, { partitionKey: false })).toEqual({ "retry-after": "2", ratelimit: '"read";r=0;t=2' });
  });

  test("is finite and at least a second, whatever the error says", () => {
    for (const retryAfterMs of [0, 1, Number.POSITIVE_INFINITY, 1e12, Number.NaN]) {
      const error = new ThrottledError("RATE_ZERO", { tenant: "t", point: "p", retryAfterMs });
      const seconds = Number(rateLimitHeaders(error)["retry-after"]);
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(3600);
    }
  });

  test("rates become whole numbers per whole seconds", () => {
    expect(quotaOf(20)).toEqual({ quota: 20, windowSec: 1 });
    expect(quotaOf(0.1)).toEqual({ quota: 1, windowSec: 10 });
    expect(quotaOf(0)).toEqual({ quota: 0, windowSec: 1 });
    expect(rateLimitHeaders(refused, { ratePerSec: Number.POSITIVE_INFINITY })["ratelimit-policy"]).toBeUndefined();
    expect(rateLimitHeaders(refused, { ratePerSec: 1e-12 })["ratelimit-policy"]).toMatch(/q=1;w=1000000000000;/);
  });

  test("over a real connection: 429 with a body a program can read, 503 when shutting down, 400 for no tenant id", async () => {
    const errors: Record<string, unknown> = {
      "/": refused,
      "/closing": new ThrottledError("SHUTTING_DOWN", { tenant: "acme", point: "read", retryAfterMs: 1 }),
      "/tenant": new TenantryError("BAD_TENANT", "tenant id is empty"),
      "/fault": new TypeError("the service's own"),
    };
    const server = createServer((request, response) => {
      if (!refuse(response, errors[request.url ?? ""])) response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const answer = await fetch(base);
      expect(answer.status).toBe(429);
      expect(answer.headers.get("retry-after")).toBe("2");
      expect(answer.headers.get("ratelimit")).toBe('"read";r=0;t=2;pk=:YWNtZQ==:');
      expect(await answer.json()).toMatchObject({ code: "DEADLINE", retryAfterMs: 1200 });
      expect((await fetch(`${base}/closing`)).status).toBe(503);
      const none = await fetch(`${base}/tenant`);
      expect(none.status).toBe(400);
      expect(await none.json()).toEqual({ code: "BAD_TENANT", message: "tenant id is empty" });
      expect((await fetch(`${base}/fault`)).status).toBe(500);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
