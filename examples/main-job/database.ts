/**
 * Stands for a database on another machine: each query takes it 80 ms, whatever this machine is doing. What is short are the
 * connections to it.
 */
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "./process.js";

const QUERY_MS = 80;

const server = createServer(async (req, res) => {
  req.resume();
  await sleep(QUERY_MS);
  res.end();
});

serve(server);
