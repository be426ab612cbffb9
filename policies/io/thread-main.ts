/** The thread a policy from a file runs in: loads it, then answers one question after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { shown } from "../../proto/names.js";
import type { Policy } from "../policy.js";
import type { Rates } from "../rates.js";
import { loadPolicy, withPlace } from "./load-policy.js";
import type { Answer, Limits, Loaded, Question, ThreadData } from "./messages.js";
import { revived } from "./revive.js";

const { path, source, port, answered } = workerData as ThreadData;

function answer(policy: Policy, { view, params }: Question): Answer {
  try {
    const rates: Rates | undefined = policy.decide(revived(view), params);
    if (typeof rates?.forEach === "function") return { limits: columnsOf(rates) };
    return { gave: rates === undefined ? rates : shown(rates) };
  } catch (error) {
    return { threw: withPlace(error, path) };
  }
}

function columnsOf(rates: Rates): Limits {
  let count = 0;
  rates.forEach(() => {
    count++;
  });
  const limits = {
    points: new Int32Array(count),
    tenants: new Int32Array(count),
    rates: new Float64Array(count),
    resources: new Int32Array(count),
  };
  let i = 0;
  rates.forEach((point, tenant, rate, resource) => {
    limits.points[i] = point;
    limits.tenants[i] = tenant;
    limits.rates[i] = rate;
    limits.resources[i++] = resource;
  });
  return limits;
}

function serve(policy: Policy): void {
  port.on("message", (question: Question) => {
    const reply = answer(policy, question);
    const moved = "limits" in reply ? Object.values(reply.limits).map((column: Int32Array) => column.buffer as ArrayBuffer) : [];
    if (!question.waits) return parentPort?.postMessage(reply, moved);
    port.postMessage(reply, moved);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
  parentPort?.postMessage({ name: policy.name, params: policy.params, ranges: policy.ranges } satisfies Loaded);
}

loadPolicy(path, source).then(serve, (error: Error) => parentPort?.postMessage({ failed: error.message }));
