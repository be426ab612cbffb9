/** What a refused request is told: why, and when trying again makes sense. */
import { type RefusalCode, ThrottledError } from "../../proto/errors.js";

/** Without a rate to reckon by, when to try again, µs; and the most anyone is told to wait. */
const RETRY_US = 1_000_000;
const MAX_RETRY_US = 60_000_000;

/** How many requests were refused, by cause. */
export type Refusals = Record<RefusalCode, number>;

export function noRefusals(): Refusals {
  return { QUEUE_FULL: 0, DEADLINE: 0, RATE_ZERO: 0, SHUTTING_DOWN: 0 };
}

/** @param about.waitUs how long the throttle would hold it; 0: not at all, Infinity: for ever */
export function refusal(
  code: RefusalCode,
  about: { tenant: string; point: string; waitUs: number; because: string | undefined },
): ThrottledError {
  const { tenant, point, waitUs, because } = about;
  const retryUs = waitUs > 0 && waitUs < Number.POSITIVE_INFINITY ? Math.min(waitUs, MAX_RETRY_US) : RETRY_US;
  return new ThrottledError(code, { tenant, point, retryAfterMs: Math.ceil(retryUs / 1000), because });
}
