/** The command line as its users meet it: processes of their own, running the built package. */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { controllerProcess, MAIN, type Outcome, runTenantry } from "./tenantry.js";

const VERSION = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8")).version;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tenantry = (args: string[], env: Record<string, string> = {}) => runTenantry(args, folder, env);

describe("asked wrongly, it says so on stderr and exits with 2", () => {
  test.each([
    [[], /^Usage: tenantry/],
    [["frob"], /unknown command 'frob'/],
    [["explian", "x"], /Did you mean explain/],
    [["view", "--bogus"], /unknown option '--bogus'/],
    [["explain"], /missing required argument 'TENANT'/],
    [["controller", "--grpc-port", "x"], /Expected a whole number from 0/],
    [["set", "tenant", "acme"], /nothing to set; expected --mode or --weight or --p99-target-ms or --tier/],
    [["set", "tenant", "acme", "--mode", "on"], /Allowed choices are off, observe, enforce/],
    [["set", "tenant", "acme", "--weight", "-1"], /Expected a number above 0/],
    [["set", "tenant", "acme", "--tier", "10"], /Expected a whole number from 0 \(served first\) to 9/],
    [["set", "tenant", "acme", "--p99-target-ms", "0"], /Expected a number of milliseconds above 0, or "none"/],
    [["set", "tenant", "acme", "--cap", "storage/read"], /Expected SERVICE\/POINT=RATE/],
    [["set", "policy", "p", "--param", "beta"], /Expected NAME=NUMBER/],
    [["simulate"], /which scenario\?/],
    [["simulate", "no/such"], /there is no scenario "no\/such"/],
    [["simulate", "x", "--seed", "1.5"], /Expected a whole number from 0 to 4294967295/],
  ])("%j", async (args, expected) => {
    const { code, out, err } = await tenantry(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(expected);
  });
});

test("answers go to stdout, and exit with 0", async () => {
  expect(await tenantry(["--version"])).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  expect(await tenantry(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("explain"), err: "" });
  expect(await tenantry(["set", "policy", "--help"])).toMatchObject({ code: 0, out: expect.stringContaining("--param") });
});

test("with nobody at the other end, it says so, with the way out, and exits with 1", async () => {
  for (const args of [
    ["explain", "acme", "--controller", "127.0.0.1:9"],
    ["view", "--controller", "http://127.0.0.1:9"],
    ["set", "tenant", "acme", "--weight", "2", "--controller", "127.0.0.1:9"],
  ]) {
    const { code, out, err } = await tenantry(args);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: no controller answers at .*start one with "tenantry controller"/);
  }
});

test("errors are coloured on demand only", async () => {
  const red = `${String.fromCharCode(27)}[31m`;
  const args = ["view", "--controller", "127.0.0.1:9"];
  expect((await tenantry(args, { FORCE_COLOR: "1" })).err).toContain(red);
  expect((await tenantry(args, { FORCE_COLOR: "1", NO_COLOR: "1" })).err).not.toContain(red);
});

