/** Admitting a request that need not wait: our throttle against rate limiters people use, and against the least one could do. */
import { performance } from "node:perf_hooks";
import { TokenBucket } from "limiter";
import pThrottle from "p-throttle";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { Agent, type ControlPoint } from "../../enforcement/index.js";
import { createAgent } from "../../enforcement/io/index.js";
import { systemChance, systemClock } from "../../proto/io/clock.js";
import { emptyAllocation } from "../../proto/messages.js";
import type { SessionHandlers, Transport } from "../../proto/ports.js";
import { type Comparison, type Contender, compare } from "./measure.js";

const RATE_PER_SEC = 1e12;
/** Keys in an order that neither a cache nor a branch predictor can guess. */
function shuffled(n: number): Uint32Array {
  const order = Uint32Array.from({ length: 1 << 17 }, (_, i) => Math.imul(i, 2654435761) >>> 0);
  return order.map((x) => x % n);
}

export async function throttleRows(): Promise<{ name: string; comparison: Comparison }[]> {
  const rows = [];
  for (const tenants of [1, 1_000, 100_000]) {
    const label = tenants === 1 ? "one hot tenant" : `${tenants.toLocaleString("en")} tenants`;
    rows.push({
      name: `throttle, admitted without waiting, ${label} (a rate in force for each)`,
      comparison: await compare(await ours(tenants), [floor(tenants), limiter(tenants), rateLimiterFlexible(tenants)]),
    });
  }
  rows.push({
    name: "throttle, admitted without waiting, one hot tenant (promise, tenant context)",
    comparison: await compare(oursPromised(), [limiterAwaited(), rateLimiterFlexible(1), pThrottled()]),
  });
  return rows;
}

/** The inner ring: every tenant has a bucket with a rate in force. */
async function ours(tenants: number): Promise<Contender> {
  const { point, agent } = await limitedPoint(tenants);
  const order = shuffled(tenants);
  const handles = Uint32Array.from({ length: tenants }, (_, i) => agent.tenant(`t${i}`));
  let at = 0;
  let refused = 0;
  return {
    name: "tenantry, point.tryThrottle()",
    run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) & 0x1ffff;
        if (!point.tryThrottle(handles[order[at]])) refused++;
      }
    },
    close() {
      if (refused > 0) throw new Error("the throttle refused, so admission was not measured");
      return new Promise<void>((done) => agent.close(done));
    },
  };
}

/** An agent whose rate table holds a rate for each of `tenants`, brought by an allocation as any other. */
async function limitedPoint(tenants: number): Promise<{ agent: Agent; point: ControlPoint }> {
  let handlers: SessionHandlers | undefined;
  const transport: Transport = {
    open(_hello, given) {
      handlers = given;
      return { send() {}, close() {} };
    },
  };
  const agent = new Agent({
    service: "bench",
    instance: "0",
    boot: "0",
    clock: systemClock(),
    chance: systemChance(),
    transport,
    maxTenants: tenants + 8,
  });
  const point = agent.controlPoint("point");
  agent.start();
  while (handlers === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  handlers.onWelcome({ epoch: 1, appliedSequence: 0, windowUs: 1e9, maxTenants: tenants + 8, maxMeters: 8 });
  const allocation = emptyAllocation(1, 1, 1e12);
  allocation.points = ["bench/point"];
  allocation.reasons = ["bench|bench/point"];
  allocation.tenants = Array.from({ length: tenants }, (_, i) => `t${i}`);
  for (let t = 0; t < tenants; t++) {
    allocation.point.push(0);
    allocation.tenant.push(t);
    allocation.ratePerSec.push(RATE_PER_SEC);
    allocation.burst.push(RATE_PER_SEC);
    allocation.fallbackPerSec.push(RATE_PER_SEC);
    allocation.reason.push(0);
  }
  handlers.onAllocation(allocation);
  return { agent, point };
}

/** The least one could do: a Map of buckets, the same clock, the same arithmetic. */
function floor(tenants: number): Contender {
  const clock = systemClock();
  const buckets = new Map<string, { tokens: number; lastUs: number }>();
  const names = Array.from({ length: tenants }, (_, i) => `t${i}`);
  for (const name of names) buckets.set(name, { tokens: RATE_PER_SEC, lastUs: clock.nowUs() });
  const order = shuffled(tenants);
  let at = 0;
  let refused = 0;
  return {
    name: "floor: a Map of bare buckets",
    aim: 1 / 1.5,
    run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) & 0x1ffff;
        const bucket = buckets.get(names[order[at]]);
        if (bucket === undefined) continue;
        const nowUs = clock.nowUs();
        bucket.tokens = Math.min(RATE_PER_SEC, bucket.tokens + ((nowUs - bucket.lastUs) * RATE_PER_SEC) / 1e6);
        bucket.lastUs = nowUs;
        if (bucket.tokens >= 1) bucket.tokens -= 1;
        else refused++;
      }
    },
    close() {
      if (refused > 0) throw new Error("the floor refused, so it was not measured");
    },
  };
}

function limiter(tenants: number): Contender {
  const buckets = new Map<string, TokenBucket>();
  const names = Array.from({ length: tenants }, (_, i) => `t${i}`);
  for (const name of names) buckets.set(name, fullBucket());
  const order = shuffled(tenants);
  let at = 0;
  return {
    name: "limiter, tryRemoveTokens",
    aim: 2,
    run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) & 0x1ffff;
        buckets.get(names[order[at]])?.tryRemoveTokens(1);
      }
    },
  };
}

function limiterAwaited(): Contender {
  const bucket = fullBucket();
  return {
    name: "limiter, removeTokens",
    async run(count) {
      for (let i = 0; i < count; i++) await bucket.removeTokens(1);
    },
  };
}

function fullBucket(): TokenBucket {
  const bucket = new TokenBucket({ bucketSize: 1e12, tokensPerInterval: RATE_PER_SEC, interval: "second" });
  bucket.content = 1e12;
  return bucket;
}

function rateLimiterFlexible(tenants: number): Contender {
  const limiter = new RateLimiterMemory({ points: 1e12, duration: 3_600 });
  const order = shuffled(tenants);
  const names = Array.from({ length: tenants }, (_, i) => `t${i}`);
  let at = 0;
  return {
    name: "rate-limiter-flexible, memory",
    aim: 4,
    async run(count) {
      for (let i = 0; i < count; i++) {
        at = (at + 1) & 0x1ffff;
        await limiter.consume(names[order[at]]);
      }
    },
    async close() {
      for (const name of names) await limiter.delete(name);
    },
  };
}

function oursPromised(): Contender {
  const agent = createAgent({ service: "bench", controller: false, log: false });
  const point = agent.controlPoint("point");
  return {
    name: "tenantry, await point.throttle()",
    run: (count) =>
      agent.run("hot", async () => {
        for (let i = 0; i < count; i++) await point.throttle();
      }),
    close: () => agent.close(),
  };
}

function pThrottled(): Contender {
  const throttled = pThrottle({ limit: 1e9, interval: 1 })(() => undefined);
  return {
    name: "p-throttle",
    async run(count) {
      // It keeps a timer for every call, so it is given small portions.
      for (let i = 0; i < count; i++) await throttled();
    },
  };
}

/** The clock's own cost, to be read beside the rows above. */
export function clockNs(): number {
  const clock = systemClock();
  const start = performance.now();
  let sum = 0;
  for (let i = 0; i < 2_000_000; i++) sum += clock.nowUs() & 1;
  return ((performance.now() - start) * 1e6) / (2_000_000 + (sum & 0));
}
