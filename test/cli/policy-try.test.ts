/** `tenantry policy try`, as its users meet it: a policy that is right, every way in which one can go wrong, and what is asked wrongly. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runTenantry } from "./tenantry.js";

const BURSTY = "workloads/bursty";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-try-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const attempt = (file: string, ...args: string[]) => runTenantry(["policy", "try", file, ...args], folder);

/** A policy with this decision and these parameters, in a file of its name. */
function policy(name: string, body: string, params = "{}"): string {
  const file = `${name}.ts`;
  const text = `import { bottleneckFairness, definePolicy, Rates, type View } from "tenantry/policies";
export default definePolicy({ name: "${name}", params: ${params}, decide(view: View, params: Record<string, number>) {
${body}
} });
`;
  writeFileSync(join(folder, file), text);
  return file;
}

const LIKE_THE_CURRENT = "return bottleneckFairness.decide(view, bottleneckFairness.params);";

describe("a trial", () => {
  test("of one that decides as the current one gives the same, to the last event", async () => {
    const file = policy("alike", LIKE_THE_CURRENT);
    const { code, out, err } = await attempt(file, "--scenario", BURSTY, "--json");
    expect({ code, err }).toEqual({ code: 0, err: "pictures are in alike-try.html\n" });
    const told = JSON.parse(out);
    expect(told).toMatchObject({
      policy: "alike",
      insteadOf: "bottleneck-fairness",
      scenario: BURSTY,
      seed: 1,
      refusals: 0,
      refused: null,
      met: true,
    });
    expect(told.decisions).toBeGreaterThan(100);
    expect(told.tried).toEqual(told.current);
  });

  test("of one that limits nobody is another run, and misses what is expected", async () => {
    const { code, out, err } = await attempt(policy("nobody", "return new Rates(view);"), "--scenario", BURSTY);
    expect({ code, err }).toEqual({ code: 1, err: "pictures are in nobody-try.html\n" });
    expect(out).toMatch(/^nobody in the place of bottleneck-fairness \(workloads\/bursty, seed 1\)\nfigure +bound +bottleneck/);
    expect(out).toMatch(/^time a burst takes, enforced \/ without a policy +≤ 0\.8 +0\.\d+ +met +1 +not met$/m);
    const page = readFileSync(join(folder, "nobody-try.html"), "utf8");
    expect(page).toContain("<p>bottleneck-fairness, as it is</p>");
    expect(page).toContain("<p>nobody, tried</p>");
    expect(page.match(/<svg/g)).toHaveLength(2);
  });

  test("shows it the parameters that the scenario sets, and says so; --param has the last word", async () => {
    const file = policy("told", "return new Rates(view);", "{ threshold: 3, alpha: 0.2 }");
    const options = ["--scenario", "retro/dominant-resource-fairness", "--report", "told.html"];
    const { out } = await attempt(file, ...options);
    expect(out).toMatch(/^The scenario sets for dominant-resource-fairness, .*: threshold is 25; --param threshold=NUMBER/m);
    const fixed = await attempt(file, ...options, "--param", "threshold=4", "--json");
    expect(JSON.parse(fixed.out)).toMatchObject({ params: { threshold: 4, alpha: 0.2 }, byScenario: [] });
  }, 60_000);

  test("takes the place of another policy that the scenario asks, if that is said", async () => {
    const file = policy("capping", "return new Rates(view);");
    const { out } = await attempt(file, "--scenario", BURSTY, "--instead-of", "caps-and-guarantees", "--json");
    const { insteadOf, current, tried } = JSON.parse(out);
    expect(insteadOf).toBe("caps-and-guarantees");
    expect(tried).toEqual(current);
  });
});

describe("a policy that goes wrong in the trial is named, with the place and what it did", () => {
  const TWO = "if (view.tenants.length < 2) return new Rates(view);\n";
  test.each([
    ["throws", 'throw new Error("boom");', /refused in \d+ of \d+ windows, .* first because: boom \(wrong\.ts:4\)\n$/],
    ["gives nothing", "return undefined as never;", /first because: decide gives undefined; write "return rates"/],
    [
      "gives NaN",
      "const rates = new Rates(view); rates.limit(view.points[0], view.tenants[0], Number.NaN); return rates;",
      /first because: \w+ at \w+\/read is limited to NaN per second; expected a number from 0/,
    ],
    [
      "gives a negative rate",
      "const rates = new Rates(view); rates.limit(view.points[0], view.tenants[0], -1); return rates;",
      /is limited to -1 per second; expected a number from 0/,
    ],
    [
      "limits at a point that is not there",
      "const rates = new Rates(view); rates.limit({ ...view.points[0], index: 7 } as never, view.tenants[0], 1); return rates;",
      /a limit is set at point 7, which is not in the view; take points from view\.points/,
    ],
  ])("one that %s", async (_what, body, says) => {
    const { code, out } = await attempt(policy("wrong", TWO + body), "--scenario", BURSTY);
    expect(code).toBe(1);
    expect(out).toMatch(says);
    expect(readFileSync(join(folder, "wrong-try.html"), "utf8")).toContain("refused in ");
  });

  test.each([
    [
      "loops for ever",
      `${TWO}for (;;) {}`,
      /decide did not end within 700 ms \(in the simulation\), on this view:\n +tenant \w+: weight 1\n/,
    ],
    ["ends its thread", `${TWO}process.exit(0);`, /its thread ended before the work was done/],
    ["does not compile", "const = 5;", /stuck\.ts:3:\d+ does not compile: /],
  ])("one that %s", async (_what, body, says) => {
    const { code, out, err } = await attempt(policy("stuck", body), "--scenario", BURSTY, "--limit-ms", "700");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(says);
    expect(existsSync(join(folder, "stuck-try.html"))).toBe(false);
  });
});

test.each([
  ["no scenario", [], 2, /--scenario <NAME>/],
  [
    "a scenario that is not there",
    ["--scenario", "retro/bottleneck"],
    2,
    /there is no scenario "retro\/bottleneck"; .*retro\/heartbeats/,
  ],
  [
    "one that asks no policy",
    ["--scenario", "2dfq/worked-example"],
    2,
    /is not about one policy; those that are: retro\/bottleneck-/,
  ],
  ["one about several", ["--scenario", "retro/sensitivity"], 2, /is not about one policy/],
  ["the place of nobody", ["--scenario", BURSTY, "--instead-of", "fairness"], 2, /no such policy; it has latency-slo, /],
  [
    "of one it does not ask",
    ["--scenario", BURSTY, "--instead-of", "priority-tiers"],
    1,
    /does not ask priority-tiers; say --instead-of/,
  ],
  ["a parameter there is not", ["--scenario", BURSTY, "--param", "x=1"], 1, /"x" is not a parameter; there are none/],
  [
    "a report that has no folder",
    ["--scenario", BURSTY, "--report", "no/x.html"],
    1,
    /^error: no\/x\.html cannot be written: ENOENT/,
  ],
])("asked wrongly: %s", async (_what, args, code, says) => {
  const asked = await attempt(policy("asked", "return new Rates(view);"), ...args);
  expect(asked).toMatchObject({ code, out: "", err: expect.stringMatching(says) });
});

test("asked wrongly: no file", async () => {
  const none = await attempt("not-there.ts", "--scenario", BURSTY);
  expect(none).toMatchObject({ code: 2, out: "", err: expect.stringContaining("policy new NAME") });
});
