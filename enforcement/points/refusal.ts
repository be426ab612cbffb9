/** What a refused request is told: why, and when trying again makes sense. */
import { type RefusalCode, ThrottledError } from "../../proto/errors.js";
import type { TenantTable } from "../tenant-table.js";
import type { PointAccount } from "./point-account.js";
import type { Request } from "./request.js";
import type { Throttle } from "./throttle.js";

/** Without a rate to reckon by, when to try again, µs; and the most anyone is told to wait. */
const RETRY_US = 1_000_000;
const MAX_RETRY_US = 60_000_000;

/** How many requests were refused, by cause. */
export type Refusals = Record<RefusalCode, number>;

export class Refuser {
  readonly counts: Refusals = { QUEUE_FULL: 0, DEADLINE: 0, RATE_ZERO: 0, SHUTTING_DOWN: 0 };
  readonly #point: string;
  readonly #tenants: TenantTable;
  readonly #throttle: Throttle;
  readonly #account: PointAccount;

  constructor(point: string, parts: { tenants: TenantTable; throttle: Throttle; account: PointAccount }) {
    this.#point = point;
    this.#tenants = parts.tenants;
    this.#throttle = parts.throttle;
    this.#account = parts.account;
  }

  /** Ends a request that waits nowhere any more. */
  refuse(request: Request, code: RefusalCode, nowUs: number): void {
    const { tenant, cost } = request;
    request.phase = "ended";
    this.counts[code] += 1;
    this.#account.refused(request, nowUs);
    const error = new ThrottledError(code, {
      tenant: this.#tenants.nameOf(tenant),
      point: this.#point,
      retryAfterMs: Math.ceil(retryUs(this.#throttle.waitUs(tenant, cost, nowUs)) / 1000),
      because: this.#throttle.because(tenant),
    });
    request.handlers.onRefused(error, request);
  }
}

/** @param waitUs how long the throttle would hold it; 0: not at all, Infinity: for ever */
function retryUs(waitUs: number): number {
  return waitUs > 0 && waitUs < Number.POSITIVE_INFINITY ? Math.min(waitUs, MAX_RETRY_US) : RETRY_US;
}
