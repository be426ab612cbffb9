import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settingsFaults } from "../../controller/io/settings-check.js";
import { parseSettings, readSettings } from "../../controller/io/settings-file.js";
import { POLICIES } from "../../policies/index.js";

function mistakesIn(text: string): string {
  try {
    parseSettings(text, "tenantry.yaml", POLICIES);
  } catch (error) {
    expect(error).toMatchObject({ code: "BAD_CONFIG" });
    return (error as Error).message;
  }
  return "none";
}

test("a sound configuration is read", () => {
  const text = `
grpc: { port: 0 }
http: { host: "::1", port: 9000 }
state: kept.json
windowUs: 500_000
policies:
  bottleneck-fairness: { mode: observe, params: { threshold: 10 } }
tenants:
  acme: { weight: 2.5, mode: "off" }
points:
  storage/read: { mode: enforce }
`.replace("500_000", "500000");
  expect(parseSettings(text, "tenantry.yaml", POLICIES)).toEqual({
    grpc: { port: 0 },
    http: { host: "::1", port: 9000 },
    state: "kept.json",
    windowUs: 500_000,
    policies: { "bottleneck-fairness": { mode: "observe", params: { threshold: 10 } } },
    tenants: { acme: { weight: 2.5, mode: "off" } },
    points: { "storage/read": { mode: "enforce" } },
  });
});

test.each(["", "# nothing but a comment\n", "{}", "---\n"])("%j means the defaults", (text) => {
  expect(parseSettings(text, "tenantry.yaml", POLICIES)).toEqual({});
});

test("administrators are told by certificates that somebody asks for", () => {
  expect(mistakesIn("administrators: [ops]\ntls: { cert: a, key: b }\n")).toContain(
    "tenantry.yaml:1:1 administrators are told by their certificates, and none is asked for; expected tls.ca as well",
  );
  expect(mistakesIn("administrators: ops\n")).toContain("expected a list of names");
  expect(mistakesIn("administrators: [ops]\ntls: { cert: a, key: b, ca: c }\n")).toBe("none");
});

test("a host that others can reach needs TLS, and is listed with all other mistakes", () => {
  const text = "mode: on\ngrpc: { host: 0.0.0.0 }\nhttp: { host: a b }\n";
  expect(mistakesIn(text)).toMatchInlineSnapshot(`
    "3 mistakes in the configuration:
      tenantry.yaml:1:7 mode is "on"; expected "off", "observe" or "enforce"
      tenantry.yaml:2:15 grpc.host "0.0.0.0" can be reached from other machines, and there is no TLS; expected 127.0.0.1, ::1 or localhost, or set tls with cert and key
      tenantry.yaml:3:15 http.host "a b" is none; expected a name or an IP address, such as 127.0.0.1"
  `);
  expect(mistakesIn("grpc: { host: 0.0.0.0 }\ntls: { cert: a, key: b }\n")).toBe("none");
  expect(mistakesIn("grpc: { host: 0.0.0.0 }\ntls: { cert: a }\n")).not.toContain("no TLS");
});

test("every mistake is listed at once, each at its place, with what to write", () => {
  const text = `windowus: 1000000
windowUs: soon
ttlWindows: 0
grpc:
  port: 70000
  hots: localhost
http: 7412
mode: on
tenants:
  acme:
    weight: heavy
    mod: off
  "": { weight: 1 }
  bolt: { weight: -1 }
policies:
  bottleneck-fairnes: { mode: enforce }
  bottleneck-fairness:
    params:
      threshold: high
      treshold: 10
points:
  read: { mode: enforce }
tls: { cert: a.pem }
`;
  expect(mistakesIn(text)).toMatchInlineSnapshot(`
    "16 mistakes in the configuration:
      tenantry.yaml:1:1 windowus is no setting; did you mean "windowUs"?
      tenantry.yaml:2:11 windowUs is "soon"; expected a number, such as 1000000
      tenantry.yaml:3:13 ttlWindows: 0; expected a whole number from 1 to 100
      tenantry.yaml:5:9 grpc.port is 70000; expected a whole number from 0 (any free port) to 65535
      tenantry.yaml:6:3 grpc.hots is no setting; did you mean "host"?
      tenantry.yaml:7:7 http is 7412; expected a mapping of host and port
      tenantry.yaml:8:7 mode is "on"; expected "off", "observe" or "enforce"
      tenantry.yaml:11:13 tenants.acme.weight is "heavy"; expected a number
      tenantry.yaml:12:5 tenants.acme.mod is no setting; did you mean "mode"?
      tenantry.yaml:13:3 tenants."": not a tenant id; expected 1 to 128 printable characters
      tenantry.yaml:14:19 tenants."bolt".weight: -1; expected a number from 0.000001 to 1000000
      tenantry.yaml:16:3 policies."bottleneck-fairnes": no such policy; there are latency-slo, bottleneck-fairness, dominant-resource-fairness, fairness-with-memory, priority-tiers, caps-and-guarantees
      tenantry.yaml:18:5 policies."bottleneck-fairness".params: policy "bottleneck-fairness": "treshold" is not a parameter; there are alpha, beta, threshold, settle
      tenantry.yaml:19:18 policies."bottleneck-fairness".params.threshold is "high"; expected a number
      tenantry.yaml:22:3 points."read": not a point; expected service/point
      tenantry.yaml:23:1 tls.key is missing; expected a text"
  `);
});

