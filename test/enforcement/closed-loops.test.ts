/**
 * Closed loops that Kubernetes tests its fair queuing with: clients whose threads send, are served, think, and send again.
 * What each client has in service, on average, is its fair share to within the margin given there.
 */
import { describe, expect, test } from "vitest";
import { createScheduler, type Job, type SchedulerKind } from "../../enforcement/index.js";
import { vectors } from "../data.js";

interface Client {
  threads: number;
  calls_per_thread: number;
  exec_s: number;
  think_s: number;
  seats: number;
}

interface Scenario {
  name: string;
  concurrency_limit: number;
  eval_seconds: number;
  clients: Client[];
  expected_average_seats?: number[];
  relative_margin?: number;
  unrestrained_average_seats?: number[];
  expected_first_half?: number[];
  margin_first_half?: number;
  expected_second_half?: number[];
  margin_second_half_upper?: number;
}

// First come, first served shares by who asks more; round robin by jobs, which here are equally long.
const FAIR = ["round-robin", "drr", "wfq", "sfq", "wf2q", "msf2q", "2dfq"] as const;

const loops = vectors<{ scenarios: Scenario[] }>("fq_closed_loop_k8s.json");
// Our jobs hold one slot each: what is about wide ones does not apply, nor what is about rejecting instead of queuing.
const narrow = loops?.scenarios.filter(({ clients }) => clients.every(({ seats }) => seats === 1)) ?? [];
const named = (name: string) => narrow.filter((scenario) => scenario.name.startsWith(name));
const plain = narrow.filter(({ expected_average_seats }) => expected_average_seats !== undefined);

/** Mean number in service, by client, from `fromSec` to `toSec`. `startsSec`: when a thread of a client begins. */
function inService(
  kind: SchedulerKind,
  { clients }: Scenario,
  slots: number,
  [fromSec, toSec]: [number, number],
  startsSec: (client: number, thread: number) => number = () => 0,
): number[] {
  const scheduler = createScheduler(kind, { slots, costUnitsPerSecPerSlot: 1e6, estimator: "known" });
  const events: { atUs: number; act(nowUs: number): void }[] = [];
  const at = (atUs: number, act: (nowUs: number) => void) => events.push({ atUs, act });
  const free = Array.from({ length: slots }, (_, i) => slots - 1 - i);
  const held = clients.map(() => 0);
  const owners = new Map<Job, { client: number; calls: number }>();
  const send = (client: number, calls: number) => (nowUs: number) => {
    const job = { tenant: `client ${client}`, cost: clients[client].exec_s * 1e6 };
    owners.set(job, { client, calls });
    scheduler.enqueue(job, nowUs);
  };
  clients.forEach(({ threads, calls_per_thread }, i) => {
    for (let j = 0; j < threads; j++) at(startsSec(i, j) * 1e6 + 90 * j + 20 * i, send(i, calls_per_thread));
  });
  while (events.length > 0) {
    events.sort((a, b) => b.atUs - a.atUs);
    const { atUs: nowUs } = events[events.length - 1];
    while (events.at(-1)?.atUs === nowUs) events.pop()?.act(nowUs);
    while (free.length > 0 && scheduler.queued > 0) {
      const slot = free.pop() as number;
      const job = scheduler.dequeue(slot, nowUs) as Required<Job>;
      const { client, calls } = owners.get(job) as { client: number; calls: number };
      const endUs = nowUs + job.cost;
      held[client] += Math.max(0, Math.min(endUs, toSec * 1e6) - Math.max(nowUs, fromSec * 1e6));
      at(endUs, () => {
        scheduler.complete(job, job.cost, endUs);
        owners.delete(job);
        free.push(slot);
        const thinkUs = Math.max(0, Math.round(clients[client].think_s * 1e6));
        if (calls > 1) at(endUs + thinkUs, send(client, calls - 1));
      });
    }
  }
  return held.map((us) => us / 1e6 / (toSec - fromSec));
}

describe.skipIf(loops === undefined)("fq_closed_loop_k8s.json", () => {
  describe.each(plain)("$name", (scenario) => {
    test.each(FAIR)("%s", (kind) => {
      const { concurrency_limit: slots, eval_seconds, expected_average_seats = [], relative_margin = 0 } = scenario;
      inService(kind, scenario, slots, [0, eval_seconds]).forEach((mean, i) => {
        // Threads begin within a millisecond rather than a microsecond, which a margin of nothing has to allow for.
        const margin = Math.max(relative_margin * expected_average_seats[i], 1e-3);
        // MSF2Q lets a tenant begin ahead of the fluid server by what is left of its running jobs: one job more.
        const oneJob = kind === "msf2q" ? scenario.clients[i].exec_s / eval_seconds : 0;
        expect(Math.abs(mean - expected_average_seats[i])).toBeLessThanOrEqual(margin + oneJob);
      });
    });
  });

  test.each(named("TestNoRestraint"))("$name: the harness itself shows what is not fair", (scenario) => {
    const means = inService("fifo", scenario, 100, [0, scenario.eval_seconds]);
    means.forEach((mean, i) => {
      expect(mean).toBeCloseTo(scenario.unrestrained_average_seats?.[i] as number, 1);
    });
  });

  describe.each(named("TestWindup"))("$name", (scenario) => {
    test.each(FAIR)("%s: a client that begins to ask for more gets it at once", (kind) => {
      const { concurrency_limit: slots, eval_seconds, expected_first_half = [], expected_second_half = [] } = scenario;
      const half = eval_seconds / 2;
      const starts = (client: number, thread: number) => (client === 1 && thread === 1 ? half : 0);
      const first = inService(kind, scenario, slots, [0, half], starts);
      const second = inService(kind, scenario, slots, [half, eval_seconds], starts);
      first.forEach((mean, i) => {
        expect(mean).toBeCloseTo(expected_first_half[i], 2);
      });
      second.forEach((mean, i) => {
        expect(Math.abs(mean / expected_second_half[i] - 1)).toBeLessThanOrEqual(scenario.margin_second_half_upper as number);
      });
    });
  });
});

const dispatch = vectors<{
  cases: { limit: number; in_use: number | number[]; queues: { v: number; width: number }[]; expect: number | null }[];
}>("fq_dispatch_k8s.json");
const unit = dispatch?.cases.filter(({ queues }) => queues.every(({ width }) => width === 1)) ?? [];

describe.skipIf(dispatch === undefined)("fq_dispatch_k8s.json, what is about requests of width 1", () => {
  test.each(unit)("$queues", ({ limit, in_use, queues, expect: expected }) => {
    // The queue to be served has the least virtual finish: at v = 0 that is the least cost.
    const scheduler = createScheduler("wfq", { slots: limit, estimator: "known", costUnitsPerSecPerSlot: 1e6 });
    queues.forEach(({ v }, i) => {
      scheduler.enqueue({ tenant: String(i), cost: v }, 0);
    });
    const full = (in_use as number) >= limit;
    expect(full ? null : Number(scheduler.dequeue(0, 0)?.tenant)).toBe(expected);
  });
});
