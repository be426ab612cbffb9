/** How the services answer what did not go well, and notice that nobody waits for an answer any more. */
import type { ServerResponse } from "node:http";
import { refuse, type ServicePoint, ThrottledError } from "tenantry";

/** Aborts when the client goes away before its answer is complete: what still waits for it leaves its queue. */
export function hungUp(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}

/**
 * What the library refuses it answers itself; else 404 or 500.
 *
 * @param edge the point whose rate clients are told; absent where rates do not count requests, which clients could not tell
 */
export function answerError(res: ServerResponse, error: unknown, signal: AbortSignal, edge?: ServicePoint): void {
  if (signal.aborted) return;
  const ratePerSec = error instanceof ThrottledError ? edge?.ratePerSec(error.tenant) : undefined;
  if (refuse(res, error, { ratePerSec })) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  res.writeHead(code === "ENOENT" ? 404 : 500, { "content-type": "application/json" }).end(JSON.stringify({ code, message }));
}
