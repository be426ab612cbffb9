/**
 * How figures are measured: ours and its peers take turns in the same run, for several rounds, so that what the machine does
 * meanwhile hits both; what counts is the ratio of a round, and its median and spread over the rounds. Nothing is asserted.
 */
import { performance } from "node:perf_hooks";

/** One thing to time: runs `count` operations, and returns when they are done. */
export interface Contender {
  name: string;
  run(count: number): void | Promise<void>;
  /** As a peer: at least this many times our time is what we aim at. */
  aim?: number;
  /** Undoes what setting it up did. */
  close?(): void | Promise<void>;
}

export interface Measured {
  name: string;
  /** Median ns per operation over the rounds. */
  nsPerOp: number;
  /** Heap bytes allocated per operation in a warm round; undefined when collection cannot be forced (--expose-gc). */
  bytesPerOp: number | undefined;
}

export interface Comparison {
  ours: Measured;
  peers: (Measured & {
    /** Median over rounds of (peer's time / our time): above 1, we are faster. */
    ratio: number;
    /** Lowest and highest ratio seen. */
    spread: [number, number];
    /** The ratio aimed at. */
    aim: number | undefined;
  })[];
}

const ROUNDS = 7;
const ROUND_MS = 120;

/** Times `ours` against `peers` in interleaved rounds. */
export async function compare(ours: Contender, peers: Contender[]): Promise<Comparison> {
  const all = [ours, ...peers];
  const counts: number[] = [];
  for (const contender of all) counts.push(await calibrate(contender));
  const times: number[][] = all.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (let k = 0; k < all.length; k++) {
      // Alternate the order, so that nobody always runs behind the same neighbour.
      const i = round % 2 === 0 ? k : all.length - 1 - k;
      times[i].push((await time(all[i], counts[i])) / counts[i]);
    }
  }
  const measured: Measured[] = [];
  for (let i = 0; i < all.length; i++) {
    measured.push({ name: all[i].name, nsPerOp: median(times[i]), bytesPerOp: await allocated(all[i], counts[i]) });
  }
  for (const contender of all) await contender.close?.();
  return {
    ours: measured[0],
    peers: measured.slice(1).map((peer, p) => {
      const ratios = times[p + 1].map((ns, round) => ns / times[0][round]);
      return { ...peer, ratio: median(ratios), spread: [Math.min(...ratios), Math.max(...ratios)], aim: peers[p].aim };
    }),
  };
}

/** How many operations fill a round; warms the code up on the way. */
async function calibrate(contender: Contender): Promise<number> {
  let count = 1;
  for (;;) {
    const ns = await time(contender, count);
    if (ns > ROUND_MS * 1e6 * 0.5) return Math.max(1, Math.round((count * ROUND_MS * 1e6) / ns));
    count *= ns > 1e6 ? Math.min(4, (ROUND_MS * 1e6) / ns) : 4;
    count = Math.ceil(count);
  }
}

async function time(contender: Contender, count: number): Promise<number> {
  const start = performance.now();
  const pending = contender.run(count);
  if (pending !== undefined) await pending;
  return (performance.now() - start) * 1e6;
}

async function allocated(contender: Contender, count: number): Promise<number | undefined> {
  const collect = (globalThis as { gc?: () => void }).gc;
  if (collect === undefined) return undefined;
  // Few enough operations that no collection runs in between, which would hide what was allocated.
  const few = Math.min(count, 20_000);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    const pending = contender.run(few);
    if (pending !== undefined) await pending;
    best = Math.min(best, (process.memoryUsage().heapUsed - before) / few);
  }
  return Math.max(0, best);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
