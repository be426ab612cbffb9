/** `tenantry policy`, as its users meet it: every kind of page one can write wrongly, and one that is right. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RULES } from "../../policies/conformance/index.js";
import { runTenantry } from "./tenantry.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-policy-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tenantry = (...args: string[]) => runTenantry(args, folder);

/** A policy whose decision is this, in a file; its name. */
function policy(name: string, body: string): string {
  const file = `${name}.ts`;
  writeFileSync(
    join(folder, file),
    `import { definePolicy, Rates, type View } from "tenantry/policies";
export default definePolicy({ name: "${name}", params: {}, decide(view: View) {
${body}
} });
`,
  );
  return file;
}

/** Limits whoever uses a full resource, where its requests lead there, to this. */
const limiting = (rate: string) => `const rates = new Rates(view);
for (const resource of view.resources) for (const tenant of view.tenants) for (const point of view.points) {
  if (resource.slowdown > 4 && resource.load(tenant) > 0 && point.feeds(resource)) rates.limit(point, tenant, ${rate}, resource);
}
return rates;`;

describe("policy new", () => {
  test("writes a page that keeps every rule as it is, and writes over nothing", async () => {
    expect(await tenantry("policy", "new", "even-shares")).toEqual({
      code: 0,
      out: "even-shares.ts is written. Next: npx tenantry policy check even-shares.ts\n",
      err: "",
    });
    const page = readFileSync(join(folder, "even-shares.ts"), "utf8");
    expect(await tenantry("policy", "new", "even-shares")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is there already/),
    });
    expect(readFileSync(join(folder, "even-shares.ts"), "utf8")).toBe(page);
    const { code, out, err } = await tenantry("policy", "check", "even-shares.ts");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/^even-shares.ts: policy "even-shares"\nok {6}types /);
    expect(out.match(/^ok /gm)).toHaveLength(RULES.length + 1);
    expect(out).toMatch(/everything is kept\n$/);
  }, 60_000);

  test.each(["Even", "a b", "../x", "", "7th"])("a name that is none: %j", async (name) => {
    expect(await tenantry("policy", "new", name)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("as in even-shares"),
    });
  });
});

describe("policy check says what is wrong, where, and what to write instead", () => {
  const check = (file: string, ...args: string[]) => tenantry("policy", "check", file, "--no-types", ...args);

  test.each([
    ["does not compile", "const = 5;", /^ +mistake\.ts:3:\d+ does not compile: /m],
    ["loops for ever", "for (;;) {}", /^ +decide did not end within 700 ms \(decides\), on this view:\n +nobody and nothing$/m],
    [
      "throws",
      'if (view.tenants.length > 1) throw new Error("boom"); return new Rates(view);',
      /it throws boom \(mistake\.ts:3\)\n/,
    ],
    ["ends its thread", "process.exit(0); return new Rates(view);", /its thread ended before the work was done/],
    ["returns nothing", "view.tenants.length;", /decide gives undefined; write "return rates"/],
    ["gives NaN", limiting("Number.NaN"), /t0 at svc\/p0 is limited to NaN per second; expected a number from 0/],
    ["gives a negative number", limiting("-2"), /t0 at svc\/p0 is limited to -2 per second/],
    [
      "limits at an unknown point",
      limiting("1").replace("limit(point", "limit({ ...point, index: 9 }"),
      /point 9, which is not in the view/,
    ],
    ["starves", limiting("0"), /t0 is left 0 per second at svc\/p0; expected at least/],
  ])("one that %s", async (_what, body, says) => {
    const { code, out, err } = await check(policy("mistake", body), "--limit-ms", "700");
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(says);
    expect(out).toMatch(/^\d broken\n$/m);
  });

  test.each([
    ["nothing", "export const a = 1;", /page\.ts exports a, and nothing as default; expected: export default definePolicy/],
    ["a function", "export default () => 5;", /page\.ts exports a function as default; expected: export default definePolicy/],
    ["half a policy", 'export default { name: "x" };', /page\.ts: a policy is an object with name, params and decide/],
    [
      "a default that is no number",
      'export default { name: "x", params: { a: "5" }, decide() {} };',
      /default of param "a" is "5"; expected a finite/,
    ],
    ["what is not there", 'import x from "./not-there.js"; export default x;', /page\.ts imports what is not there: .*not-there/],
    [
      "a name there is not",
      'import { maxMin } from "tenantry/policies"; export default maxMin();',
      /exports no maxMin; it exports .*maxMinFair/,
    ],
  ])("one that exports or imports %s", async (_what, text, says) => {
    writeFileSync(join(folder, "page.ts"), text);
    const { code, out } = await check("page.ts");
    expect({ code, out }).toEqual({ code: 1, out: expect.stringMatching(says) });
  });

  test("one that throws is told where, by the line it is written on", async () => {
    const text = `import { definePolicy, Rates, type View } from "tenantry/policies";

interface Wanted {
  share: number;
}

export default definePolicy({
  name: "lost",
  params: {},
  decide(view: View): Rates {
    const wanted = undefined as Wanted | undefined;
      if (view.tenants.length > 0) console.log(wanted!.share);
    return new Rates(view);
  },
});
`;
    writeFileSync(join(folder, "lost.ts"), text);
    const { code, out } = await check("lost.ts");
    expect(code).toBe(1);
    expect(out).toMatch(/it throws TypeError: Cannot read properties of undefined \(reading 'share'\) \(lost\.ts:12\)\n/);
  });

  test("types, by the compiler that is installed", async () => {
    const file = policy(
      "typed",
      'const x: number = view.tenants[0]?.id ?? ""; console.log(x, setTimeout); return new Rates(view);',
    );
    const { code, out } = await tenantry("policy", "check", file, "--views", "1");
    expect(code).toBe(1);
    expect(out).toMatch(/typed\.ts:3:7 Type 'string' is not assignable to type 'number'\. \(TS2322\)/);
    expect(out).toMatch(/typed\.ts:3:\d+ Cannot find name 'setTimeout'/);
    expect(out).not.toMatch(/'console'/);
  }, 60_000);

  test("--json has all of it, for a script", async () => {
    const { code, out } = await check(policy("negative", limiting("-2")), "--json");
    const report = JSON.parse(out);
    expect(code).toBe(1);
    expect(report).toMatchObject({ file: "negative.ts", policy: "negative", seed: 1, types: null, error: null, met: false });
    expect(report.rules.map(({ rule }: { rule: string }) => rule)).toEqual(RULES.map(({ name }) => name));
    expect(report.rules[0]).toMatchObject({
      met: false,
      broken: { says: expect.any(String), given: { tenants: [{ weight: 1 }] } },
    });
    expect(report.rules[1]).toMatchObject({ met: false, views: 0 });
    writeFileSync(join(folder, "none.js"), "export default 5;");
    const none = await check("none.js", "--json");
    expect(JSON.parse(none.out)).toMatchObject({
      policy: null,
      rules: [],
      error: expect.stringContaining("none.js exports 5"),
      met: false,
    });
  });

  test("asked wrongly", async () => {
    expect(await check("not-there.ts")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("policy new NAME") });
    expect(await check("x.ts", "--views", "0")).toMatchObject({ code: 2, err: expect.stringContaining("from 1 to 1000000") });
  });
});
