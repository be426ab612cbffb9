/**
 * One family of errors. Every error says what was wrong, where, what was expected and what to do, and carries a `code`
 * that stays the same from version to version: match on `code`, show `message`.
 */
export type ErrorCode =
  | "BAD_TENANT" // a tenant id is empty, too long, or has characters that cannot be shown
  | "BAD_NAME" // a service, resource or point name is not a name
  | "BAD_ARGUMENT" // an argument is of the wrong type or out of range
  | "BAD_MESSAGE" // a message from the other side breaks the contract
  | "BAD_SEQUENCE" // a message is sound but does not follow what was applied before
  | "BAD_CONFIG" // a configuration has mistakes; the message lists them all
  | "BAD_POLICY" // a policy is not a policy, or decided nonsense
  | "POLICY_STOPPED" // a policy took too long, or ended its thread, and was stopped
  | "BAD_JOB" // a scheduler was given a job it cannot take in its present state
  | "BAD_TRACE" // a recorded trace has a mistake; the message names file and line
  | "STORE_CORRUPT" // the state file cannot be read; the previous version is used when there is one
  | "STORE_UNAVAILABLE" // the state store cannot be reached or written
  | "STORE_IN_USE" // another controller uses the same state
  | "NOT_ALLOWED" // the caller is known, and may not do this
  | "UNAVAILABLE" // the other side cannot be reached
  | "ADDRESS_IN_USE" // a port is taken
  | "TOO_MANY" // a bound on streams, tenants or meters was reached
  | "UNKNOWN" // a named thing does not exist
  | "CLOSED" // used after close()
  | RefusalCode;

/** Why a request was refused at a control point. */
export type RefusalCode =
  | "QUEUE_FULL" // too many requests of this tenant wait already
  | "DEADLINE" // it would not, or did not, start before its deadline
  | "RATE_ZERO" // the rate in force for this tenant is zero
  | "SHUTTING_DOWN"; // the agent was closed

/** Every error of this library: a `code` for programs, and a message that says what was wrong, where, what was expected, what to do. */
export class TenantryError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "TenantryError";
    this.code = code;
  }
}

/**
 * A control point refused a request. Answer it at the edge as HTTP 429 or gRPC RESOURCE_EXHAUSTED with `retryAfterMs`;
 * it is never a bug of the service.
 *
 * @example
 * try { await point.run(() => work()) } catch (error) {
 *   if (error instanceof ThrottledError) res.writeHead(429, { "retry-after": Math.ceil(error.retryAfterMs / 1000) }).end();
 *   else throw error;
 * }
 */
export class ThrottledError extends TenantryError {
  declare readonly code: RefusalCode;
  /** Who was refused. */
  readonly tenant: string;
  /** The control point, as the service named it. */
  readonly point: string;
  /** Milliseconds after which trying again makes sense; at least 1. */
  readonly retryAfterMs: number;
  /** "policy|resource" that set the rate in force, as the last allocation gave it; undefined when no rate was in force. */
  readonly because: string | undefined;

  constructor(code: RefusalCode, about: { tenant: string; point: string; retryAfterMs: number; because?: string | undefined }) {
    super(code, `${REFUSALS[code]} (tenant "${about.tenant}", point "${about.point}"); try again in ${about.retryAfterMs} ms`);
    this.name = "ThrottledError";
    this.tenant = about.tenant;
    this.point = about.point;
    this.retryAfterMs = about.retryAfterMs;
    this.because = about.because;
  }
}

const REFUSALS: Record<RefusalCode, string> = {
  QUEUE_FULL: "refused: too many requests of this tenant are waiting",
  DEADLINE: "refused: the request could not start before its deadline",
  RATE_ZERO: "refused: the rate in force for this tenant is zero",
  SHUTTING_DOWN: "refused: the service is shutting down",
};
