/**
 * `npm run bench [-- --json] [-- --only WORD]`: what must be fast, as ratios within one run. Prints a table; asserts nothing.
 */
import { parseArgs } from "node:util";
import { ingestRow, tickRow } from "./controller.js";
import type { Comparison } from "./measure.js";
import { recordRows } from "./record.js";
import { concurrencyRows, schedulerRows } from "./schedulers.js";
import { simulatorRow } from "./simulator.js";
import { clockNs, throttleRows } from "./throttle.js";

const { values } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });
const wanted = (group: string) => values.only === undefined || group.includes(values.only);
const results: Record<string, unknown>[] = [];

function say(line: string): void {
  if (!values.json) console.log(line);
}

function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what} …`);
}

function show(name: string, { ours, peers }: Comparison): void {
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

say(`node ${process.version}; medians of 7 rounds that take turns; a ratio is of one round, its spread over all`);
if (wanted("throttle")) {
  progress("throttle");
  for (const { name, comparison } of await throttleRows()) show(name, comparison);
  const ns = clockNs();
  say(`  (reading the clock alone: ${ns.toFixed(1)} ns)`);
  results.push({ name: "reading the clock", nsPerOp: ns });
}
if (wanted("record")) {
  progress("recording");
  for (const { name, comparison } of await recordRows()) show(name, comparison);
}
if (wanted("schedulers")) {
  progress("schedulers");
  for (const { name, comparison } of await schedulerRows()) show(name, comparison);
}
if (wanted("slots")) {
  progress("slots");
  for (const { name, comparison } of await concurrencyRows()) show(name, comparison);
}
if (wanted("simulator")) {
  progress("simulator");
  const { name, comparison, eventsPerSec } = await simulatorRow();
  show(name, comparison);
  say(`  ${(eventsPerSec / 1e6).toFixed(2)} million simulated scheduler events per second on one core`);
  results.push({ name: "simulator", eventsPerSec });
}
if (wanted("ingest")) {
  progress("ingest");
  const { name, comparison, bytesPerTuple, tuplesPerSec } = await ingestRow();
  show(name, comparison);
  say(`  ${(tuplesPerSec / 1e6).toFixed(1)} million tuples per second on one core, ${bytesPerTuple.toFixed(1)} bytes per tuple`);
  results.push({ name: "ingest", tuplesPerSec, bytesPerTuple });
}
if (wanted("tick")) {
  say("\npolicy tick: view, policy, guard, split and allocations");
  for (const tenants of [1_000, 10_000, 100_000]) {
    progress(`tick at ${tenants} tenants`);
    const row = tickRow(tenants);
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    say(
      `  ${row.name.padEnd(80)} ${row.medianMs.toFixed(1).padStart(8)} ms  (${row.spreadMs.map((ms) => ms.toFixed(1)).join("–")})`,
    );
    results.push(row);
  }
}
if (values.json) console.log(JSON.stringify({ node: process.version, rows: results }, null, 2));
