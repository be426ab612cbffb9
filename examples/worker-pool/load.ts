/**
 * Who uses the pool: two tenants whose reports take a second of a thread each, and six whose pages take a millisecond. Everybody
 * always wants more, so that who gets what is the queue's doing.
 */
import { now, type Stint } from "./work.js";

export const TENANTS = [
  ...["ada", "ben", "cleo", "dan", "eve", "finn"].map((name) => ({ name, api: "page", inFlight: 2 })),
  ...["gus", "hana"].map((name) => ({ name, api: "report", inFlight: 2 })),
] as const;
export type Tenant = (typeof TENANTS)[number];

/** Runs one job of a tenant in the pool, when its turn has come. */
export type Submit = (tenant: Tenant) => Promise<Stint>;

/** A job as its tenant saw it. */
export interface Served extends Stint {
  tenant: string;
  api: string;
  /** From asking to having, ms. */
  tookMs: number;
}

/** What came of it: jobs by their end, and the time in which everybody asked. */
export interface Loaded {
  served: Served[];
  fromMs: number;
  untilMs: number;
}

/** Everybody asks, for so long; what then still waits is served too. */
export async function load(submit: Submit, forMs: number): Promise<Loaded> {
  const served: Served[] = [];
  const startMs = now();
  const untilMs = startMs + forMs;
  const askAgain = async (tenant: Tenant) => {
    while (now() < untilMs) {
      const askedMs = now();
      const { thread, fromMs, toMs } = await submit(tenant);
      served.push({ tenant: tenant.name, api: tenant.api, thread, fromMs, toMs, tookMs: now() - askedMs });
    }
  };
  await Promise.all(TENANTS.flatMap((tenant) => Array.from({ length: tenant.inFlight }, () => askAgain(tenant))));
  return { served, fromMs: startMs, untilMs };
}
