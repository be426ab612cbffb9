/** A few threads that do one job each at a time. It has no queue: the resource in front of it has as many slots as threads. */
import { Worker } from "node:worker_threads";

export class WorkerPool {
  readonly #idle: Worker[];

  constructor(program: URL, threads: number) {
    this.#idle = Array.from({ length: threads }, () => new Worker(program));
  }

  /** Runs a job in an idle thread; there must be one. */
  run(input: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const worker = this.#idle.pop();
    if (worker === undefined) throw new Error("no thread is idle: give the resource no more slots than the pool has threads");
    return new Promise((resolve) => {
      worker.once("message", (output: Uint8Array<ArrayBuffer>) => {
        this.#idle.push(worker);
        resolve(output);
      });
      worker.postMessage(input);
    });
  }
}
