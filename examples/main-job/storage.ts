/**
 * A storage service. It keeps blobs as files; reading one sends it compressed, archiving one writes the compressed copy next to
 * it. Reading and writing use the disk, compressing uses a small pool of worker threads; both are measured, and so is the
 * event loop.
 *
 * The control point has a few more slots than there are threads, so that none of these is ever without work; whoever waits for
 * a slot is served fairly. What a request costs is how long a thread worked for it, and not how long it held its slot: a page that
 * stood behind an archive must not pay for it. A flood that is only observed fills the line before the slots, and everybody waits in it.
 *
 * Environment: FOLDER (the blobs), THREADS, TENANTRY_CONTROLLER (read by the library).
 */
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { basename, join } from "node:path";
import { type CallHandle, createAgent } from "tenantry";
import { answerError, hungUp } from "./http-errors.js";
import { serve } from "./process.js";
import { WorkerPool } from "./worker-pool.js";

const folder = process.env.FOLDER ?? ".";
const threads = Number(process.env.THREADS ?? 1);

const agent = createAgent({ service: "storage" });
const work = agent.controlPoint("work", { slots: 3 * threads, unit: "ms" });
const disk = agent.resource("disk");
const workers = agent.resource("workers", { slots: threads });
agent.eventLoop();

const pool = new WorkerPool(new URL("./compress.js", import.meta.url), threads);

const server = createServer(async (req, res) => {
  const signal = hungUp(res);
  try {
    await agent.run(agent.extract(req.headers), () =>
      work.run({ api: req.method, signal }, (call) => handle(req, res, signal, call)),
    );
  } catch (error) {
    answerError(res, error, signal);
  }
});

/** GET /NAME answers the blob, compressed. POST /NAME archives it: writes the compressed copy, and answers its size. */
async function handle(req: IncomingMessage, res: ServerResponse, signal: AbortSignal, call: CallHandle): Promise<void> {
  const path = join(folder, basename(req.url ?? ""));
  const blob = await disk.use(() => readFile(path));
  const packed = await workers.use({ signal }, async () => {
    const startMs = performance.now();
    const output = await pool.run(blob);
    call.charge(performance.now() - startMs);
    return output;
  });
  if (req.method === "GET") {
    res.writeHead(200, { "content-encoding": "br", "content-length": packed.length }).end(packed);
    return;
  }
  await disk.use(() => writeFile(`${path}.${process.pid}.br`, packed));
  res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ bytes: blob.length, packed: packed.length }));
}

serve(server, agent);
