/** A worker thread that compresses what it is sent. */
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { pack } from "./pack.js";

// Heavy work yields to the threads that answer requests: on Linux this is the priority of this thread alone.
if (process.platform === "linux") setPriority(10);

parentPort?.on("message", (blob: Uint8Array) => {
  const packed = new Uint8Array(pack(blob));
  parentPort?.postMessage(packed, [packed.buffer]);
});
