import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAgent, type ServiceAgent, ThrottledError } from "../../enforcement/io/index.js";

let agent: ServiceAgent;

beforeEach(() => {
  agent = createAgent({ service: "storage", controller: false });
});
afterEach(() => agent.close());

/** A promise that is settled from outside. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** A thenable that is no promise, as query builders are. */
function lazily(value: number): object {
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  return { then: (resolve: (value: number) => void) => resolve(value) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a call that need not wait", () => {
  test("has begun before run returns, and is passed through", async () => {
    const point = agent.controlPoint("read");
    let began = false;
    const result = point.run({ api: "Get" }, async () => {
      began = true;
      await turn();
      return agent.tenant();
    });
    expect(began).toBe(true);
    expect(point.running).toBe(1);
    expect(await result).toBe("unknown");
    expect(point.running).toBe(0);
    expect(await point.run(() => 7)).toBe(7);
    expect(await point.run(undefined, () => lazily(8))).toBe(8);
  });

  test("does not overtake one that was admitted before it and whose continuation has yet to run", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const { promise, open } = gate();
    const first = point.run(() => promise);
    const order: string[] = [];
    const queued = [1, 2].map((n) => point.run(() => order.push(`queued ${n}`)));
    point.setSlots(9);
    const aborted = new AbortController();
    const late = point.run({ signal: aborted.signal }, () => order.push("aborted"));
    const free = point.run(() => order.push("free"));
    aborted.abort(new Error("no more"));
    await Promise.all([...queued, free]);
    await expect(late).rejects.toThrow("no more");
    expect(order).toEqual(["queued 1", "queued 2", "free"]);
    const now = point.run(() => order.push("at once"));
    expect(order.at(-1)).toBe("at once");
    open();
    await Promise.all([first, now]);
    expect([point.running, point.waiting]).toEqual([0, 0]);
  });

  test("ends whether it throws at once or later, and what it threw comes out", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const sooner = point.run(() => {
      throw new Error("sooner");
    });
    await expect(sooner).rejects.toThrow("sooner");
    const later = point.run(async () => {
      await turn();
      throw new Error("later");
    });
    await expect(later).rejects.toThrow("later");
    expect(point.running).toBe(0);
  });

  test("what cannot be meant is refused with a code, as a rejection", async () => {
    const point = agent.controlPoint("read");
    const bad = { code: "BAD_ARGUMENT" };
    await expect(point.run({} as never)).rejects.toMatchObject(bad);
    await expect(point.run({ cost: -1 }, () => 1)).rejects.toMatchObject(bad);
    await expect(point.run({ cost: Number.NaN }, () => 1)).rejects.toMatchObject(bad);
    await expect(point.run({ deadlineMs: -1 }, () => 1)).rejects.toMatchObject(bad);
    await expect(point.throttle(Number.POSITIVE_INFINITY)).rejects.toMatchObject(bad);
    await expect(point.run((call) => call.charge(-1))).rejects.toMatchObject(bad);
    expect(point.running).toBe(0);
    expect(() => agent.controlPoint("not a name")).toThrow(expect.objectContaining({ code: "BAD_NAME" }));
  });
});

