/**
 * The three things the inner rings may ask of the world. Whoever constructs an agent or a controller passes them in:
 * `io/` passes the real ones, a simulation passes virtual ones, and the code between cannot tell the difference.
 */
import type { TenantryError } from "./errors.js";
import type { Acknowledgement, Allocation, Hello, Report, Welcome } from "./messages.js";

/** Monotonic time in whole microseconds, and the right to be called later. Never the time of day. */
export interface Clock {
  /** Whole µs since some fixed moment; never goes back. */
  nowUs(): number;
  /** Calls `act` once, at `whenUs` or soon after (never before, never synchronously). */
  at(whenUs: number, act: () => void): Alarm;
}

/** A pending call of `Clock.at`. */
export interface Alarm {
  /** Forgets the call. Harmless when it has happened or was cancelled before. */
  cancel(): void;
}

/** Chance, uniform in [0, 1). One stream per component, so that adding a component reshuffles no other. */
export interface Chance {
  next(): number;
}

/** How an agent reaches a controller. One attempt per call: trying again, with back-off, is the agent's conduct. */
export interface Transport {
  /**
   * Starts one session. Returns at once and never throws; whatever happens arrives through `handlers`,
   * never synchronously. `onClosed` is called exactly once, and nothing after it.
   */
  open(hello: Hello, handlers: SessionHandlers): AgentSession;
}

export interface SessionHandlers {
  onWelcome(welcome: Welcome): void;
  onAcknowledgement(acknowledgement: Acknowledgement): void;
  onAllocation(allocation: Allocation): void;
  /** The session is over; `error` says why, absent when `close` was called here. */
  onClosed(error?: TenantryError): void;
}

/** The agent's end of an open session. */
export interface AgentSession {
  send(report: Report): void;
  /** Ends the session after what was sent; harmless when repeated. */
  close(): void;
}

/** The controller's end: what a server (or a simulated network) gives the controller for each agent that says Hello. */
export interface AgentPeer {
  sendWelcome(welcome: Welcome): void;
  sendAcknowledgement(acknowledgement: Acknowledgement): void;
  sendAllocation(allocation: Allocation): void;
  /** Ends the session with a coded error the agent will see. */
  close(error: TenantryError): void;
}

/** What the controller hands back: where this agent's messages go. */
export interface PeerSession {
  onReport(report: Report): void;
  onClosed(): void;
}
