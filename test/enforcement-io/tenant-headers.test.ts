import { describe, expect, test } from "vitest";
import { MAX_VIA, TenantContext, tenantFromHeaders, tenantToHeaders } from "../../enforcement/io/tenant-headers.js";
import { TenantryError } from "../../proto/errors.js";

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof TenantryError) return error.code;
    throw error;
  }
  return "none";
}

describe("who a request is for", () => {
  test("is read from whatever holds headers", () => {
    const text = "tenant.id=acme";
    for (const headers of [
      { baggage: text },
      { Baggage: text },
      { baggage: ["userTier=gold", text] },
      new Headers({ baggage: text }),
      new Map([["baggage", text]]),
      { get: (name: string) => (name === "baggage" ? [Buffer.from(text)] : []), set: () => {} },
    ]) {
      expect(tenantFromHeaders(headers).tenant).toBe("acme");
    }
  });

  test("is unknown where nothing says so", () => {
    for (const headers of [{}, { baggage: "" }, { baggage: "userTier=gold" }, { baggage: undefined }, { baggage: [] }]) {
      expect(tenantFromHeaders(headers).tenant).toBe("unknown");
    }
    expect(`${tenantFromHeaders({})}`).toBe("unknown");
  });

  test("a configured header outranks baggage, in any case, and leaves the rest of the baggage alone", () => {
    const context = tenantFromHeaders({ "x-tenant-id": "acme", baggage: "tenant.id=%0A,a=1" }, { tenantHeader: "X-Tenant-Id" });
    expect(context.tenant).toBe("acme");
    expect(context.baggage.map((member) => member.key)).toEqual(["a"]);
    expect(tenantFromHeaders({ baggage: "tenant.id=b" }, { tenantHeader: "x-tenant-id" }).tenant).toBe("b");
  });

  test("an id that is none is refused with a coded error", () => {
    for (const value of ["", "%0A", "a%00b", "x".repeat(129), "%20a", "a b", "é", "%E2%80%AE", "\\"]) {
      expect(
        codeOf(() => tenantFromHeaders({ baggage: `tenant.id=${value}` })),
        value,
      ).toBe("BAD_TENANT");
    }
    expect(codeOf(() => tenantFromHeaders({ baggage: "tenant.id" }))).toBe("BAD_TENANT");
    expect(codeOf(() => tenantFromHeaders({ "x-t": "" }, { tenantHeader: "x-t" }))).toBe("BAD_TENANT");
  });

  test("two ids in one header are refused when they differ: two services might read them differently", () => {
    expect(codeOf(() => tenantFromHeaders({ baggage: "tenant.id=a,tenant.id=b" }))).toBe("BAD_TENANT");
    expect(tenantFromHeaders({ baggage: "tenant.id=a,tenant.id=a" }).tenant).toBe("a");
  });

  test("an enormous header is not read", () => {
    expect(tenantFromHeaders({ baggage: `tenant.id=a,${"x=1,".repeat(20_000)}` }).tenant).toBe("unknown");
  });

  test("points passed are read, and what is none is left out", () => {
    expect(tenantFromHeaders({ baggage: "tenant.via=gateway/read:nonsense:a/b" }).via).toEqual(["gateway/read", "a/b"]);
    const many = Array.from({ length: 100 }, (_, i) => `s/p${i}`).join(":");
    expect(tenantFromHeaders({ baggage: `tenant.via=${many}` }).via).toHaveLength(MAX_VIA);
  });
});

describe("the next service", () => {
  test("learns the tenant, the points passed and others' baggage, unchanged", () => {
    const incoming = tenantFromHeaders({ baggage: "userTier=%67old;ttl=30 , tenant.id=caf%C3%A9,bad member,trace=1=2" });
    const onward = new TenantContext(incoming.tenant, ["gateway/read"], incoming.baggage);
    const headers: Record<string, string> = {};
    expect(tenantToHeaders(onward, headers)).toBe(headers);
    expect(headers.baggage).toBe("tenant.id=caf%C3%A9,tenant.via=gateway/read,userTier=%67old;ttl=30,trace=1=2");
    const there = tenantFromHeaders(headers);
    expect([there.tenant, there.via]).toEqual(["café", ["gateway/read"]]);
    expect(there.baggage).toEqual(incoming.baggage);
  });

  test("members that are there already stay and win; ours are replaced", () => {
    const headers = new Headers({ baggage: "a=new,tenant.id=stale" });
    tenantToHeaders(new TenantContext("acme", [], tenantFromHeaders({ baggage: "a=old,b=2" }).baggage), headers);
    expect(headers.get("baggage")).toBe("tenant.id=acme,a=new,b=2");
    const plain = tenantToHeaders(new TenantContext("acme"), { Baggage: "a=1" });
    expect(plain).toEqual({ Baggage: "tenant.id=acme,a=1" });
  });

  test("is told nothing of a tenant nobody named", () => {
    expect(tenantToHeaders(new TenantContext("unknown"), {})).toEqual({});
  });
});
