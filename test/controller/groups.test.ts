/** Organisations, teams, users: what is refused, and what policies see. */
import { describe, expect, test } from "vitest";
import { type ControllerConfig, completeConfig } from "../../controller/index.js";
import { POLICIES } from "../../policies/index.js";
import { bench, FakeAgent, spying } from "./harness.js";

const complete = (config: Partial<ControllerConfig>) => () => completeConfig(config, POLICIES);

describe("refused, every mistake at once, with its place and what to write instead:", () => {
  test("a missing parent, a weight of zero or below, a cap that is none, a tenant in no group there is", () => {
    const attempt = complete({
      groups: {
        acme: { weight: 0 },
        search: { parent: "acne", weight: -1 },
        mail: { parent: "acme", caps: { read: 5, "svc/read": -1 } },
      },
      tenants: { ada: { group: "serach" } },
    });
    expect(attempt).toThrow(/groups\."acme"\.weight: 0; expected a number from 0\.000001 to 1000000/);
    expect(attempt).toThrow(/groups\."search"\.weight: -1;/);
    expect(attempt).toThrow(/groups\."search"\.parent: "acne"; no such group; there are acme, search, mail/);
    expect(attempt).toThrow(/groups\."mail"\.caps\."read": not a point; expected service\/point/);
    expect(attempt).toThrow(/groups\."mail"\.caps\."svc\/read": -1; expected a number ≥ 0/);
    expect(attempt).toThrow(/tenants\."ada"\.group: "serach"; no such group/);
    expect(complete({ tenants: { ada: { group: "acme" } } })).toThrow(
      /tenants\."ada"\.group: "acme"; no such group; none is configured/,
    );
  });

  test("a circle of parents, told once, with the way round it", () => {
    const groups = {
      a: { parent: "c" },
      b: { parent: "a" },
      c: { parent: "b" },
      self: { parent: "self" },
      fine: { parent: "a" },
    };
    expect(complete({ groups })).toThrow(/2 mistake\(s\)/);
    expect(complete({ groups })).toThrow(
      /groups\."a"\.parent: "a" → "c" → "b" → "a" is a circle; expected every line of parents to end/,
    );
    expect(complete({ groups })).toThrow(/groups\."self"\.parent: "self" → "self" is a circle/);
  });

  test("guarantees that come to more than the cap of their group, or than what the point carries, at every level", () => {
    const at = (rate: number) => ({ "svc/read": rate });
    const groups = { acme: { caps: at(100) }, search: { parent: "acme", guarantees: at(70) }, mail: { parent: "acme" } };
    const tenants = {
      ada: { group: "search", guarantees: at(60) },
      bob: { group: "mail", guarantees: at(40) },
      eve: { guarantees: at(30) },
    };
    expect(complete({ groups, tenants })).toThrow(
      /groups\."acme"\.caps\."svc\/read": 100, but the guarantees below it come to 110 \(search 70, mail 40\); expected at most that cap/,
    );
    const points = { "svc/read": { capacityPerSec: 120 } };
    expect(complete({ groups: { ...groups, acme: {} }, tenants, points })).toThrow(
      /points\."svc\/read"\.capacityPerSec: 120, but the guarantees there come to 140 \(acme 110, eve 30\); expected at most what it carries/,
    );
    expect(complete({ groups: { ...groups, acme: {} }, tenants, points: { "svc/read": { capacityPerSec: 140 } } })).not.toThrow();
    expect(complete({ points: { "svc/read": { capacityPerSec: 0 } } })).toThrow(/capacityPerSec: 0; expected a number > 0/);
  });

  test("the same at run time, when it is the change that makes it so; what was in force stays in force", () => {
    const points = { "svc/read": { capacityPerSec: 100 } };
    const { controller } = bench({
      config: { points, groups: { acme: {} }, tenants: { ada: { guarantees: { "svc/read": 60 } } } },
    });
    const now = () => controller.listTenants().map(({ tenant, guarantees, group }) => [tenant, guarantees?.["svc/read"], group]);
    expect(() => controller.setTenant("bob", { guarantees: { "svc/read": 41 } })).toThrow(/come to 101 \(ada 60, bob 41\)/);
    expect(() => controller.setTenant("bob", { group: "acne" })).toThrow(
      /tenants\."bob"\.group: "acne"; no such group; there are acme/,
    );
    expect(() => controller.setPoint("svc/read", { capacityPerSec: 59 })).toThrow(
      /capacityPerSec: 59, but the guarantees there come to 60/,
    );
    expect(now()).toEqual([["ada", 60, undefined]]);
    controller.setTenant("bob", { guarantees: { "svc/read": 40 }, group: "acme" });
    expect(now()).toEqual([
      ["ada", 60, undefined],
      ["bob", 40, "acme"],
    ]);
    controller.setPoint("svc/read", { capacityPerSec: null });
    controller.setTenant("bob", { guarantees: { "svc/read": 400 }, group: null });
    expect(now()).toEqual([
      ["ada", 60, undefined],
      ["bob", 400, undefined],
    ]);
  });
});

test("policies see groups with parents before their children, and who is in which", () => {
  const { spy, seen } = spying();
  const groups = { team: { parent: "org", weight: 2 }, org: { caps: { "svc/read": 9 } } };
  const { controller, run } = bench({ policies: [spy], config: { groups, tenants: { ada: { group: "team" }, eve: {} } } });
  const agent = new FakeAgent(controller, "svc", "a").connect();
  const window = () => {
    agent.report({ "r:disk": { ada: { count: 1, serviceUs: 1 }, eve: { count: 1, serviceUs: 1 } } });
    run(1);
  };
  window();
  expect(seen()?.groups).toEqual([
    { index: 0, id: "org", weight: 1, caps: { "svc/read": 9 } },
    { index: 1, id: "team", parent: 0, weight: 2 },
  ]);
  const groupOf = (id: string) => seen()?.tenants.find((tenant) => tenant.id === id)?.group;
  expect([groupOf("ada"), groupOf("eve")]).toEqual([1, undefined]);
  controller.setTenant("eve", { group: "org" });
  controller.setTenant("ada", { group: null });
  window();
  expect([groupOf("ada"), groupOf("eve")]).toEqual([undefined, 0]);
});
