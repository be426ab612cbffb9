/**
 * A storage service. It keeps blobs as files; reading one sends it compressed, archiving one writes the compressed copy next to
 * it. Reading and writing use the disk, compressing uses a small pool of worker threads; both are measured, and so is the
 * event loop.
 *
 * The control points have a few more slots than there are threads or connections, so that none of these is ever without work; whoever
 * waits for a slot is served fairly. What a request costs is how long a thread worked for it, and not how long it held its slot: a page that
 * stood behind an archive must not pay for it. A flood that is only observed fills the line before the slots, and everybody waits in it.
 *
 * Filing a blob compresses it and tells the database, through one of a few connections: a point and a resource of its own.
 *
 * Environment: FOLDER (the blobs), THREADS, CONNECTIONS, SLOTS (for each of these), DATABASE (its URL), TENANTRY_CONTROLLER (read by the library).
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
const slots = Number(process.env.SLOTS ?? 3);
const most = Number(process.env.CONNECTIONS ?? 1);
const database = process.env.DATABASE ?? "";

const agent = createAgent({ service: "storage" });
const work = agent.controlPoint("work", { slots: slots * threads, unit: "ms" });
const filing = agent.controlPoint("filing", { slots: slots * most });
const disk = agent.resource("disk");
const workers = agent.resource("workers", { slots: threads });
const connections = agent.resource("connections", { slots: most });
agent.eventLoop();

const pool = new WorkerPool(new URL("./compress.js", import.meta.url), threads);

const server = createServer(async (req, res) => {
  const signal = hungUp(res);
  try {
    await agent.run(agent.extract(req.headers), () =>
      req.method === "PUT"
        ? filing.run({ api: req.method, signal }, () => file(req, res, signal))
        : work.run({ api: req.method, signal }, (call) => handle(req, res, signal, call)),
    );
  } catch (error) {
    answerError(res, error, signal);
  }
});

/** GET /NAME answers the blob, compressed. POST /NAME archives it: writes the compressed copy, and answers its size. */
async function handle(req: IncomingMessage, res: ServerResponse, signal: AbortSignal, call: CallHandle): Promise<void> {
  const path = pathOf(req);
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

/** PUT /NAME files the blob: compresses it and sends the copy to the database. */
async function file(req: IncomingMessage, res: ServerResponse, signal: AbortSignal): Promise<void> {
  const blob = await disk.use(() => readFile(pathOf(req)));
  const packed = await workers.use({ signal }, () => pool.run(blob));
  await connections.use({ signal }, async () => {
    const answer = await fetch(database, { method: "PUT", body: packed });
    await answer.arrayBuffer();
  });
  res.writeHead(204).end();
}

function pathOf(req: IncomingMessage): string {
  return join(folder, basename(req.url ?? ""));
}

serve(server, agent);
