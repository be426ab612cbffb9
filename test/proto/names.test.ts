import { describe, expect, test } from "vitest";
import { checkName, checkTenantId, isLogicalName, isTenantId, shown } from "../../proto/names.js";

describe("tenant ids", () => {
  test.each(["a", "acme", "Müller & Söhne", "客户-7", "a b", "x".repeat(128), "org:1/team:2"])("takes %j", (id) => {
    expect(isTenantId(id)).toBe(true);
    expect(() => checkTenantId(id)).not.toThrow();
  });

  test.each([
    ["", "is empty"],
    ["x".repeat(129), "has 129 characters"],
    ["a\u0000b", "control characters"],
    ["a\nb", "control characters"],
    ["a\u202eb", "control characters"],
    ["\ud800", "control characters"],
    [" a", "begins or ends with a blank"],
    [7, "is number, not a string"],
    [undefined, "is undefined, not a string"],
    [null, "is null, not a string"],
  ])("refuses %j and says why", (id, why) => {
    expect(isTenantId(id)).toBe(false);
    expect(() => checkTenantId(id)).toThrowError(
      expect.objectContaining({ code: "BAD_TENANT", message: expect.stringContaining(why) }),
    );
  });
});

test("names are short and plain", () => {
  expect(() => checkName("resource", "disk-0.a_B")).not.toThrow();
  for (const bad of ["", "a/b", "a b", "é", "x".repeat(65), 3]) {
    expect(() => checkName("resource", bad)).toThrowError(expect.objectContaining({ code: "BAD_NAME" }));
  }
  expect(isLogicalName("storage/disk")).toBe(true);
  for (const bad of ["disk", "a/b/c", "/disk", "storage/"]) expect(isLogicalName(bad)).toBe(false);
});

test("what is quoted in a message cannot forge a log line", () => {
  expect(shown("a\nb\u2028c\u202e")).not.toMatch(/[\n\u2028\u202e]/);
  expect(shown("x".repeat(1000)).length).toBeLessThan(60);
  expect(shown({ toString: 0 })).toBe("an object");
  expect(shown(Object.create(null))).toBe("an object");
});
