/**
 * How fast the simulator of slots is: calls of the scheduler per second of real time, everything around them included (the fluid
 * server, lags, latencies, the trace's hash). FIFO, which has next to nothing to decide, is what the simulator itself costs.
 */
import type { SchedulerKind } from "../../enforcement/index.js";
import { population } from "../../simulations/pool/population.js";
import { SlotPool } from "../../simulations/pool/slot-pool.js";
import { type Comparison, type Contender, compare } from "./measure.js";

const STEP_US = 1_000;

export async function simulatorRow(): Promise<{ name: string; comparison: Comparison; eventsPerSec: number }> {
  const comparison = await compare(pool("2dfq"), [pool("wfq"), pool("fifo")]);
  return {
    name: "a simulated call of a scheduler: 307 tenants that always have requests waiting, 32 slots, pessimistic estimates",
    comparison,
    eventsPerSec: 1e9 / comparison.ours.nsPerOp,
  };
}

function pool(scheduler: SchedulerKind): Contender {
  const simulated = new SlotPool({
    workload: population({ seed: 1, run: "bench", replayed: 0, unpredictable: 0, untilUs: 0, backlogged: 300 }),
    slots: 32,
    unitsPerSecPerSlot: 1e6,
    scheduler,
    estimator: "pessimistic",
    // All of it: what is kept for quantiles would only grow.
    warmUpUs: Number.POSITIVE_INFINITY,
  });
  let wanted = 0;
  let untilUs = 0;
  return {
    name: scheduler === "2dfq" ? "tenantry, 2DFQ" : scheduler.toUpperCase(),
    run(count) {
      wanted += count;
      while (simulated.events < wanted) {
        untilUs += STEP_US;
        simulated.run(untilUs);
      }
    },
  };
}
