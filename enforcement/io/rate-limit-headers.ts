/**
 * Telling an HTTP client that it was held back, in the words of the standards: status 429, `Retry-After`, and the
 * `RateLimit` and `RateLimit-Policy` fields of draft-ietf-httpapi-ratelimit-headers (structured fields).
 *
 *   Retry-After: 2
 *   RateLimit: "read";r=0;t=2;pk=:YWNtZQ==:
 *   RateLimit-Policy: "read";q=20;w=1;pk=:YWNtZQ==:
 *
 * `q` requests per `w` seconds is the rate in force, `r` what is left of it, `t` the seconds until there is more, and `pk`
 * (the partition key) the tenant, as bytes since tenant ids may hold any character.
 */
import type { ServerResponse } from "node:http";
import { TenantryError, ThrottledError } from "../../proto/errors.js";
import { serializeList } from "./structured-fields.js";

/** What a client may use: so many units per so many seconds. */
export interface Quota {
  /** Units (requests, unless the point counts something else) per window. */
  quota: number;
  /** The window, s. */
  windowSec: number;
}

/** Seconds no client should be told to wait longer than: an hour on, everything may be different. */
const LONGEST_SEC = 3600;

/**
 * A rate as whole units per whole seconds: 20/s is 20 per 1 s, 0.1/s is 1 per 10 s, 0 is 0 per 1 s.
 *
 * @param ratePerSec units per second, ≥ 0
 */
export function quotaOf(ratePerSec: number): Quota {
  if (!(ratePerSec > 0)) return { quota: 0, windowSec: 1 };
  if (ratePerSec >= 1) return { quota: Math.floor(Math.min(ratePerSec, 1e15 - 1)), windowSec: 1 };
  return { quota: 1, windowSec: Math.min(Math.ceil(1 / ratePerSec), 1e15 - 1) };
}

/**
 * The headers for a refused request.
 *
 * @param error what a control point threw
 * @param options.ratePerSec the rate in force, units per second, e.g. `point.ratePerSec(error.tenant)`; without it, or where
 *   nothing is limited, `RateLimit-Policy` is left out
 * @param options.partitionKey false leaves the tenant out of the headers
 * @returns header names (lower case) and values, ready for `res.writeHead(429, headers)`
 * @example
 * catch (error) {
 *   if (!(error instanceof ThrottledError)) throw error;
 *   res.writeHead(429, rateLimitHeaders(error)).end();
 * }
 */
export function rateLimitHeaders(
  error: ThrottledError,
  options: { ratePerSec?: number | undefined; partitionKey?: boolean } = {},
): Record<string, string> {
  const seconds = Math.min(LONGEST_SEC, Math.max(1, Math.ceil(error.retryAfterMs / 1000) || 1));
  const pk = options.partitionKey === false ? undefined : Buffer.from(error.tenant, "utf8");
  const headers: Record<string, string> = {
    "retry-after": String(seconds),
    ratelimit: serializeList([{ value: error.point, parameters: { r: 0, t: seconds, pk } }]),
  };
  const { ratePerSec } = options;
  if (ratePerSec !== undefined && ratePerSec < Number.POSITIVE_INFINITY) {
    const { quota, windowSec } = quotaOf(ratePerSec);
    headers["ratelimit-policy"] = serializeList([{ value: error.point, parameters: { q: quota, w: windowSec, pk } }]);
  }
  return headers;
}

/**
 * Answers what the library refuses at the edge, and nothing else: a request that was held back with 429 (503 while shutting
 * down) and the headers above, a tenant id that is none (BAD_TENANT, thrown by `extract`) with 400; the body is
 * `{ code, message, retryAfterMs? }`. When the response has begun already it can only be cut off.
 *
 * @returns false when the error is not the library's refusal: answering it is the service's business
 * @example catch (error) { if (!refuse(res, error)) res.writeHead(500).end(); }
 */
export function refuse(
  response: ServerResponse,
  error: unknown,
  options: { ratePerSec?: number | undefined; partitionKey?: boolean } = {},
): boolean {
  const held = error instanceof ThrottledError;
  if (!held && !(error instanceof TenantryError && error.code === "BAD_TENANT")) return false;
  if (response.headersSent) {
    response.destroy(error);
    return true;
  }
  const { code, message } = error;
  const body = JSON.stringify(held ? { code, message, retryAfterMs: error.retryAfterMs } : { code, message });
  response.writeHead(held ? (code === "SHUTTING_DOWN" ? 503 : 429) : 400, {
    ...(held ? rateLimitHeaders(error, options) : undefined),
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
  return true;
}
