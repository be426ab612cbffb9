/**
 * The load generator: one process that plays all tenants against the gateway, and keeps every single latency, so that percentiles
 * of a phase are exact. Machines are played by autocannon. People think between two requests, at random, which it cannot do;
 * they are loops of `fetch`.
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
  const url = `${process.env.GATEWAY}/${player.blob}`;
  const headers = { "x-tenant": tenant };
  if (player.thinkMs === undefined) machines(tenant, player, url, headers);
  else for (let i = 0; i < player.loops; i++) void person(tenant, player.thinkMs, url, headers);
}

/** Thinks, asks, reads the answer, for ever. */
async function person(tenant: TenantName, thinkMs: number, url: string, headers: Record<string, string>): Promise<never> {
  for (;;) {
    await sleep(-Math.log(1 - Math.random()) * thinkMs);
    const startMs = performance.now();
    try {
      const answer = await fetch(url, { headers });
      await answer.arrayBuffer();
      note(tenant, answer.status, performance.now() - startMs);
    } catch {
      note(tenant, 0, 0);
    }
  }
}

/** Loops that ask again at once, or at their pace: so many requests at the start of each of their seconds. */
function machines(tenant: TenantName, player: Player, url: string, headers: Record<string, string>): void {
  const { method, loops, perSecond } = player;
  const pace = perSecond === undefined ? {} : { connectionRate: perSecond, ignoreCoordinatedOmission: true };
  autocannon({ url, method, headers, connections: loops, duration: 1e6, timeout: 60, ...pace }, () => {})
    .on("response", (_, status, __, responseMs) => note(tenant, status, responseMs))
    .on("reqError", () => note(tenant, 0, 0));
}

function note(tenant: TenantName, status: number, responseMs: number): void {
  seens[tenant] ??= { latenciesMs: [], refused: 0, failed: 0 };
  const seen = seens[tenant];
  if (status === 200) seen.latenciesMs.push(responseMs);
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