describe("with a controller", () => {
  let home: string;
  let running: Awaited<ReturnType<typeof controllerProcess>>;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "tenantry-cli-home-"));
    running = await controllerProcess([], home);
  });
  afterAll(async () => {
    running.child.kill("SIGTERM");
    await running.exit;
    rmSync(home, { recursive: true, force: true });
  });

  test("explain and view answer, in words and as JSON", async () => {
    const { http } = running;
    expect(await tenantry(["explain", "nobody", "--controller", http])).toEqual({
      code: 0,
      out: "nobody has not been seen lately, and nothing limits it.\n",
      err: "",
    });
    const { out } = await tenantry(["explain", "nobody", "--controller", http, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ tenant: "nobody", limits: [] });
    const text = await tenantry(["view", "--controller", http]);
    expect(text).toMatchObject({ code: 0, err: "" });
    expect(text.out).toMatch(/^epoch 1 · (learning|enforce) · 0 of 0 instances live · 0 tenants\n\npolicy/);
    expect(JSON.parse((await tenantry(["view", "--controller", http, "--json"])).out)).toMatchObject({ epoch: 1 });
    expect(await tenantry(["explain", " ", "--controller", http])).toMatchObject({
      code: 2,
      err: expect.stringContaining("BAD_TENANT"),
    });
  });

  test("set changes tenants, policies, points and everything", async () => {
    const at = ["--controller", running.grpc];
    expect(await tenantry(["set", "tenant", "acme", "--weight", "2", "--mode", "observe", ...at])).toEqual({
      code: 0,
      out: "tenant acme, weight 2, mode observe\n",
      err: "",
    });
    const terms = ["--p99-target-ms", "20", "--tier", "0", "--cap", "storage/read=200", "--cap", "storage/write=50"];
    expect((await tenantry(["set", "tenant", "acme", ...terms, ...at])).out).toBe(
      "tenant acme, weight 2, mode observe, p99 target 20 ms, tier 0, caps storage/read 200 and storage/write 50\n",
    );
    const fewer = ["set", "tenant", "acme", "--p99-target-ms", "none", "--cap", "storage/read=none", ...at];
    expect((await tenantry(fewer)).out).toBe("tenant acme, weight 2, mode observe, tier 0, caps storage/write 50\n");
    const above = await tenantry(["set", "tenant", "acme", "--guarantee", "storage/write=51", ...at]);
    expect(above).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringMatching(/51, above its cap of 50; expected at most that/),
    });
    const policy = ["set", "policy", "bottleneck-fairness", "--param", "alpha=0.3", "--param", "beta=0.05", "--json", ...at];
    expect(JSON.parse((await tenantry(policy)).out)).toMatchObject({ mode: "enforce", params: { alpha: 0.3, beta: 0.05 } });
    expect((await tenantry(["set", "point", "storage/read", "--mode", "off", ...at])).out).toBe("point storage/read, mode off\n");
    expect((await tenantry(["set", "point", "storage/write", "--capacity", "900", ...at])).out).toBe(
      "point storage/write, mode enforce, capacityPerSec 900\n",
    );
    const beyond = await tenantry(["set", "tenant", "other", "--guarantee", "storage/write=901", ...at]);
    expect(beyond.err).toMatch(/storage\/write"\.capacityPerSec: 900, but the guarantees there come to 901 \(other 901\)/);
    expect((await tenantry(["set", "everything", "--mode", "observe", ...at])).out).toBe("mode observe\n");
    const unknown = await tenantry(["set", "policy", "none", "--mode", "off", ...at]);
    expect(unknown).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/^error: .*\(UNKNOWN\)\n$/) });
  });

  test("a second one finds its port taken, says so, and exits with 1", async () => {
    const port = running.grpc.split(":")[1];
    const { code, err } = await tenantry(["controller", "--grpc-port", port, "--http-port", "0"]);
    expect(code).toBe(1);
    expect(err).toMatch(
      new RegExp(`^error: gRPC port ${port} on 127\\.0\\.0\\.1 is taken .*--grpc-port N.*\\(ADDRESS_IN_USE\\)\n$`),
    );
    expect(existsSync(join(folder, "tenantry-state.json"))).toBe(false);
  });
});

