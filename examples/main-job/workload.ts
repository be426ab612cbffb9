/**
 * Who does what. Tenants share two storage instances with one worker thread each:
 *
 * | tenant   | asks for                                   | how                                                     |
 * |----------|--------------------------------------------|---------------------------------------------------------|
 * | ada      | pages, 5 ms of a worker each               | 15 people who think for a second between two            |
 * | bob      | the same                                   | the same                                                |
 * | nightly  | archives, 150 ms of a worker each          | two jobs that pause 0.7 s between two: small and steady |
 * | crawler  | snapshots, 5 ms of a worker each           | from the flood on: 500 connections that never pause     |
 * | invoices | invoices, 10 ms of a worker and then 80 ms | from the flood on, where dominant resource fairness is  |
 * |          | of a connection to the database each       | shown: 100 connections that never pause                 |
 *
 * The flood is not of expensive requests but of many: each waits its turn, and everybody waits behind all of them.
 * What a blob costs depends on the machine, so its size is chosen by how fast this one compresses.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pack } from "./pack.js";

/** A tenant's closed loops: every one sends its next request only when the last has been answered. */
export interface Player {
  method: "GET" | "POST" | "PUT";
  blob: "page" | "archive" | "snapshot" | "invoice";
  loops: number;
  /** Mean pause before each request, exponentially distributed: people. */
  thinkMs?: number;
  /** Pause before each request, always the same: timed jobs. Neither: it never pauses. */
  pauseMs?: number;
}

export const PLAYERS = {
  ada: { method: "GET", blob: "page", loops: 15, thinkMs: 1000 },
  bob: { method: "GET", blob: "page", loops: 15, thinkMs: 1000 },
  nightly: { method: "POST", blob: "archive", loops: 2, pauseMs: 700 },
  crawler: { method: "POST", blob: "snapshot", loops: 500 },
  invoices: { method: "PUT", blob: "invoice", loops: 100 },
} satisfies Record<string, Player>;

export type TenantName = keyof typeof PLAYERS;
export const TENANTS = Object.keys(PLAYERS) as TenantName[];
/** Those nobody may notice the flood by. */
export const INTERACTIVE: readonly TenantName[] = ["ada", "bob"];
/** What they are promised, where the policy is about that; as in latency-slo.yaml. */
export const P99_TARGET_MS = 1000;

/** Time of a worker thread that each blob is made to cost, ms. */
const COST_MS: Record<Player["blob"], number> = { page: 5, archive: 150, snapshot: 5, invoice: 10 };

/** Writes the blobs into a folder, sized so that compressing them costs what the table above says. */
export function writeBlobs(folder: string): void {
  const text = prose(1024 * 1024);
  for (const [name, costMs] of Object.entries(COST_MS)) {
    // Speed depends on size, so the second guess is made from the first.
    let bytes = costMs * 2500;
    for (let guess = 0; guess < 2; guess++) bytes = (bytes * costMs) / packMs(text.subarray(0, bytes));
    writeFileSync(join(folder, name), text.subarray(0, Math.min(bytes, text.length)));
  }
}

/** Time of a thread to compress this, ms: the median of a few tries. */
function packMs(text: Buffer): number {
  const tries = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    pack(text);
    return performance.now() - startMs;
  });
  return tries.sort((a, b) => a - b)[2];
}

/** Text that compresses about as well as prose does. */
function prose(bytes: number): Buffer {
  const words = Array.from({ length: 4000 }, (_, i) => ((i * 2654435761) % 2 ** 32).toString(36).slice(0, 2 + (i % 7)));
  let text = "";
  let seed = 1;
  while (text.length < bytes) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    text += `${words[Math.floor((seed / 2 ** 32) ** 2 * words.length)]} `;
  }
  return Buffer.from(text.slice(0, bytes));
}