describe("a call that has to wait", () => {
  test("runs when a slot is free, in its own tenant's context and every other context of its caller", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const tracing = new AsyncLocalStorage<string>();
    const first = gate();
    const held = agent.run("a", () => tracing.run("trace a", () => point.run(() => first.promise)));
    const waits = agent.run("b", () => tracing.run("trace b", () => point.run(() => [agent.tenant(), tracing.getStore()])));
    expect([point.running, point.waiting]).toEqual([1, 1]);
    first.open();
    expect(await waits).toEqual(["b", "trace b"]);
    await held;
  });

  test("slots are shared fairly, not first come first served", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const order: string[] = [];
    const work = async () => {
      order.push(agent.tenant());
      await turn();
    };
    const flood = Array.from({ length: 20 }, () => agent.run("flood", () => point.run(work)));
    const small = [1, 2].map(() => agent.run("small", () => point.run(work)));
    await Promise.all([...flood, ...small]);
    expect(order).toHaveLength(22);
    expect(order.lastIndexOf("small")).toBeLessThan(10);
  });

  test("an aborted signal: at once if it is aborted already, out of the queue if later, and never after it began", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const already = AbortSignal.abort(new Error("already"));
    await expect(point.run({ signal: already }, () => expect.unreachable())).rejects.toThrow("already");
    await expect(point.throttle({ signal: already })).rejects.toThrow("already");

    const first = gate();
    const abort = new AbortController();
    const held = point.run({ signal: abort.signal }, () => first.promise.then(() => "done"));
    const waits = point.run({ signal: abort.signal }, () => expect.unreachable());
    const after = point.run(() => "next");
    abort.abort(new Error("given up"));
    expect(point.waiting).toBe(1);
    await expect(waits).rejects.toThrow("given up");
    first.open();
    expect(await held).toBe("done");
    expect(await after).toBe("next");
  });

  test("aborted in the very moment it is admitted, it does not run, and its slot is free", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const abort = new AbortController();
    const first = gate();
    const held = point.run(() => first.promise);
    void first.promise.then(() => abort.abort(new Error("just now"))); // right after the slot has gone to the one that waits
    const waits = point.run({ signal: abort.signal }, () => expect.unreachable());
    first.open();
    await held;
    await expect(waits).rejects.toThrow("just now");
    expect(point.running).toBe(0);
    expect(await point.run(() => "free")).toBe("free");
  });

  test("no listener stays on a signal that outlives the call", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const listening = new Set<unknown>();
    const { signal } = new AbortController();
    signal.addEventListener = (_type: string, listener: unknown) => void listening.add(listener);
    signal.removeEventListener = (_type: string, listener: unknown) => void listening.delete(listener);
    const first = gate();
    const held = point.run({ signal }, () => first.promise);
    expect(listening.size).toBe(0);
    const waits = point.run({ signal }, () => {});
    expect(listening.size).toBe(1);
    first.open();
    await Promise.all([held, waits]);
    expect(listening.size).toBe(0);
  });

  test("past its deadline it is refused", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const first = gate();
    const held = agent.run("a", () => point.run(() => first.promise));
    const late = agent.run("a", () => point.run({ deadlineMs: 5 }, () => expect.unreachable()));
    await expect(late).rejects.toBeInstanceOf(ThrottledError);
    await expect(late).rejects.toMatchObject({ code: "DEADLINE", tenant: "a", point: "read" });
    first.open();
    await held;
  });

  test("when the queue is full, the tenant with the longest backlog is refused", async () => {
    const point = agent.controlPoint("read", { slots: 1, queueLimit: 3 });
    const first = gate();
    const held = agent.run("flood", () => point.run(() => first.promise));
    const flood = Array.from({ length: 3 }, () => agent.run("flood", () => point.run(() => "flood")));
    const outcomes = Promise.allSettled(flood);
    const small = agent.run("small", () => point.run(() => "small"));
    first.open();
    expect(await small).toBe("small");
    const refused = (await outcomes).filter((outcome) => outcome.status === "rejected");
    expect(refused.map((outcome) => outcome.reason.code)).toEqual(["QUEUE_FULL"]);
    await held;
  });

  test("close refuses what waits and what comes, and lets what runs end", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const first = gate();
    const held = point.run(() => first.promise.then(() => "ended"));
    const waits = point.run(() => expect.unreachable());
    const closed = agent.close();
    await expect(waits).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await expect(point.run(() => expect.unreachable())).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await expect(point.throttle()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    await closed;
    expect(agent.close()).toBe(agent.close());
    first.open();
    expect(await held).toBe("ended");
  });
});

describe("a call within a call", () => {
  test("of the same point and request goes straight through, however deep, and never waits for itself", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    const other = agent.controlPoint("write", { slots: 1 });
    const seen = await agent.run("a", () =>
      point.run(async () => {
        await turn();
        return other.run(() => agent.run("b", () => point.run(async () => [agent.tenant(), point.running])));
      }),
    );
    expect(seen).toEqual(["b", 1]);
  });

  test("its cost is part of what the outer call costs", async () => {
    const point = agent.controlPoint("read", { unit: "rows" });
    await point.run(async (outer) => {
      outer.charge(10);
      await point.run((inner) => {
        inner.charge(2);
        inner.charge(5);
      });
      outer.charge(11);
      await expect(point.run((inner) => [inner.charge(3), inner.charge(1)])).rejects.toMatchObject({ code: "BAD_JOB" });
    });
  });

  test("siblings are not within each other; nor is work left behind when the outer call has ended", async () => {
    const point = agent.controlPoint("read", { slots: 1 });
    let most = 0;
    const work = async () => {
      most = Math.max(most, point.running);
      await turn();
    };
    await agent.run("a", () => Promise.all([point.run(work), point.run(work), point.run(work)]));
    expect(most).toBe(1);

    let left: Promise<unknown> = Promise.resolve();
    const outerEnded = gate();
    await point.run(() => {
      left = outerEnded.promise.then(() => point.run(() => point.running));
    });
    const first = gate();
    const held = point.run(() => first.promise);
    outerEnded.open();
    await turn();
    expect(point.waiting).toBe(1);
    first.open();
    expect(await left).toBe(1);
    await held;
  });

  test("what is charged after the end is ignored", async () => {
    const point = agent.controlPoint("read", { unit: "rows" });
    let handle = { charge(_cost: number) {} };
    await point.run((call) => {
      handle = call;
      call.charge(3);
    });
    expect(() => handle.charge(9)).not.toThrow();
  });
});

describe("a rejection nobody handles", () => {
  test("is still seen by the process", async () => {
    const seen: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => seen.push(reason));
    try {
      void agent.controlPoint("read").run(async () => {
        throw new Error("lost");
      });
      await sleep(5);
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of others) process.on("unhandledRejection", listener);
    }
    expect(seen).toEqual([expect.objectContaining({ message: "lost" })]);
  });
});
