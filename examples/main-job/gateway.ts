/**
 * The gateway: the service strangers reach. It learns from a header who a request is for, holds the request back where that
 * tenant has a rate, and forwards it to one of the storage instances with the tenant in its `baggage`.
 *
 * Environment: STORAGES (ports, comma-separated), TENANTRY_CONTROLLER (read by the library).
 */
import { Agent as Connections, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { createAgent } from "tenantry";
import { answerError, hungUp } from "./http-errors.js";
import { serve } from "./process.js";

const agent = createAgent({ service: "gateway", tenantHeader: "x-tenant" });
const http = agent.controlPoint("http");
agent.eventLoop();

const storages = (process.env.STORAGES ?? "").split(",").map(Number);
let turn = 0;
const connections = new Connections({ keepAlive: true });

const server = createServer(async (req, res) => {
  const signal = hungUp(res);
  try {
    await agent.run(agent.extract(req.headers), () => http.run({ api: req.method, signal }, () => forward(req, res, signal)));
  } catch (error) {
    answerError(res, error, signal, http);
  }
});

/** Sends the request on to the storage instance whose turn it is, and its answer back. */
async function forward(req: IncomingMessage, res: ServerResponse, signal: AbortSignal): Promise<void> {
  const port = storages[turn++ % storages.length];
  const headers = agent.inject({ "content-length": req.headers["content-length"] ?? 0 });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { url: path, method } = req;
    const call = request({ port, path, method, headers, agent: connections, signal }, resolve);
    call.on("error", reject);
    req.pipe(call);
  });
  res.writeHead(answer.statusCode ?? 502, answer.headers);
  await pipeline(answer, res);
}

serve(server, agent);
