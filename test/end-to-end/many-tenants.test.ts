/** Somebody invents a tenant per request: memory stays bounded, the excess shares one tenant, and that is shown. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchView } from "../../dist/examples/main-job/admin.js";
import { Cluster } from "../../dist/examples/main-job/cluster.js";
import { until } from "./until.js";

const MINUTES = 60_000;
const INVENTED = 10_000;
/** What instances may keep apart, and what the controller may. */
const PER_INSTANCE = 500;
const IN_ALL = 800;
const AT_ONCE = 32;
const MOST_MEGABYTES = 500;

const folder = mkdtempSync(join(tmpdir(), "many-tenants-"));
const config = join(folder, "tenantry.yaml");
let cluster: Cluster;

beforeAll(async () => {
  writeFileSync(config, `mode: enforce\nmaxTenantsPerInstance: ${PER_INSTANCE}\nmaxTenants: ${IN_ALL}\n`);
  cluster = new Cluster(() => {}, { config, slots: 3 });
  await cluster.start();
}, 2 * MINUTES);

afterAll(async () => {
  await cluster?.end();
  rmSync(folder, { recursive: true, force: true });
}, MINUTES);

test("ten thousand invented tenants", { timeout: 5 * MINUTES }, async () => {
  const connections = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const statuses = new Map<number, number>();
  let next = 0;
  const client = async () => {
    while (next < INVENTED) {
      const status = await ask(connections, `invented-${next++}`);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  connections.destroy();
  // There is no such blob, and that is what everybody is told: quick to answer, and it passes every point.
  expect([...statuses]).toEqual([[404, INVENTED]]);

  const view = await until("the overflow tenant is visible", async () => {
    const now = await fetchView(cluster.controllerUrl);
    return now?.points.some(({ tenants }) => "overflow" in tenants) && now;
  });
  expect(view.tenantCount).toBeLessThanOrEqual(IN_ALL + 1);
  for (const program of ["gateway", "storage", "controller"]) {
    for (const pid of cluster.processIds(program)) expect(residentMegabytes(pid), program).toBeLessThan(MOST_MEGABYTES);
  }
});

function ask(agent: Agent, tenant: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(`${cluster.gatewayUrl}/nothing`, { agent, headers: { "x-tenant": tenant } }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    call.on("error", reject).end();
  });
}

/** 0 where there is no /proc to ask. */
function residentMegabytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
