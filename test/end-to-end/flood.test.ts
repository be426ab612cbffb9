/** The demo's services under the demo's flood, over real sockets: loose claims, and what must survive the death of a controller. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ViewSnapshot } from "../../controller/index.js";
import { ACTS } from "../../dist/examples/main-job/acts.js";
import { fetchView, setMode } from "../../dist/examples/main-job/admin.js";
import { Cluster } from "../../dist/examples/main-job/cluster.js";
import { runTenantry } from "../cli/tenantry.js";
import { until } from "./until.js";

const MINUTES = 60_000;
/**
 * What the crawler's requests load. Which of them is fullest depends on the machine: the workers where the services have it to
 * themselves, the event loops where they get a turn late. `npm start` holds the workers to be the bottleneck; this must hold anywhere.
 */
const ON_ITS_WAY = ["storage/workers", "storage/disk", "storage/event-loop", "gateway/event-loop"];

describe("one tenant floods real services", () => {
  const deaths: string[] = [];
  let cluster: Cluster;
  let failed = 0;
  let refused = 0;

  beforeAll(async () => {
    cluster = new Cluster((error) => deaths.push(error.message), ACTS["bottleneck-fairness"]);
    await cluster.start();
    cluster.play("ada");
    cluster.play("nightly");
  }, 2 * MINUTES);

  afterAll(() => cluster?.end(), MINUTES);

  const view = () => until("the controller answers", () => fetchView(cluster.controllerUrl) as Promise<ViewSnapshot | undefined>);

  /** Waits until a tenant has had some more answers; whatever was not answered with 200 is counted. */
  async function served(tenant: "ada" | "crawler", more: number): Promise<void> {
    let count = 0;
    await until(`${tenant} is served ${more} times`, async () => {
      const seens = await cluster.take();
      for (const seen of Object.values(seens)) {
        failed += seen.failed;
        refused += seen.refused;
      }
      count += seens[tenant]?.latenciesMs.length ?? 0;
      return count >= more;
    });
  }

  /** What was decided of the crawler where requests come in. */
  async function decided() {
    return (await view()).points.find(({ name }) => name === "gateway/http")?.tenants.crawler;
  }

  /** The same once it is held back. */
  async function limit() {
    const at = await decided();
    return at?.ratePerSec == null ? undefined : at;
  }

  test("in calm, use is measured across services and nobody is held back", { timeout: 2 * MINUTES }, async () => {
    const seen = await until("three resources carry ada's load, fed by both points", async () => {
      const { resources, points } = await view();
      const used = ON_ITS_WAY.every((name) =>
        resources.some((resource) => resource.name === name && (resource.tenants.ada?.load ?? 0) > 0),
      );
      const fed = ["gateway/http", "storage/work"].every((name) =>
        points.some((point) => point.name === name && point.feeds.includes("storage/workers")),
      );
      return used && fed && points;
    });
    expect(seen.flatMap((point) => Object.values(point.tenants)).filter(({ ratePerSec }) => ratePerSec !== null)).toEqual([]);
  });

  test("a policy that observes shows what it would do, and does nothing", { timeout: 2 * MINUTES }, async () => {
    cluster.play("crawler");
    const shadow = await until("a shadow rate for the crawler", async () => {
      const at = await decided();
      return at?.shadowRatePerSec != null && at;
    });
    expect(shadow.ratePerSec).toBeNull();
    expect(shadow.reason?.policy).toBe("bottleneck-fairness");
    expect(ON_ITS_WAY).toContain(shadow.reason?.resource);
  });

  test("enforced at run time, the aggressor is limited because of what its requests load; interactive requests are served", {
    timeout: 2 * MINUTES,
  }, async () => {
    await setMode(cluster.controllerAddress, "ENFORCE");
    const at = await until("the crawler is limited, and waits", async () => {
      const found = await limit();
      return found !== undefined && found.waiting > 0 && found;
    });
    expect(at.ratePerSec).toBeGreaterThan(0);
    expect(ON_ITS_WAY).toContain(at.reason?.resource);
    const answer = await fetch(`${cluster.controllerUrl}/api/explain?tenant=crawler`);
    const { sentence } = (await answer.json()) as { sentence: string };
    expect(sentence).toContain("crawler");
    await served("ada", 20);
    await served("crawler", 20);
  });

  test("the controller killed in mid-flood: rates hold, nothing is lost, the next one knows", {
    timeout: 3 * MINUTES,
  }, async () => {
    const before = await view();
    await cluster.endController("SIGKILL");
    expect(await fetchView(cluster.controllerUrl)).toBeUndefined();
    await served("crawler", 20);
    await served("ada", 20);
    await until("the gateway says that its rates hold", () =>
      cluster.complaints("gateway").some((line) => line.includes("rates hold")),
    );
    await cluster.startController();
    const after = await until("all three services are back", async () => {
      const now = await view();
      return now.instances.filter(({ live }) => live).length === 3 && now;
    });
    expect(after.epoch).toBeGreaterThan(before.epoch);
    expect(after.mode, "what was set at run time is kept").toBe("enforce");
    await until("the crawler is held back again", limit);
    await served("ada", 20);
    await served("crawler", 20);
    expect({ failed, refused, deaths }).toEqual({ failed: 0, refused: 0, deaths: [] });
  });

  test("a tenant that may do nothing is told so at the edge, in the words of the standards", {
    timeout: 2 * MINUTES,
  }, async () => {
    const command = ["set", "tenant", "stopped", "--cap", "gateway/http=0", "--controller", cluster.controllerAddress];
    expect((await runTenantry(command, process.cwd())).code).toBe(0);
    const ask = () => fetch(`${cluster.gatewayUrl}/page`, { headers: { "x-tenant": "stopped" } });
    const answer = await until("it is refused", async () => {
      const each = await ask();
      await each.arrayBuffer();
      return each.status === 200 ? undefined : each;
    });
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answer.headers.get("ratelimit")).toMatch(/^"http";r=0;t=\d+;pk=/);
    expect(answer.headers.get("ratelimit-policy")).toMatch(/^"http";q=0;w=1;pk=/);
  });

  test("a tenant id that is none is refused at the edge; none at all is the tenant unknown", {
    timeout: 2 * MINUTES,
  }, async () => {
    for (const id of ["", "x".repeat(200)]) {
      const answer = await fetch(`${cluster.gatewayUrl}/page`, { headers: { "x-tenant": id } });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, "BAD_TENANT"]);
    }
    expect((await fetch(`${cluster.gatewayUrl}/page`)).status).toBe(200);
    await until("unknown is visible", async () => (await view()).tenants.some(({ id }) => id === "unknown"));
  });
});
