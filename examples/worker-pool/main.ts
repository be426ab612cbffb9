/**
 * A pool of threads that many tenants share. The pool's own queue is first come, first served: a page of a millisecond waits
 * for every report of a second that came before it. The recipe is one control point with as many slots as the pool has
 * threads, so that the pool never has a queue, and 2DFQ decides what enters:
 *
 *     agent.run(tenant, () => point.run({ api }, () => pool.run(job)))
 *
 * Nobody says what a job will cost. The point learns it, by tenant and api, from how long its slot was held, and keeps reports
 * from taking all threads at once: while pages wait, one thread is theirs.
 *
 *     node dist/examples/worker-pool/main.js [--seconds 6] [--report-ms 1000] [--threads 2] [--out FILE.html] [--json]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { Piscina } from "piscina";
import { createAgent } from "tenantry";
import { figuresOf, tableOf } from "./figures.js";
import { load, type Submit, TENANTS, type Tenant } from "./load.js";
import { page } from "./pictures.js";
import type { Stint } from "./work.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "6" },
    "report-ms": { type: "string", default: "1000" },
    threads: { type: "string", default: "2" },
    out: { type: "string", default: "reports/worker-pool.html" },
    json: { type: "boolean", default: false },
  },
});
const threads = Number(values.threads);
const forMs = Number(values.seconds) * 1_000;
const reportMs = Number(values["report-ms"]);

const pool = new Piscina<number, Stint>({
  filename: new URL("./work.js", import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
});
const agent = createAgent({ service: "pages", controller: false });
const point = agent.controlPoint("pool", { slots: threads });

const roundsPerMs = await speed();
const rounds = ({ api }: Tenant) => roundsPerMs * (api === "report" ? reportMs : 1);
const first: Submit = (tenant) => pool.run(rounds(tenant));
const fair: Submit = (tenant) => agent.run(tenant.name, () => point.run({ api: tenant.api }, () => pool.run(rounds(tenant))));

const runs = [];
for (const [name, submit] of Object.entries({ "the pool's own queue": first, "2DFQ in front of it": fair })) {
  // One of each kind first: what a job costs is not known before one has run.
  for (const tenant of [TENANTS[0], TENANTS[TENANTS.length - 1]]) await submit(tenant);
  runs.push(figuresOf(name, await load(submit, forMs), threads));
}
if (values.json) console.log(JSON.stringify(runs.map(({ figures }) => figures)));
else console.log(tableOf(runs));
mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, page(runs, { threads, reportMs }));
if (!values.json) console.log(`\npictures: ${values.out}`);
await agent.close();
await pool.destroy();

/** Rounds of work that take a thread a millisecond, when all threads work and the engine has seen the work before. */
async function speed(): Promise<number> {
  const rounds = 20_000_000;
  let all: Stint[] = [];
  for (let time = 0; time < 3; time++) all = await Promise.all(Array.from({ length: threads }, () => pool.run(rounds)));
  return (rounds * threads) / all.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
