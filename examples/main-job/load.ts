/**
 * The load generator: one process that plays all tenants against the gateway, and keeps every single latency, so that percentiles
 * of a phase are exact. The flood is played by autocannon. The others pause between two requests, which it cannot do; they are
 * loops of `fetch`.
 *
 * Environment: GATEWAY (its URL). Messages: `{ play: tenant }` starts a tenant, `{ take: true }` is answered with what was
 * measured since the last time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import { endWithParent } from "./process.js";
import { PLAYERS, type Player, type TenantName } from "./workload.js";

/** What one tenant saw. */
export interface Seen {
  /** Of every request that was served, ms, in order. */
  latenciesMs: number[];
  /** Answered 429. */
  refused: number;
  /** Answered otherwise, or not at all. */
  failed: number;
}

export type Seens = Partial<Record<TenantName, Seen>>;

let seens: Seens = {};

function play(tenant: TenantName): void {
  const player: Player = PLAYERS[tenant];
  if (player.thinkMs === undefined && player.pauseMs === undefined) flood(tenant, player);
  else for (let i = 0; i < player.loops; i++) void loop(tenant, player);
}

/** Pauses, asks, reads the answer, for ever. */
async function loop(tenant: TenantName, { method, blob, thinkMs, pauseMs = 0 }: Player): Promise<never> {
  for (;;) {
    await sleep(thinkMs === undefined ? pauseMs : -Math.log(1 - Math.random()) * thinkMs);
    const startMs = performance.now();
    try {
      const answer = await fetch(urlOf(blob), { method, headers: { "x-tenant": tenant } });
      await answer.arrayBuffer();
      note(tenant, answer.status, performance.now() - startMs);
    } catch {
      note(tenant, 0, 0);
    }
  }
}

/** Loops that ask again at once, for ever. */
function flood(tenant: TenantName, { method, blob, loops }: Player): void {
  const headers = { "x-tenant": tenant };
  autocannon({ url: urlOf(blob), method, headers, connections: loops, duration: 1e6, timeout: 60 }, () => {})
    .on("response", (_, status, __, responseMs) => note(tenant, status, responseMs))
    .on("reqError", () => note(tenant, 0, 0));
}

function urlOf(blob: string): string {
  return `${process.env.GATEWAY}/${blob}`;
}

function note(tenant: TenantName, status: number, responseMs: number): void {
  seens[tenant] ??= { latenciesMs: [], refused: 0, failed: 0 };
  const seen = seens[tenant];
  if (status === 200 || status === 204) seen.latenciesMs.push(responseMs);
  else if (status === 429) seen.refused++;
  else seen.failed++;
}

endWithParent();
process.on("message", (message: { play?: TenantName; take?: true }) => {
  if (message.play !== undefined) play(message.play);
  if (message.take) {
    process.send?.({ seens });
    seens = {};
  }
});
process.send?.({ ready: true });