describe("the controller command", () => {
  test("stops when asked to, and keeps what was set, even when it is killed", async () => {
    const first = await controllerProcess(["--state", "kept/state.json"], folder);
    await tenantry(["set", "tenant", "acme", "--weight", "5", "--controller", first.grpc]);
    first.child.kill("SIGKILL");
    expect(await first.exit).toBe("SIGKILL");
    const second = await controllerProcess(["--state", "kept/state.json"], folder);
    const { out } = await tenantry(["view", "--controller", second.http, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ epoch: 2 });
    second.child.kill("SIGINT");
    expect(await second.exit).toBe(0);
    const file = JSON.parse(readFileSync(join(folder, "kept", "state.json"), "utf8"));
    expect(file.state.tenants).toEqual({ acme: { weight: 5 } });
  });

  test("two on one state file: the second says who has it and what to do, and exits with 1", async () => {
    const first = await controllerProcess(["--state", "one.json"], folder);
    const { code, err } = await tenantry(["controller", "--grpc-port", "0", "--http-port", "0", "--state", "one.json"]);
    first.child.kill("SIGTERM");
    await first.exit;
    expect(code).toBe(1);
    expect(err).toMatch(
      new RegExp(
        `^error: state file one\\.json is in use by another controller, process ${first.child.pid}; .*--state FILE.*\\(STORE_IN_USE\\)\n$`,
      ),
    );
    expect(existsSync(join(folder, "one.json.lock"))).toBe(false);
  });

  test("over TLS: view and set show a certificate, and only who is named may set", async () => {
    const file = (name: string) => join(import.meta.dirname, "..", "controller-io", "certificates", name);
    const tls = `tls: { cert: ${file("controller.pem")}, key: ${file("controller.key")}, ca: ${file("ca.pem")} }\n`;
    writeFileSync(join(folder, "t.yaml"), tls);
    const { child, grpc, http, exit } = await controllerProcess(["--config", "t.yaml"], folder);
    const at = (address: string) => ["--controller", address.replace("127.0.0.1", "localhost").replace("http:", "https:")];
    const flags = ["--ca", file("ca.pem"), "--cert", file("agent.pem"), "--key", file("agent.key")];
    const env = { TENANTRY_CA: flags[1], TENANTRY_CERT: flags[3], TENANTRY_KEY: flags[5] };
    const set = ["set", "tenant", "acme", "--weight", "2", ...at(grpc)];
    expect(await tenantry(["view", "--json", ...at(http), ...flags])).toMatchObject({ code: 0, err: "" });
    expect(await tenantry(["explain", "acme", ...at(http)], env)).toMatchObject({ code: 0, err: "" });
    for (const outcome of [await tenantry([...set, ...flags]), await tenantry(set, env)]) {
      expect(outcome).toMatchObject({ code: 1, err: expect.stringMatching(/"agent".*administrators.*\(NOT_ALLOWED\)\n$/) });
    }
    expect(await tenantry(set)).toMatchObject({ code: 1, err: expect.stringContaining("--ca") });
    // Somebody does answer: what is wrong is how it was asked.
    expect(await tenantry(["view", "--controller", http])).toMatchObject({ code: 1, err: expect.stringMatching(/https:.*--ca/) });
    expect(await tenantry(["view", ...at(http)])).toMatchObject({ code: 1, err: expect.stringMatching(/give --ca/) });
    expect(await tenantry([...set, "--cert", "x"])).toMatchObject({ code: 2, err: expect.stringContaining("--key is missing") });
    child.kill("SIGTERM");
    await exit;
    writeFileSync(join(folder, "t.yaml"), `${tls}administrators: [agent]\n`);
    const second = await controllerProcess(["--config", "t.yaml"], folder);
    expect(await tenantry(["set", "tenant", "acme", "--weight", "2", ...at(second.grpc), ...flags])).toEqual({
      code: 0,
      out: "tenant acme, weight 2, mode enforce\n",
      err: "",
    });
    second.child.kill("SIGTERM");
    await second.exit;
  }, 60_000);

  test("says where to look: over TLS that is https, at the host it listens on", async () => {
    const file = (name: string) => join(import.meta.dirname, "..", "controller-io", "certificates", name);
    writeFileSync(
      join(folder, "t.yaml"),
      `tls: { cert: ${file("controller.pem")}, key: ${file("controller.key")} }\nhttp: { host: 0.0.0.0 }\n`,
    );
    const args = [MAIN, "controller", "--grpc-port", "0", "--http-port", "0", "--config", "t.yaml"];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    let place: string | undefined;
    for await (const line of createInterface({ input: child.stderr! })) {
      place = /look at (\S+?):\d+\/api\/view/.exec(line)?.[1];
      if (place !== undefined) break;
    }
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await gone;
    expect(place).toBe("https://localhost");
  });

  test("lists every mistake of a configuration and exits with 1", async () => {
    writeFileSync(join(folder, "t.yaml"), "windowus: 1\nmode: on\n");
    const { code, out, err } = await tenantry(["controller", "--config", "t.yaml"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toBe(
      'error: 2 mistakes in the configuration:\n  t.yaml:1:1 windowus is no setting; did you mean "windowUs"?\n' +
        '  t.yaml:2:7 mode is "on"; expected "off", "observe" or "enforce" (BAD_CONFIG)\n',
    );
  });

  test("an HTTP port that is taken is said plainly", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const { code, err } = await tenantry(["controller", "--grpc-port", "0", "--http-port", String(port)]);
    taken.close();
    expect(code).toBe(1);
    expect(err).toContain(`HTTP port ${port} on 127.0.0.1 is taken`);
  });
});

describe("simulate", () => {
  test("lists what there is", async () => {
    const { code, out } = await tenantry(["simulate", "--list"]);
    expect(code).toBe(0);
    expect(out).toContain("retro/bottleneck-fairness");
    const names = JSON.parse((await tenantry(["simulate", "--list", "--json"])).out) as { name: string }[];
    expect(names.map(({ name }) => name)).toContain("retro/bottleneck-fairness");
  });

  test("prints one JSON object, writes a report, and shows no progress in a pipe", async () => {
    const { code, out, err } = await tenantry([
      "simulate",
      "retro/bottleneck-fairness",
      "--seed",
      "3",
      "--json",
      "--report",
      "r.html",
    ]);
    const result = JSON.parse(out);
    expect(Object.keys(result)).toEqual(["scenario", "seed", "figures", "expectations", "traceHash"]);
    expect(result).toMatchObject({ scenario: "retro/bottleneck-fairness", seed: 3 });
    expect(code).toBe(result.expectations.every((expectation: { met: boolean }) => expectation.met) ? 0 : 1);
    expect(err).toBe("pictures are in r.html\n");
    expect(readFileSync(join(folder, "r.html"), "utf8")).toMatch(/^<!doctype html>/i);
  }, 60_000);

  test("runs a trace from a file, and refuses what only a trace has of other scenarios", async () => {
    const requests = Array.from({ length: 200 }, (_, k) => `${k * 100},tenant-${k % 3},get,${1 + (k % 5)}`);
    writeFileSync(join(folder, "t.csv"), `arrival_us,tenant,api,cost\n${requests.join("\n")}\n`);
    const { code, out } = await tenantry([
      "simulate",
      "trace",
      "t.csv",
      "--threads",
      "2",
      "--scheduler",
      "fifo,2dfq",
      "--json",
      "--pictures",
      ".",
    ]);
    expect([code, JSON.parse(out).figures.requests]).toEqual([0, 200]);
    expect(readFileSync(join(folder, "trace-1.svg"), "utf8")).toMatch(/^<svg/);
    writeFileSync(join(folder, "bad.csv"), "arrival_us,tenant,api,cost\n5,a,get,1\n4,a,get,1\n");
    const bad = await tenantry(["simulate", "trace", "bad.csv"]);
    expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/^error: bad\.csv:3 has arrival_us 4 after 5/)]);
    expect((await tenantry(["simulate", "trace"])).err).toMatch(/which trace\?/);
    expect((await tenantry(["simulate", "2dfq/worked-example", "--threads", "2"])).err).toMatch(/has its own settings/);
  });

  test("says plainly, and before it runs, when the report cannot be written", async () => {
    const { code, err } = await tenantry(["simulate", "retro/bottleneck-fairness", "--report", "no/such/r.html"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: no\/such\/r\.html cannot be written: ENOENT/);
  });
});