test("terms agreed with a tenant, and mistakes in them", () => {
  const terms = "p99TargetUs: 50000, tier: 0, caps: { storage/read: 100 }, guarantees: { storage/read: 20 }";
  expect(parseSettings(`tenants:\n  acme: { ${terms} }\n`, "tenantry.yaml", POLICIES)).toEqual({
    tenants: { acme: { p99TargetUs: 50_000, tier: 0, caps: { "storage/read": 100 }, guarantees: { "storage/read": 20 } } },
  });
  const text = `
tenants:
  acme:
    tier: gold
    caps:
      storage/read: -1
      storage: 5
    guarantee: { storage/read: 20 }
`;
  expect(mistakesIn(text)).toMatchInlineSnapshot(`
    "4 mistakes in the configuration:
      tenantry.yaml:4:11 tenants.acme.tier is "gold"; expected a number
      tenantry.yaml:6:21 tenants."acme".caps."storage/read": -1; expected a number ≥ 0, cost units per second over all instances
      tenantry.yaml:7:16 tenants."acme".caps."storage": not a point; expected service/point
      tenantry.yaml:8:5 tenants.acme.guarantee is no setting; did you mean "guarantees"?"
  `);
});

test("what is no YAML is said where it stops being one", () => {
  expect(mistakesIn("windowUs: 1\n  mode: [off\n")).toMatchInlineSnapshot(`
    "3 mistakes in the configuration:
      tenantry.yaml:1:11 is not YAML here: Nested mappings are not allowed in compact mappings
      tenantry.yaml:1:11 is not YAML here: Implicit keys need to be on a single line
      tenantry.yaml:3:1 is not YAML here: Flow sequence in block collection must be sufficiently indented and end with a ]"
  `);
  expect(mistakesIn("mode: off\nmode: observe\n")).toMatchInlineSnapshot(`
    "1 mistake in the configuration:
      tenantry.yaml:2:1 is not YAML here: Map keys must be unique"
  `);
});

test("what is no mapping is refused", () => {
  expect(mistakesIn("- 1\n- 2\n")).toMatchInlineSnapshot(`
    "1 mistake in the configuration:
      tenantry.yaml:1:1 the configuration is a list; expected a mapping of settings"
  `);
  expect(mistakesIn("seven")).toMatchInlineSnapshot(`
    "1 mistake in the configuration:
      tenantry.yaml:1:1 the configuration is "seven"; expected a mapping of settings"
  `);
});

test("an alias of what it stands in is refused", () => {
  expect(mistakesIn("tenants: &x { a: *x }\n")).toContain("holds an alias (*) of a part that the alias stands in");
  expect(mistakesIn("tenants: { a: &one { weight: 2 }, b: *one }\n")).toBe("none");
});

test("aliases that would grow without bound are refused", () => {
  const lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
  for (const [name, of] of ["ba", "cb", "dc", "ed", "fe"].map((pair) => [...pair])) {
    lines.push(`${name}: &${name} [${new Array(10).fill(`*${of}`).join(", ")}]`);
  }
  expect(mistakesIn(`${lines.join("\n")}\n`)).toMatch(/Excessive alias count/);
});

