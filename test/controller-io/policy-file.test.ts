/** Policies from files in a running controller, with a real agent: what they do wrong costs a tick and is named; what is new is taken over. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ControllerEvent } from "../../controller/index.js";
// Threads run what is built.
import { createController, type RunningController } from "../../dist/controller/io/index.js";
import { PolicyFile } from "../../dist/controller/io/policy-file.js";
import { createAgent } from "../../dist/enforcement/io/index.js";
import { until } from "../end-to-end/until.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-policy-file-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let running: RunningController | undefined;
let agent: ReturnType<typeof createAgent> | undefined;
afterEach(async () => {
  await agent?.close();
  await running?.close();
  agent = running = undefined;
});

const events: ControllerEvent[] = [];
/** Waits for it with a tenant at work, so that there is something to decide. */
const said = (what: RegExp) =>
  until(String(what), async () => {
    await requests("good", 1);
    return events.find(({ message }) => what.test(message));
  });
const inView = () => running!.view().policies.find(({ name }) => name === "mine")!;
const path = () => join(folder, "mine.ts");

/** A policy that limits everybody to `rate`, unless a tenant of the name "trigger" is there: then it does as `body` says. */
function page(rate: number, { body = "", params = "{}", name = "mine" } = {}): string {
  return `import { definePolicy, Rates } from "tenantry/policies";
export default definePolicy({ name: "${name}", params: ${params}, decide(view, params) {
  const rates = new Rates(view);
  const trigger = view.tenants.some(({ id }) => id === "trigger");
  for (const point of view.points) for (const tenant of view.tenants) {
    if (trigger) { ${body} }
    rates.limit(point, tenant, ${rate});
  }
  return rates;
} });
`;
}

async function start(policy: object = { mode: "enforce" }, more: object = {}): Promise<void> {
  events.length = 0;
  running = await createController({
    grpcPort: 0,
    httpPort: 0,
    config: {
      windowUs: 100_000,
      tenantIdleWindows: 6,
      policies: { "bottleneck-fairness": { mode: "off" }, mine: { file: path(), ...policy } },
      ...more,
    },
    onEvent: (event) => events.push(event),
  });
}

/** Requests of this tenant through one point; how many. */
async function requests(tenant: string, count = 5): Promise<void> {
  agent ??= createAgent({ service: "svc", instance: "one", controller: `127.0.0.1:${running!.grpcPort}` });
  const point = agent.controlPoint("front");
  await Promise.all(Array.from({ length: count }, () => agent!.run(tenant, () => point.run(() => {}))));
}

/** The rate in force for the tenant "good", which asks again and again. */
async function rate(): Promise<number | null | undefined> {
  await requests("good", 1);
  return running!.view().points.find(({ name }) => name === "svc/front")?.tenants.good?.ratePerSec;
}

describe("a policy from a file that does wrong costs a tick and is named; what was in force stays in force", () => {
  test.each([
    ["throws", 'throw new Error("boom");', /policy "mine" threw: boom \(mine\.ts:6\)/, "threw"],
    [
      "loops for ever",
      "for (;;) {}",
      /policy "mine" did not decide within 50 ms, and was stopped; it is (being started|tried) again/,
      "slow",
    ],
    ["ends its thread", "process.exit(1);", /policy "mine" (did not decide within|was stopped)/, "slow"],
    [
      "fails in its thread later",
      'setTimeout(() => { throw new Error("later"); });',
      /policy "mine" was stopped \d+ time\(s\), the last because it failed in its thread: later/,
      "slow",
    ],
    ["gives NaN", "rates.limit(point, tenant, Number.NaN);", /limits tenant "\w+" at point svc\/front to NaN per second/, "nan"],
    ["gives a negative rate", "rates.limit(point, tenant, -1);", /to -1 per second; expected a number ≥ 0/, "negative"],
    [
      "names an unknown point",
      "rates.limit({ ...point, index: 7 }, tenant, 1);",
      /about point 7, which is not in the view; take points from view\.points/,
      "unknown",
    ],
    ["gives nothing", "return;", /gave undefined instead of Rates/, "absent"],
  ])("it %s", { timeout: 120_000 }, async (_what, body, refused, cause) => {
    writeFileSync(path(), page(100, { body }));
    await start();
    await until("the policy is in force", async () => (await rate()) === 100);
    await requests("trigger");
    await until("it is refused", () => refused.test(inView().refused ?? ""));
    expect(await rate()).toBe(100);
    expect(running!.controller.counters.refusals[cause]).toBeGreaterThan(0);
    await until("it decides again when the trigger is gone", async () => (await rate()) === 100 && inView().refused === null);
    if (cause === "slow") expect(inView().origin!.stops).toBeGreaterThan(0);
    // A stop is told once: not by the one who stops it, and again by the one who waited for it.
    const stops = events.filter(({ message }) => /did not decide within/.test(message));
    expect(stops.length).toBeLessThanOrEqual(inView().origin!.stops);
  });
});

