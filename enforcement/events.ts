/** What an agent tells its surroundings, each step once; `io/` writes it to a log. */
export type AgentEventKind =
  | "connected" // a controller answered
  | "disconnected" // none can be reached; said once per outage
  | "holding" // rates hold until their lease runs out
  | "decaying" // the lease ran out: rates move to their fallbacks
  | "fallback" // rates are at their fallbacks
  | "open" // the controller stayed away: nothing is limited any more
  | "floor" // the controller stayed away: each tenant that was limited has the configured floor
  | "closed" // the controller stayed away: tenants that were limited are refused
  | "leased" // rates are under a valid lease again
  | "bounded"; // a bound on tenants or meters was reached

/** Something an agent tells its operator: what happened, and a plain sentence for the log. */
export interface AgentEvent {
  readonly kind: AgentEventKind;
  /** In plain words, for a log. */
  readonly message: string;
  readonly error?: Error | undefined;
}
