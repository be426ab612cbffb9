/**
 * The service of the README's first screen, as a program: `node dist/examples/quick-start/storage.js`, then
 * `curl -H 'baggage: tenant.id=acme' http://127.0.0.1:8080/README.md`. With `npx tenantry controller` running beside it, rates
 * arrive; without, its slots are still shared fairly.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { basename } from "node:path";
import { createAgent, refuse } from "tenantry";

const agent = createAgent({ service: "storage", controller: "localhost:7411" }); // no controller? local fairness still works
const disk = agent.resource("disk", { slots: 4 }); // measured: load and slowdown
const reads = agent.controlPoint("read", { slots: 16 }); // throttle, then a fair queue, then one of 16 slots

const server = createServer(async (req, res) => {
  try {
    // The tenant is carried through awaits, and onward as W3C baggage.
    await agent.run(agent.extract(req.headers), () => reads.run({ api: "GetBlob" }, () => disk.use(() => sendFile(req, res))));
  } catch (error) {
    if (!refuse(res, error)) res.writeHead(404).end(); // 429 with Retry-After for who is held back, 400 for a bad tenant id
  }
});

async function sendFile(req: IncomingMessage, res: ServerResponse): Promise<void> {
  res.end(await readFile(basename(req.url ?? "")));
}

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