describe("in a stack, from its thread", () => {
  /** Its limit is half of what was decided before it for the tenant "good"; and with a number it promises that much. */
  const halving = (promise?: number) => `import { definePolicy, Rates } from "tenantry/policies";
export default definePolicy({ name: "mine", params: {}, decide(view) {
  const rates = new Rates(view);
  const tenant = view.tenants.find(({ id }) => id === "good");
  for (const point of view.points) {
    const before = tenant && view.decided?.get(point, tenant);
    if (before === undefined) continue;
    ${promise === undefined ? "rates.limit(point, tenant, before / 2)" : `rates.promise(point, tenant, ${promise})`};
  }
  return rates;
} });
`;
  const capped = { stack: ["caps-and-guarantees", "mine"], tenants: { good: { caps: { "svc/front": 80 } } } };

  test("it sees what policies before it have decided, as far as that is enforced", { timeout: 120_000 }, async () => {
    writeFileSync(path(), halving());
    await start({ mode: "enforce" }, capped);
    await until("half of the cap is in force", async () => (await rate()) === 40);
    running!.controller.setPolicy("caps-and-guarantees", { mode: "observe" });
    await until("nothing is decided before it any more", async () => (await rate()) === null);
  });

  test("what it promises comes back, and lifts what others decide", { timeout: 120_000 }, async () => {
    writeFileSync(path(), halving(95));
    await start({ mode: "observe" }, capped);
    await until("the cap is in force", async () => (await rate()) === 80);
    running!.controller.setPolicy("mine", { mode: "enforce" });
    await until("what is promised is in force", async () => (await rate()) === 95);
    const limit = running!.view().points.find(({ name }) => name === "svc/front")!.tenants.good;
    expect(limit.reason).toMatchObject({ policy: "caps-and-guarantees" });
  });

  test("a promise at a point that is not in the view is refused like a limit there", { timeout: 120_000 }, async () => {
    writeFileSync(path(), halving(95).replace("rates.promise(point", "rates.promise({ ...point, index: 7 }"));
    await start({ mode: "enforce" }, capped);
    await until("it is refused", async () => {
      await rate();
      return /makes a promise about point 7, which is not in the view/.test(inView().refused ?? "");
    });
    expect(await rate()).toBe(80);
  });
});

