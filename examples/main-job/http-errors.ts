/** How the services answer what did not go well, and notice that nobody waits for an answer any more. */
import type { ServerResponse } from "node:http";
import { refuse, TenantryError, ThrottledError } from "tenantry";

/** Aborts when the client goes away before its answer is complete: what still waits for it leaves its queue. */
export function hungUp(res: ServerResponse): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort();
  });
  return controller.signal;
}

/** 429 with `Retry-After` and `RateLimit` for what was held back, 400 for a bad tenant id, 404, or 500. */
export function answerError(res: ServerResponse, error: unknown, signal: AbortSignal): void {
  if (signal.aborted) return;
  if (error instanceof ThrottledError) {
    refuse(res, error);
    return;
  }
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const { code, message } = error as NodeJS.ErrnoException;
  const status = error instanceof TenantryError && code === "BAD_TENANT" ? 400 : code === "ENOENT" ? 404 : 500;
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ code, message }));
}
