/** What a thread of the pool does: real work, so many rounds of it. */
import { threadId } from "node:worker_threads";

/** Where and when a job ran, ms on the clock of all threads. */
export interface Stint {
  thread: number;
  fromMs: number;
  toMs: number;
}

export default function work(rounds: number): Stint & { sum: number } {
  const fromMs = now();
  let sum = 1;
  for (let round = 0; round < rounds; round++) sum = (Math.imul(sum, 48_271) + round) | 0;
  return { thread: threadId, fromMs, toMs: now(), sum };
}

export function now(): number {
  return performance.timeOrigin + performance.now();
}