describe("a file that changes", () => {
  test("is taken over when it is sound, and else left where it is: told, counted, and shown", { timeout: 120_000 }, async () => {
    writeFileSync(path(), page(100));
    // What is refused is to be refused for what it is, not for a machine that was busy for 50 ms.
    await start({}, { policyBudgetWindows: 10 });
    expect(inView()).toMatchObject({
      mode: "observe",
      origin: { file: path(), version: 1, rejections: 0, rejected: null, stops: 0 },
    });
    running!.controller.setPolicy("mine", { mode: "enforce" });
    await until("version 1 is in force", async () => (await rate()) === 100);

    writeFileSync(path(), "export default {");
    await said(/policy "mine" stays at version 1: mine\.ts:1:\d+ does not compile/);
    expect(inView().origin).toMatchObject({ version: 1, rejections: 1, rejected: expect.stringContaining("does not compile") });
    expect(await rate()).toBe(100);

    // As editors do: another file takes its name.
    writeFileSync(join(folder, "next.ts"), page(200));
    renameSync(join(folder, "next.ts"), path());
    await said(/policy "mine" is loaded anew from .*mine\.ts, version 2/);
    expect(inView().origin).toMatchObject({ version: 2, rejections: 1, rejected: null });
    await until("version 2 is in force", async () => (await rate()) === 200);

    rmSync(path());
    await said(/stays at version 2: .* cannot be read/);
    writeFileSync(path(), page(200));
    await said(/is in .* again as it runs, version 2/);
    writeFileSync(path(), page(300, { name: "other" }));
    await said(/stays at version 2: .* is the policy "other"; expected name: "mine"/);
    // It compiles, and has the right name: that it decides nonsense shows on the view of this moment.
    writeFileSync(path(), page(Number.NaN));
    await said(/stays at version 2: policy "mine" limits tenant "good" at point svc\/front to NaN/);
    writeFileSync(path(), page(300).replace("return rates", 'throw new Error("boom")'));
    await said(/stays at version 2: policy "mine" threw: boom \(mine\.ts:9\)/);
    writeFileSync(path(), page(300).replace("const rates", "for (;;) {} const rates"));
    await said(/stays at version 2: did not decide within 1000 ms/);
    expect(await rate()).toBe(200);
    const metrics = await (await fetch(`http://127.0.0.1:${running!.httpPort}/metrics`)).text();
    expect(metrics).toMatch(/^tenantry_policy_version\{policy="mine"\} 2$/m);
    expect(metrics).toMatch(/^tenantry_policy_rejections_total\{policy="mine"\} 6$/m);
  });

  test("is looked at once it is whole: that it was empty or away for a moment is nobody's mistake", async () => {
    writeFileSync(path(), page(100));
    const told: ControllerEvent[] = [];
    const options = {
      name: "mine",
      path: path(),
      params: {},
      limitMs: 1_000,
      onEvent: (event: ControllerEvent) => told.push(event),
    };
    const file = await PolicyFile.open(options);
    for (const [i, leave] of [() => writeFileSync(path(), ""), () => rmSync(path())].entries()) {
      leave();
      const reloading = file.reload();
      // It has looked when this comes, and found nothing.
      await new Promise(setImmediate);
      writeFileSync(path(), page(200 + i));
      await reloading;
      expect(file.origin).toMatchObject({ version: 2 + i, rejections: 0 });
    }
    await file.close();
    expect(told.map(({ message }) => /version \d/.exec(message)?.[0])).toEqual(["version 2", "version 3"]);
  });

  test("must keep the parameters that are configured", { timeout: 120_000 }, async () => {
    writeFileSync(path(), page(100, { params: "{ a: 1 }" }));
    await start({ params: { a: 2 } });
    expect(inView().params).toEqual({ a: 2 });
    writeFileSync(path(), page(100, { params: "{ b: 1 }" }));
    await said(
      /stays at version 1: policy "mine": "a" is not a parameter; there are b; the configuration sets it \(policies\.mine\.params\)/,
    );
    writeFileSync(path(), page(100, { params: "{ a: 1, b: 5 }" }));
    await said(/version 2/);
    expect(inView().params).toEqual({ a: 2, b: 5 });
  });
});

describe("at the start a policy that is none is refused with the configuration, whole", () => {
  test.each([
    ["that is not there", undefined, /policies\.mine: .*mine\.ts cannot be read \(ENOENT\)/],
    ["that does not compile", "const = 5;", /policies\.mine: mine\.ts:1:7 does not compile/],
    [
      "that exports something else",
      "export default 5;",
      /policies\.mine: mine\.ts exports 5 as default; expected: export default/,
    ],
    ["of another name", page(1, { name: "other" }), /policies\.mine: .* is the policy "other"; expected name: "mine"/],
    ["without a parameter that is set", page(1, { params: "{ b: 1 }" }), /policies\.mine: .*"a" is not a parameter; there are b/],
  ])("one %s", async (_what, text, message) => {
    rmSync(path(), { force: true });
    if (text !== undefined) writeFileSync(path(), text);
    const config = { policies: { mine: { file: path(), params: { a: 1 } } } };
    const refused = createController({ grpcPort: 0, httpPort: 0, config });
    await expect(refused).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringMatching(message) });
  });

  test("with its place, where the configuration is a file", async () => {
    writeFileSync(path(), "export default 5;");
    const yaml = join(folder, "tenantry.yaml");
    writeFileSync(yaml, "windowUs: 100000\npolicies:\n  mine: { mode: observe, file: mine.ts }\n");
    const refused = createController({ grpcPort: 0, httpPort: 0, config: yaml });
    await expect(refused).rejects.toThrow(/tenantry\.yaml:3:32 policies\.mine: mine\.ts exports 5 as default/);
  });

  test("one with the name of a policy of the package", async () => {
    const config = { policies: { "latency-slo": { file: path() } } };
    const refused = createController({ grpcPort: 0, httpPort: 0, config });
    await expect(refused).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringContaining("choose another name") });
  });
});
