/**
 * Choosing who is next: 2DFQ in strata against the one heap of WFQ and against looking at everybody; and a whole call through
 * a control point with slots, against queues people use to bound concurrency.
 */
import fastq from "fastq";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { createAgent } from "../../enforcement/io/index.js";
import { Known } from "../../enforcement/schedulers/estimators.js";
import { createTicketScheduler } from "../../enforcement/schedulers/index.js";
import type { SchedulerContext, TicketScheduler } from "../../enforcement/schedulers/scheduler.js";
import { Ticket } from "../../enforcement/schedulers/ticket.js";
import { type Comparison, type Contender, compare } from "./measure.js";
import { NaiveScan } from "./naive-scan.js";

const SLOTS = 16;
export const SIZES = [10, 1_000, 10_000, 100_000];

interface Row {
  name: string;
  comparison: Comparison;
}

/** Numbers from 0 to 1 that are the same in every run. */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Each tenant's costs lie around one of its own, from 2⁸ to 2²⁰: as far apart as those of a storage service's tenants. */
function costs(tenants: number): Float64Array {
  const chance = drawn(7);
  return Float64Array.from({ length: tenants }, () => Math.round(Math.exp(Math.LN2 * (8 + 12 * chance()))));
}

export async function schedulerRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const ways: [(kind: Kind, size: number) => Contender, (size: string) => string][] = [
    [backlogged, (size) => `${size} tenants backlogged, ${SLOTS} slots`],
    [coming, (size) => `${size} jobs of four times as many tenants, who come and go`],
  ];
  for (const [make, called] of ways) {
    for (const size of SIZES) {
      const peers = [make("wfq", size)];
      // Scanning a hundred thousand takes so long that a round has a handful of operations.
      if (size <= 10_000) peers.push({ ...make("naive", size), ...(size === 10_000 && { aim: 50 }) });
      rows.push({
        name: `enqueue, dequeue, complete: ${called(size.toLocaleString("en"))}`,
        comparison: await compare(make("2dfq", size), peers),
      });
    }
  }
  return rows;
}

type Kind = "2dfq" | "wfq" | "naive";

function made(kind: Kind, tenants: number): TicketScheduler {
  const context: SchedulerContext = {
    slots: SLOTS,
    weightOf: () => 1,
    nameOf: String,
    estimator: new Known(),
    costUnitsPerSecPerSlot: 1e6,
  };
  return kind === "naive" ? new NaiveScan(context, tenants) : createTicketScheduler(kind, context);
}

const NAMES: Record<Kind, string> = {
  "2dfq": "tenantry, 2DFQ in strata",
  wfq: "WFQ, one heap",
  naive: "2DFQ, all tenants scanned",
};

/** At most two and a half times the heap's time. (That of scanning is aimed at where there are ten thousand.) */
const AIMS: Partial<Record<Kind, number>> = { wfq: 1 / 2.5 };

/**
 * A job is done, `follow` brings the next, and the slot takes another: over and over, slot after slot. Tickets are used again, so none
 * of our objects is made; the few bytes of heap an operation shows all the same are the engine's.
 */
function working(kind: Kind, scheduler: TicketScheduler, follow: (done: Ticket, nowUs: number) => void): Contender {
  const running: Ticket[] = [];
  for (let slot = 0; slot < SLOTS; slot++) running.push(scheduler.dequeue(slot, 0) as Ticket);
  let nowUs = 0;
  let at = 0;
  return {
    name: NAMES[kind],
    aim: AIMS[kind],
    run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) % SLOTS;
        const done = running[at];
        nowUs += (done.declaredCost as number) / SLOTS;
        scheduler.complete(done, done.declaredCost as number, nowUs);
        follow(done, nowUs);
        running[at] = scheduler.dequeue(at, nowUs) as Ticket;
      }
    },
  };
}

/** Every tenant always has another job waiting: whoever is served comes again at once. */
function backlogged(kind: Kind, tenants: number): Contender {
  const cost = costs(tenants);
  const chance = drawn(11);
  const scheduler = made(kind, tenants);
  const ticket = (tenant: number) => new Ticket(tenant, undefined, Math.ceil(cost[tenant] * (0.5 + chance())));
  for (let round = 0; round < 2; round++) for (let t = 0; t < tenants; t++) scheduler.enqueue(ticket(t), 0);
  return working(kind, scheduler, (done, nowUs) => scheduler.enqueue(done, nowUs));
}

/** Jobs of tenants drawn by lot: most have none, and begin and cease to be active. */
function coming(kind: Kind, jobs: number): Contender {
  const tenants = 4 * jobs;
  const cost = costs(tenants);
  const chance = drawn(13);
  const scheduler = made(kind, tenants);
  const tickets = Array.from({ length: tenants }, (_, t) => new Ticket(t, undefined, cost[t]));
  const order = Uint32Array.from({ length: 1 << 17 }, () => Math.floor(chance() * tenants));
  let next = 0;
  const arrive = (nowUs: number) => {
    for (;;) {
      next = (next + 1) & 0x1ffff;
      const ticket = tickets[order[next]];
      if (ticket.state !== 0) continue;
      scheduler.enqueue(ticket, nowUs);
      return;
    }
  };
  for (let i = 0; i < jobs + SLOTS; i++) arrive(0);
  return working(kind, scheduler, (_, nowUs) => arrive(nowUs));
}

const BATCH = 1_000;
const CONCURRENCY = 16;

/** A whole call, promise and all: a thousand at a time, of which sixteen run at once. */
export async function concurrencyRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const tenants of [1, 100]) {
    rows.push({
      name: `a call of a function that awaits once, ${CONCURRENCY} at a time of ${BATCH}: ${tenants} tenant${tenants > 1 ? "s" : ""}`,
      comparison: await compare(point(tenants), [queue(), limit(), fast()]),
    });
  }
  return rows;
}

async function work(): Promise<number> {
  await undefined;
  return 1;
}

async function inBatches(count: number, call: (i: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < Math.min(BATCH, count - done); i++) calls.push(call(i));
    await Promise.all(calls);
  }
}

function point(tenants: number): Contender {
  const agent = createAgent({ service: "bench", controller: false, log: false });
  const slots = agent.controlPoint("slots", { slots: CONCURRENCY });
  const run = () => slots.run(work);
  const names = Array.from({ length: tenants }, (_, i) => `t${i}`);
  return {
    name: "tenantry, agent.run(tenant, () => point.run(fn))",
    run: (count) => inBatches(count, (i) => agent.run(names[i % tenants], run)),
    close: () => agent.close(),
  };
}

function queue(): Contender {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  return { name: "p-queue, add(fn)", aim: 0.5, run: (count) => inBatches(count, () => queue.add(work)) };
}

function limit(): Contender {
  const limited = pLimit(CONCURRENCY);
  return { name: "p-limit, limit(fn)", run: (count) => inBatches(count, () => limited(work)) };
}

function fast(): Contender {
  const queue = fastq.promise(work, CONCURRENCY);
  return { name: "fastq, push()", run: (count) => inBatches(count, () => queue.push(undefined)) };
}
