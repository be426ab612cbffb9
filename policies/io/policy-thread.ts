/**
 * A policy from a file, in a thread of its own, so that one that loops for ever can be stopped. It is asked like any other: the
 * view goes over as plain data, and the asker waits for the answer, but no longer than the limit. So a decision stays what it
 * is everywhere else, one step from one view to its rates, and nothing around it needs to know.
 *
 * This keeps mistakes from spreading, not malice: a policy can read files and open sockets like any program of its user.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { TenantryError } from "../../proto/errors.js";
import type { Params, Policy } from "../policy.js";
import type { Rates } from "../rates.js";
import type { View } from "../view.js";
import { columnsOf, unfold } from "./columns.js";
import type { Answer, Loaded, Question, ThreadData } from "./messages.js";

/** To load a policy: Babel is loaded, and the file is run once. */
const LOAD_LIMIT_MS = 10_000;
/** A policy that needs more than this remembers what it should not. */
const MOST_MEMORY_MB = 512;

export class PolicyThread {
  readonly name: string;
  readonly params: Params;
  readonly ranges: Policy["ranges"];
  /** Called when the thread ends by itself: the policy ended it, or used too much memory. */
  onEnd: (why: string) => void = () => {};
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #answered: Int32Array;

  private constructor(
    worker: Worker,
    port: MessagePort,
    answered: Int32Array,
    { name, params, ranges }: Pick<Policy, "name" | "params" | "ranges">,
  ) {
    this.name = name;
    this.params = Object.freeze(params);
    this.ranges = ranges;
    this.#worker = worker;
    this.#port = port;
    this.#answered = answered;
  }

  /**
   * Starts a thread and loads the policy in it.
   *
   * @param source the file's text, as `readPolicy` gives it
   * @throws TenantryError BAD_POLICY in plain words, with the place in the file
   */
  static async start(path: string, source: string): Promise<PolicyThread> {
    const { port1, port2 } = new MessageChannel();
    const answered = new Int32Array(new SharedArrayBuffer(4));
    const data: ThreadData = { path, source, port: port2, answered };
    const worker = new Worker(new URL("./thread-main.js", import.meta.url), {
      workerData: data,
      transferList: [port2],
      // Standard output may be a program's; what a policy prints is for people.
      stdout: true,
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
    });
    // Not piped: of ten threads Node would suspect a leak of listeners.
    worker.stdout.on("data", (chunk: Buffer) => process.stderr.write(chunk));
    port1.unref();
    let loaded: Loaded;
    try {
      loaded = await message<Loaded>(worker, LOAD_LIMIT_MS, `${path} was not loaded`);
      if ("failed" in loaded) throw new TenantryError("BAD_POLICY", loaded.failed);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
    worker.unref();
    const self = new PolicyThread(worker, port1, answered, loaded);
    worker.once("error", (error) => self.onEnd(`failed in its thread: ${error.message}`));
    worker.once("exit", () => self.onEnd("ended its thread"));
    return self;
  }

  /**
   * What the policy decides on this view. Blocks until it has, or for `limitMs`.
   *
   * @throws TenantryError POLICY_STOPPED when it took too long: it goes on in vain, `close` it; BAD_POLICY when it threw
   */
  decide(view: View, params: Params, limitMs: number): Rates {
    const before = Atomics.load(this.#answered, 0);
    this.#port.postMessage(asked(view, params, true));
    if (Atomics.wait(this.#answered, 0, before, limitMs) === "timed-out") {
      throw new TenantryError("POLICY_STOPPED", `did not decide within ${Math.round(limitMs)} ms, and was stopped`);
    }
    const reply = receiveMessageOnPort(this.#port)?.message as Answer;
    return ratesOf(reply, view);
  }

  /** As `decide`, without blocking. */
  async rehearse(view: View, params: Params, limitMs: number): Promise<Rates> {
    this.#port.postMessage(asked(view, params, false));
    return ratesOf(await message<Answer>(this.#worker, limitMs, "did not decide"), view);
  }

  /** Ends the thread, whatever it does. */
  async close(): Promise<void> {
    this.#worker.removeAllListeners();
    // Whatever goes wrong now is of no interest, and must not end the process.
    this.#worker.on("error", () => {});
    await this.#worker.terminate();
  }
}

function ratesOf(reply: Answer, view: View): Rates {
  if ("threw" in reply) throw new TenantryError("BAD_POLICY", reply.threw);
  // The guard tells what was given instead.
  if ("gave" in reply) return reply.gave as unknown as Rates;
  return unfold(reply.limits, view);
}

function asked(view: View, params: Params, waits: boolean): Question {
  const { decided, ...plain } = view;
  return { view: plain, params, waits, ...(decided && { decided: columnsOf(decided) }) };
}

/** The next message of a thread. */
function message<T>(worker: Worker, limitMs: number, otherwise: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const over = (act: () => void) => {
      clearTimeout(timer);
      worker.off("message", got).off("error", failed).off("exit", ended);
      act();
    };
    const got = (value: T) => over(() => resolve(value));
    const failed = (error: Error) => over(() => reject(stopped(`${otherwise}: ${error.message}`)));
    const ended = () => over(() => reject(stopped(`${otherwise}: it ended its thread`)));
    const timer = setTimeout(
      () => over(() => reject(stopped(`${otherwise} within ${limitMs} ms: does it loop for ever?`))),
      limitMs,
    );
    worker.once("message", got).once("error", failed).once("exit", ended);
  });
}

function stopped(message: string): TenantryError {
  return new TenantryError("POLICY_STOPPED", message);
}
