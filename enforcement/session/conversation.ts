/**
 * The agent's conversation with the controller: what is said when, and what is told to the log.
 *
 * One ticker. Its phase is drawn by chance, so that a thousand agents' reports are spread over the window; it never drifts, and a tick
 * that comes late is not made up for by two: the report says itself how long a time it covers.
 */
import { TenantryError } from "../../proto/errors.js";
import type { Allocation, Hello, Welcome } from "../../proto/messages.js";
import type { Alarm, Chance, Clock, Transport } from "../../proto/ports.js";
import type { AgentEvent } from "../events.js";
import type { TenantTable } from "../tenant-table.js";
import type { LadderState } from "./ladder.js";
import { Link } from "./link.js";
import type { RateTable } from "./rate-table.js";
import { type Reported, Reporter } from "./reporter.js";

/** Windows a report may go unacknowledged before the session counts as dead. */
const PATIENCE_WINDOWS = 5;
/** The most `close` waits for the last report, µs. */
const FLUSH_US = 1_000_000;

export interface ConversationOptions {
  identity: { service: string; instance: string; boot: string };
  transport: Transport;
  clock: Clock;
  chance: Chance;
  meters: readonly Reported[];
  tenants: TenantTable;
  table: RateTable;
  onEvent(event: AgentEvent): void;
}

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #reporter: Reporter;
  readonly #link: Link;
  #tick: Alarm | undefined;
  #outage = false; // already told
  #flush: (() => void) | undefined;
  #flushing = false;

  constructor(options: ConversationOptions) {
    const { transport, clock, chance, meters, tenants } = options;
    this.#options = options;
    this.#reporter = new Reporter({ meters, tenants, nowUs: () => clock.nowUs() });
    this.#link = new Link({
      transport,
      clock,
      chance,
      longestDelayUs: () => this.#longestDelayUs(),
      hello: () => this.#hello(),
      onWelcome: (welcome) => this.#welcomed(welcome),
      onAcknowledgement: ({ sequence }) => this.#acknowledged(sequence),
      onAllocation: (allocation) => this.#allocated(allocation),
      onDown: (wasConnected, error) => this.#down(wasConnected, error),
    });
  }

  get connected(): boolean {
    return this.#link.connected;
  }

  get attempts(): number {
    return this.#link.attempts;
  }

  get reportsSent(): number {
    return this.#reporter.sent;
  }

  get reportsAcknowledged(): number {
    return this.#reporter.confirmed;
  }

  start(): void {
    this.#link.start();
  }

  /** Sends a last report, waits for its acknowledgement, but not long, and ends. */
  close(done: () => void): void {
    this.#stopTicking();
    const { clock } = this.#options;
    if (!this.#link.connected && !this.#link.connecting) {
      this.#link.close();
      done();
      return;
    }
    const bound = clock.at(clock.nowUs() + FLUSH_US, () => this.#flush?.());
    this.#flush = () => {
      this.#flush = undefined;
      bound.cancel();
      this.#link.close();
      done();
    };
    if (this.#link.connected && !this.#reporter.waits) this.#sendLast();
  }

  /** The ladder took a step. */
  tellStep(state: LadderState, before: LadderState): void {
    const { table, onEvent } = this.#options;
    const many = counted(table.size);
    if (state === "leased" && before !== "open")
      onEvent({ kind: "leased", message: `the controller answers again: ${many} in force` });
    if (state === "decaying") {
      onEvent({
        kind: "decaying",
        message: `no word from the controller, the lease ran out: ${many} moving to the fallback over ten windows`,
      });
    }
    if (state === "fallback") onEvent({ kind: "fallback", message: `${many} at the fallback` });
    if (state === "open")
      onEvent({ kind: "open", message: "the controller stayed away: nothing is limited, local fairness only" });
    if (state === "floor") onEvent({ kind: "floor", message: `the controller stayed away: ${many} at the floor` });
    if (state === "closed") onEvent({ kind: "closed", message: `the controller stayed away: ${many} at zero` });
  }

  #longestDelayUs(): number {
    const { ladder } = this.#options.table;
    return ladder.state === "open" ? Number.POSITIVE_INFINITY : Math.max(ladder.leaseUs, ladder.windowUs);
  }

  #hello(): Hello {
    const { identity, table } = this.#options;
    return { ...identity, acknowledgedSequence: this.#reporter.acknowledged, held: table.held() ?? null };
  }

  #welcomed(welcome: Welcome): void {
    const { table, tenants, chance, clock, onEvent } = this.#options;
    this.#reporter.onWelcome(welcome);
    tenants.setLimit(welcome.maxTenants);
    table.ladder.windowUs = welcome.windowUs;
    if (this.#outage || this.#link.attempts === 1) {
      onEvent({
        kind: "connected",
        message: `connected to a controller (epoch ${welcome.epoch}), reporting every ${welcome.windowUs / 1000} ms`,
      });
    }
    this.#outage = false;
    this.#stopTicking();
    if (this.#flush !== undefined) this.#sendLast();
    else this.#tickAt(clock.nowUs() + 1 + Math.floor(chance.next() * welcome.windowUs));
  }

  #allocated(allocation: Allocation): void {
    this.#options.table.apply(allocation);
  }

  #acknowledged(sequence: number): void {
    if (!this.#reporter.onAcknowledgement(sequence) || this.#flush === undefined) return;
    if (this.#flushing) this.#flush();
    else this.#sendLast();
  }

  #sendLast(): void {
    this.#flushing = true;
    this.#sendReport();
  }

  #sendReport(): void {
    const { epoch, sequence } = this.#options.table;
    this.#link.send(this.#reporter.draw({ epoch, sequence }));
  }

  #tickAt(whenUs: number): void {
    const { clock, table } = this.#options;
    this.#tick = clock.at(whenUs, () => {
      const { windowUs } = table.ladder;
      // On the same phase again; if whole windows were missed, from now.
      this.#tickAt(Math.max(whenUs + windowUs, clock.nowUs() + 1));
      this.#onWindow();
    });
  }

  #onWindow(): void {
    if (!this.#reporter.waits) {
      this.#sendReport();
    } else if (this.#reporter.missed() >= PATIENCE_WINDOWS) {
      this.#link.drop(new TenantryError("UNAVAILABLE", `the controller acknowledged nothing for ${PATIENCE_WINDOWS} windows`));
    }
  }

  #down(wasConnected: boolean, error: TenantryError | undefined): void {
    this.#stopTicking();
    if (!this.#outage) this.#tellOutage(wasConnected, error);
    this.#outage = true;
    this.#flush?.();
  }

  #tellOutage(wasConnected: boolean, error: TenantryError | undefined): void {
    const { table, clock, onEvent } = this.#options;
    const why = error === undefined ? "" : `: ${error.message}`;
    const leftUs = table.ladder.leaseLeftUs(clock.nowUs());
    const since = wasConnected ? "lost the controller" : "no controller can be reached";
    const meanwhile = leftUs > 0 ? "rates hold" : "requests are served with local fairness";
    onEvent({ kind: "disconnected", message: `${since}${why}; ${meanwhile} while it is tried again`, error });
    if (leftUs > 0) onEvent({ kind: "holding", message: `${counted(table.size)} held for another ${Math.ceil(leftUs / 1e6)} s` });
  }

  #stopTicking(): void {
    this.#tick?.cancel();
    this.#tick = undefined;
  }
}

function counted(rates: number): string {
  return rates === 1 ? "1 rate" : `${rates} rates`;
}
