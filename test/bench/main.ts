/**
 * `npm run bench [-- --json] [-- --only WORD] [-- --out FILE]`: what must be fast, as ratios within one run. Prints a table, and
 * writes a page with the same as pictures; asserts nothing.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { ingestRow, tickRow } from "./controller.js";
import type { Comparison } from "./measure.js";
import { type Block, page } from "./picture.js";
import { recordRows } from "./record.js";
import { concurrencyRows, SIZES, schedulerRows } from "./schedulers.js";
import { simulatorRow } from "./simulator.js";
import { clockNs, throttleRows } from "./throttle.js";

const { values } = parseArgs({
  options: { json: { type: "boolean" }, only: { type: "string" }, out: { type: "string", default: "reports/bench.html" } },
});
const wanted = (group: string) => values.only === undefined || group.includes(values.only);
const results: Record<string, unknown>[] = [];
const blocks: Block[] = [];

function say(line: string): void {
  if (!values.json) console.log(line);
}

function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what} …`);
}

function show(group: string, name: string, comparison: Comparison): void {
  const { ours, peers } = comparison;
  blocks.push({ group, name, comparison });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const bytes = (b: number | undefined) => (b === undefined ? "" : `${Math.round(b)} B/op`);
  say(`\n${name}`);
  say(`  ${ours.name.padEnd(44)} ${ours.nsPerOp.toFixed(1).padStart(9)} ns/op  ${bytes(ours.bytesPerOp).padStart(9)}`);
  for (const peer of peers) {
    const spread = `${peer.spread[0].toFixed(2)}–${peer.spread[1].toFixed(2)}`;
    say(
      `  ${peer.name.padEnd(44)} ${peer.nsPerOp.toFixed(1).padStart(9)} ns/op  ${bytes(peer.bytesPerOp).padStart(9)}  ${peer.ratio.toFixed(2).padStart(6)}× our time (${spread})`,
    );
  }
  results.push({ name, ours, peers });
}

/** A tick has no peer, but the time it may take: a tenth of a window at 10,000 tenants. */
function allowed({ name, tenants, medianMs, spreadMs }: ReturnType<typeof tickRow>): Block {
  const mayMs = tenants / 100;
  const peer = {
    name: `what is allowed: ${mayMs.toLocaleString("en")} ms`,
    nsPerOp: mayMs * 1e6,
    bytesPerOp: undefined,
    ratio: mayMs / medianMs,
    spread: [mayMs / spreadMs[1], mayMs / spreadMs[0]] as [number, number],
    aim: 1,
  };
  const ours = { name: "tenantry, one tick", nsPerOp: medianMs * 1e6, bytesPerOp: undefined };
  return { group: "Controller: one policy tick", name, comparison: { ours, peers: [peer] } };
}

const settings = `node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}; medians of 7 rounds that take turns`;
say(`node ${process.version}; medians of 7 rounds that take turns; a ratio is of one round, its spread over all`);
if (wanted("throttle")) {
  progress("throttle");
  for (const { name, comparison } of await throttleRows()) show("Throttle", name, comparison);
  const ns = clockNs();
  say(`  (reading the clock alone: ${ns.toFixed(1)} ns)`);
  results.push({ name: "reading the clock", nsPerOp: ns });
}
if (wanted("record")) {
  progress("recording");
  for (const { name, comparison } of await recordRows()) show("Recording", name, comparison);
}
if (wanted("schedulers")) {
  progress("schedulers");
  const rows = await schedulerRows();
  for (const { name, comparison } of rows) show("Schedulers: enqueue, dequeue, complete", name, comparison);
  const [small, large] = [rows[0].comparison, rows[SIZES.length - 1].comparison];
  const growth = { ours: large.ours.nsPerOp / small.ours.nsPerOp, heap: large.peers[0].nsPerOp / small.peers[0].nsPerOp };
  say(
    `  (from 10 to 100,000 tenants backlogged: ours ${growth.ours.toFixed(1)} times, the heap ${growth.heap.toFixed(1)} times)`,
  );
  results.push({ name: "growth from 10 to 100,000 tenants", ...growth });
}
if (wanted("slots")) {
  progress("slots");
  for (const { name, comparison } of await concurrencyRows()) show("A bounded number at a time", name, comparison);
}
if (wanted("simulator")) {
  progress("simulator");
  const { name, comparison, eventsPerSec } = await simulatorRow();
  show("Simulations", name, comparison);
  say(`  ${(eventsPerSec / 1e6).toFixed(2)} million simulated scheduler events per second on one core`);
  results.push({ name: "simulator", eventsPerSec });
}
if (wanted("ingest")) {
  progress("ingest");
  const { name, comparison, bytesPerTuple, tuplesPerSec } = await ingestRow();
  show("Controller: taking reports in", name, comparison);
  say(`  ${(tuplesPerSec / 1e6).toFixed(1)} million tuples per second on one core, ${bytesPerTuple.toFixed(1)} bytes per tuple`);
  results.push({ name: "ingest", tuplesPerSec, bytesPerTuple });
}
const TENANTS = [1_000, 10_000, 100_000].map((tenants) => [tenants, 10, 20] as const);
/** What a tick costs as one number grows and the others stay. */
const SIZES_OF_TICK = [
  [10_000, 2, 2],
  [10_000, 5, 10],
  [10_000, 10, 5],
  [10_000, 10, 40],
  [10_000, 40, 20],
] as const;
for (const [group, stack, sizes] of [
  ["tick", "fairness", TENANTS],
  ["stack", "all", TENANTS],
  ["curve-policies", "every", TENANTS.slice(0, 2)],
  ["curve-sizes", "all", SIZES_OF_TICK],
] as const) {
  if (!wanted(group)) continue;
  say(`\n${group}: one window's view, policies, guard, split and allocations`);
  for (const [tenants, resources, points] of sizes) {
    progress(`${group} at ${tenants} tenants`);
    const row = tickRow(tenants, stack, { resources, points });
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    say(
      `  ${row.name.padEnd(80)} ${row.medianMs.toFixed(1).padStart(8)} ms  (${row.spreadMs.map((ms) => ms.toFixed(1)).join("–")})`,
    );
    results.push(row);
    blocks.push(allowed(row));
  }
}
if (values.json) console.log(JSON.stringify({ node: process.version, rows: results }, null, 2));
if (blocks.length > 0) {
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, page("What Tenantry costs", settings, blocks));
  say(`\npictures: ${values.out}`);
}
