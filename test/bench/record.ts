/** Recording one operation on a resource: at the inner ring, and as a service does it, against an empty context and a counter. */
import { AsyncLocalStorage } from "node:async_hooks";
import { Agent, Operation } from "../../enforcement/index.js";
import { createAgent } from "../../enforcement/io/index.js";
import { systemChance, systemClock } from "../../proto/io/clock.js";
import { type Comparison, type Contender, compare } from "./measure.js";

export async function recordRows(): Promise<{ name: string; comparison: Comparison }[]> {
  return [
    { name: "recording one operation (callback)", comparison: await compare(inner(), [floor()]) },
    { name: "recording one operation (agent.resource().record)", comparison: await compare(asService(), [floor()]) },
    { name: "one operation through resource.use (promise)", comparison: await compare(used(), [floorAwaited()]) },
  ];
}

function inner(): Contender {
  const agent = new Agent({ service: "bench", instance: "0", boot: "0", clock: systemClock(), chance: systemChance() });
  const disk = agent.resource("disk");
  const tenants = Array.from({ length: 1_000 }, (_, i) => agent.tenant(`t${i}`));
  const nothing = () => {};
  return {
    name: "tenantry, use and finish",
    run(count) {
      for (let i = 0; i < count; i++) {
        const operation = new Operation({ tenant: tenants[i % 1_000] }, nothing);
        disk.use(operation);
        disk.finish(operation);
      }
    },
    close: () => new Promise<void>((done) => agent.close(done)),
  };
}

function asService(): Contender {
  const agent = createAgent({ service: "bench", controller: false, log: false });
  const bytes = agent.resource("bytes", { unit: "bytes" });
  return {
    name: "tenantry, record in a tenant's context",
    run: (count) =>
      agent.run("hot", () => {
        for (let i = 0; i < count; i++) bytes.record(4_096);
      }),
    close: () => agent.close(),
  };
}

function used(): Contender {
  const agent = createAgent({ service: "bench", controller: false, log: false });
  const disk = agent.resource("disk");
  const work = async () => 1;
  return {
    name: "tenantry, await disk.use(fn)",
    run: (count) =>
      agent.run("hot", async () => {
        for (let i = 0; i < count; i++) await disk.use(work);
      }),
    close: () => agent.close(),
  };
}

/** The least one could do: find who it is for, and count. */
function floor(): Contender {
  const storage = new AsyncLocalStorage<{ count: number }>();
  return {
    name: "floor: getStore() and a counter",
    run: (count) =>
      storage.run({ count: 0 }, () => {
        for (let i = 0; i < count; i++) {
          const store = storage.getStore();
          if (store !== undefined) store.count += 1;
        }
      }),
  };
}

function floorAwaited(): Contender {
  const storage = new AsyncLocalStorage<{ count: number }>();
  const work = async () => 1;
  return {
    name: "floor: await fn(), getStore() and a counter",
    run: (count) =>
      storage.run({ count: 0 }, async () => {
        for (let i = 0; i < count; i++) {
          await work();
          const store = storage.getStore();
          if (store !== undefined) store.count += 1;
        }
      }),
  };
}
