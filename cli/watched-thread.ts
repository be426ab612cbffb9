/**
 * Work that runs a policy somebody wrote, in a thread, watched from outside: a policy that loops for ever is stopped, and what it
 * was asked is told. The thread says before each decision what it asks, and after it that it has an answer.
 */
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { Policy, View } from "../policies/index.js";
import { withPlace } from "../policies/io/index.js";

/** To load the thread's program and the policy, before the first decision: the machine may be busy, and a compiler is loaded too. */
const LOAD_LIMIT_MS = 10_000;

/** What is said between the two. */
type Word<T> = { asks: View; about: string } | { answered: true } | { progress: number } | { done: T } | { failed: string };

export interface WatchOptions {
  /** The thread's program. */
  program: URL;
  /** Its input. */
  data: unknown;
  /** Most one decision may take, ms. */
  limitMs: number;
  onProgress?(fraction: number): void;
}

/** What came of it: a result, a failure in words, or the view on which the policy did not come to an end. */
export type Outcome<T> = { done: T } | { failed: string } | { looped: { view: View; about: string } };

/** Runs the thread to its end, or to that of the policy's first decision that takes too long. */
export async function watched<T>({ program, data, limitMs, onProgress }: WatchOptions): Promise<Outcome<T>> {
  const worker = new Worker(program, { workerData: data, stdout: true });
  // Not piped: of ten threads Node would suspect a leak of listeners.
  worker.stdout.on("data", (chunk: Buffer) => process.stderr.write(chunk));
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Outcome<T>>((resolve) => {
      const wait = (then: Outcome<T>, forMs: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve(then), forMs);
      };
      worker.on("message", (word: Word<T>) => {
        if ("asks" in word) wait({ looped: { view: word.asks, about: word.about } }, limitMs);
        else clearTimeout(timer);
        if ("progress" in word) onProgress?.(word.progress);
        else if ("done" in word) resolve(word);
        else if ("failed" in word) resolve(word);
      });
      worker.once("error", (error) => resolve({ failed: `its thread failed: ${error.message}` }));
      worker.once("exit", () => resolve({ failed: "its thread ended before the work was done" }));
      // To load the file is the first thing that may take for ever.
      const loadMs = Math.max(LOAD_LIMIT_MS, limitMs);
      wait({ failed: `the policy was not loaded within ${loadMs} ms: does its file loop for ever?` }, loadMs);
    });
  } finally {
    clearTimeout(timer);
    worker.removeAllListeners("exit");
    await worker.terminate();
  }
}

/** In the thread: does the work, and tells how it ended. */
export async function work<D, T>(act: (data: D) => T | Promise<T>): Promise<void> {
  try {
    say({ done: await act(workerData as D) });
  } catch (error) {
    say({ failed: withPlace(error, String((workerData as { path?: string }).path)) });
  }
}

export function sayProgress(fraction: number): void {
  say({ progress: fraction });
}

/** The same policy, which says before and after each decision that it decides. */
export function saying(policy: Policy, about: () => string): Policy {
  return {
    ...policy,
    decide(view, params) {
      say({ asks: view, about: about() });
      try {
        return policy.decide(view, params);
      } finally {
        say({ answered: true });
      }
    },
  };
}

function say(word: Word<unknown>): void {
  parentPort?.postMessage(word);
}
