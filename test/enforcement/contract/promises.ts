/**
 * What each kind of scheduler promises beyond what all must keep, and, where one does not, the reason. A new kind takes a line
 * here, or does not compile.
 */
import type { SchedulerKind } from "../../../enforcement/index.js";

export interface Promises {
  /**
   * Is W_GPS − W ≤ n·L_max at every instant (known costs, n slots)? The paper proves it of 2DFQ, and [Blanquer, Özden, SIGCOMM
   * 2001] of fair queuing on many servers.
   */
  lag: true | string;
  /** Do backlogged tenants get work in proportion to their weights? */
  weights: true | string;
  /** Is a tenant, once a job is settled, where it would be had the estimate been right? */
  settled: true | string;
}

export const PROMISES: Record<SchedulerKind, Promises> = {
  fifo: {
    lag: "goes by arrival alone: a flood delays everyone by all of itself",
    weights: "goes by arrival alone",
    settled: true,
  },
  "round-robin": {
    lag: "takes turns by jobs: whoever sends long ones gets more",
    weights: "one job a turn, whosever it is",
    settled: true,
  },
  drr: {
    lag: "fair over rounds, and a round is as long as everybody's quanta together",
    weights: true,
    settled: "its quantum is the largest cost seen, estimates included: a wrong one makes everybody's later turns longer",
  },
  wfq: { lag: true, weights: true, settled: true },
  sfq: {
    lag: "the price of not knowing the slots' speed: its bound grows with the number of tenants [Goyal 1996, theorem 4]",
    weights: true,
    settled: true,
  },
  wf2q: { lag: true, weights: true, settled: true },
  msf2q: { lag: true, weights: true, settled: true },
  "2dfq": { lag: true, weights: true, settled: true },
};
