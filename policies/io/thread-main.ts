/** The thread a policy from a file runs in: loads it, then answers one question after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { shown } from "../../proto/names.js";
import type { Policy } from "../policy.js";
import type { Rates } from "../rates.js";
import type { View } from "../view.js";
import { buffersOf, columnsOf, unfold } from "./columns.js";
import { loadPolicy, withPlace } from "./load-policy.js";
import type { Answer, Loaded, Question, ThreadData } from "./messages.js";
import { revived } from "./revive.js";

const { path, source, port, answered } = workerData as ThreadData;

function answer(policy: Policy, question: Question): Answer {
  try {
    const rates: Rates | undefined = policy.decide(viewOf(question), question.params);
    if (typeof rates?.forEach === "function" && typeof rates.forEachPromise === "function") return { limits: columnsOf(rates) };
    return { gave: rates === undefined ? rates : shown(rates) };
  } catch (error) {
    return { threw: withPlace(error, path) };
  }
}

function viewOf({ view, decided }: Question): View {
  const whole = revived(view);
  return decided === undefined ? whole : { ...whole, decided: unfold(decided, whole) };
}

function serve(policy: Policy): void {
  port.on("message", (question: Question) => {
    const reply = answer(policy, question);
    const moved = "limits" in reply ? buffersOf(reply.limits) : [];
    if (!question.waits) return parentPort?.postMessage(reply, moved);
    port.postMessage(reply, moved);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
  parentPort?.postMessage({ name: policy.name, params: policy.params, ranges: policy.ranges } satisfies Loaded);
}

loadPolicy(path, source).then(serve, (error: Error) => parentPort?.postMessage({ failed: error.message }));