describe("a Node that is too old is told so in words it can read, whatever else it cannot", () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"));
  const needed = String(engines.node).replace(">=", "");
  const [major, minor] = needed.split(".").map(Number);

  // The same program in a process that says it is another Node: nothing else of it may be loaded.
  test.each([
    ["tenantry", ["cli", "main.js"], "18.20.4"],
    ["tenantry", ["cli", "main.js"], `${major}.${minor - 1}.0`],
    ["the main job", ["examples", "main-job", "start.js"], "18.20.4"],
    ["the main job", ["examples", "main-job", "start.js"], `${major}.${minor - 1}.0`],
  ])("%s (%s) under %s", async (what, path, version) => {
    const source = readFileSync(join(import.meta.dirname, "..", "..", "dist", ...path), "utf8");
    const old = join(folder, "main.mjs");
    writeFileSync(
      old,
      `Object.defineProperty(process.versions, "node", { value: "${version}" });\n${source.replace(/^#!.*\n/, "")}`,
    );
    const outcome = await new Promise<Outcome>((resolve) => {
      execFile(process.execPath, [old], (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
    });
    const err = `${what} needs Node ${needed} or newer; this is ${version}. See https://nodejs.org\n`;
    expect(outcome).toEqual({ code: 1, out: "", err });
  });

  test("the command begins as one", () => {
    expect(readFileSync(MAIN, "utf8").startsWith("#!/usr/bin/env node\n")).toBe(true);
  });
});