test("names that JavaScript holds dear are only names", () => {
  expect(mistakesIn("__proto__: { mode: observe }\nconstructor: 1\n")).toMatch(/2 mistakes/);
  expect(({} as { mode?: string }).mode).toBeUndefined();
});

test("an object is checked like a file", () => {
  expect(settingsFaults({ windowUs: "1", nodes: 3 }, POLICIES).map((fault) => fault.text)).toMatchInlineSnapshot(`
    [
      "windowUs is "1"; expected a number, such as 1000000",
      "nodes is no setting; did you mean "mode"?",
    ]
  `);
  expect(settingsFaults(undefined, POLICIES)).toHaveLength(1);
});

test("paths in a file are relative to its folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "tenantry-settings-"));
  try {
    writeFileSync(join(folder, "t.yaml"), "state: kept/state.json\ntls: { cert: c.pem, key: /k.pem }\n");
    expect(readSettings(join(folder, "t.yaml"), POLICIES)).toEqual({
      state: join(folder, "kept", "state.json"),
      tls: { cert: join(folder, "c.pem"), key: "/k.pem" },
    });
    expect(() => readSettings(join(folder, "none.yaml"), POLICIES)).toThrow(/cannot be read \(ENOENT\); expected a YAML file/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("groups, memberships, shares and promises: all that is wrong with them at once", () => {
  const text = `
tenants:
  acme: { weight: 0, group: nowhere, p99TargetUs: 0 }
  globex: { weight: -1, tier: 12, caps: { storage/read: 10 }, guarantees: { storage/read: 20 } }
groups:
  a: { parent: b }
  b: { parent: a }
  c: { parent: gone, weight: 0 }
points:
  storage/read: { capacityPerSec: -5 }
`;
  expect(mistakesIn(text)).toMatchInlineSnapshot(`
    "10 mistakes in the configuration:
      tenantry.yaml:3:19 tenants."acme".weight: 0; expected a number from 0.000001 to 1000000
      tenantry.yaml:3:29 tenants."acme".group: "nowhere"; no such group; there are a, b, c
      tenantry.yaml:3:51 tenants."acme".p99TargetUs: 0; expected a number from 1 to 3600000000 (an hour)
      tenantry.yaml:4:21 tenants."globex".weight: -1; expected a number from 0.000001 to 1000000
      tenantry.yaml:4:31 tenants."globex".tier: 12; expected a whole number from 0 (served first) to 9
      tenantry.yaml:4:91 tenants."globex".guarantees."storage/read": 20, above its cap of 10; expected at most that
      tenantry.yaml:6:16 groups."a".parent: "a" → "b" → "a" is a circle; expected every line of parents to end at a group without one
      tenantry.yaml:8:16 groups."c".parent: "gone"; no such group; there are a, b, c
      tenantry.yaml:8:30 groups."c".weight: 0; expected a number from 0.000001 to 1000000
      tenantry.yaml:10:35 points."storage/read".capacityPerSec: -5; expected a number > 0, cost units per second over all instances"
  `);
});

test("promises that cannot all be kept, told beside whatever else is wrong", () => {
  const text = `
windowUs: 1
stack: [latency-slo, latency-slo, fairness]
groups:
  org: { caps: { storage/read: 50 } }
tenants:
  acme: { group: org, guarantees: { storage/read: 40 } }
  globex: { group: org, guarantees: { storage/read: 20 } }
  initech: { guarantees: { storage/read: 80 } }
points:
  storage/read: { capacityPerSec: 100 }
`;
  expect(mistakesIn(text)).toMatchInlineSnapshot(`
    "5 mistakes in the configuration:
      tenantry.yaml:2:11 windowUs: 1; expected a whole number from 10000 to 60000000
      tenantry.yaml:3:22 stack[1]: "latency-slo" stands at stack[0] already; expected every policy once
      tenantry.yaml:3:35 stack[2]: "fairness"; no such policy; there are latency-slo, bottleneck-fairness, dominant-resource-fairness, fairness-with-memory, priority-tiers, caps-and-guarantees
      tenantry.yaml:5:32 groups."org".caps."storage/read": 50, but the guarantees below it come to 60 (acme 40, globex 20); expected at most that cap
      tenantry.yaml:11:35 points."storage/read".capacityPerSec: 100, but the guarantees there come to 130 (initech 80, org 50); expected at most what it carries"
  `);
});
