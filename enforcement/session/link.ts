/**
 * Keeps one session with a controller, for as long as the agent lives: opens it, and opens another when it ends.
 *
 * Between attempts it waits with full jitter, delay = chance · min(10 s, 100 ms · 2ⁿ): a thousand agents that lost one
 * controller together do not come back together. n starts over only when a session has given a first allocation; a controller that
 * welcomes and dies, over and over, is not met with a storm. While there are rates in hand the most is a lease: a controller that
 * takes over learns what is held from those who hold it, and waits for them about as long.
 *
 * A session that says nothing is over: no welcome in 5 s, and (the reporter sees to that) no acknowledgement in five windows.
 */
import { TenantryError } from "../../proto/errors.js";
import type { Acknowledgement, Allocation, Hello, Report, Welcome } from "../../proto/messages.js";
import type { AgentSession, Alarm, Chance, Clock, Transport } from "../../proto/ports.js";
import { validateAcknowledgement, validateAllocation, validateWelcome } from "../../proto/validate.js";

const FIRST_DELAY_US = 100_000;
const LONGEST_DELAY_US = 10_000_000;
const WELCOME_WITHIN_US = 5_000_000;

export interface LinkOptions {
  transport: Transport;
  clock: Clock;
  chance: Chance;
  /** The most to wait between attempts, µs; 10 s if it is more. */
  longestDelayUs(): number;
  /** What to say when a session begins. */
  hello(): Hello;
  onWelcome(welcome: Welcome): void;
  onAcknowledgement(acknowledgement: Acknowledgement): void;
  onAllocation(allocation: Allocation): void;
  /** A session, or an attempt at one, ended; another will be tried. `wasConnected`: it had been welcomed. */
  onDown(wasConnected: boolean, error: TenantryError | undefined): void;
}

export class Link {
  /** Is there a session that was welcomed? */
  connected = false;
  attempts = 0;
  readonly #options: LinkOptions;
  #session: AgentSession | undefined;
  #alarm: Alarm | undefined;
  #failures = 0;
  #generation = 0;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Opens the first session; harmless when repeated. */
  start(): void {
    if (this.#closed || this.#session !== undefined || this.#alarm !== undefined) return;
    this.#open();
  }

  /** Is there a session that has not been answered yet? */
  get connecting(): boolean {
    return this.#session !== undefined && !this.connected;
  }

  /** Sends on the open session. @returns false when there is none */
  send(report: Report): boolean {
    if (!this.connected || this.#session === undefined) return false;
    this.#session.send(report);
    return true;
  }

  /** Ends the session for this reason, and tries another. */
  drop(error: TenantryError): void {
    if (this.#session === undefined) return;
    const session = this.#session;
    this.#ended(error);
    session.close();
  }

  /** Ends for good. */
  close(): void {
    this.#closed = true;
    this.#generation += 1;
    this.#cancelAlarm();
    this.connected = false;
    const session = this.#session;
    this.#session = undefined;
    session?.close();
  }

  #open(): void {
    this.attempts += 1;
    this.#generation += 1;
    const generation = this.#generation;
    const current = () => generation === this.#generation;
    const { clock, transport, hello } = this.#options;
    this.#alarm = clock.at(clock.nowUs() + WELCOME_WITHIN_US, () => {
      this.#alarm = undefined;
      this.drop(new TenantryError("UNAVAILABLE", `the controller did not answer within ${WELCOME_WITHIN_US / 1e6} s`));
    });
    this.#session = transport.open(hello(), {
      onWelcome: (welcome) => current() && this.#checked(() => this.#welcomed(welcome)),
      onAcknowledgement: (acknowledgement) =>
        current() &&
        this.#checked(() => {
          validateAcknowledgement(acknowledgement);
          this.#options.onAcknowledgement(acknowledgement);
        }),
      onAllocation: (allocation) => current() && this.#checked(() => this.#allocated(allocation)),
      onClosed: (error) => current() && this.#ended(error),
    });
  }

  #welcomed(welcome: Welcome): void {
    validateWelcome(welcome);
    this.#cancelAlarm();
    this.connected = true;
    this.#options.onWelcome(welcome);
  }

  #allocated(allocation: Allocation): void {
    validateAllocation(allocation);
    this.#failures = 0;
    this.#options.onAllocation(allocation);
  }

  /** A message that breaks the contract costs its session, and nothing else. */
  #checked(take: () => void): void {
    try {
      take();
    } catch (error) {
      if (!(error instanceof TenantryError) || error.code !== "BAD_MESSAGE") throw error;
      this.drop(error);
    }
  }

  #ended(error: TenantryError | undefined): void {
    this.#generation += 1;
    this.#session = undefined;
    this.#cancelAlarm();
    const wasConnected = this.connected;
    this.connected = false;
    if (this.#closed) return;
    const { clock, chance, longestDelayUs } = this.#options;
    const mostUs = Math.min(LONGEST_DELAY_US, longestDelayUs(), FIRST_DELAY_US * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    this.#alarm = clock.at(clock.nowUs() + 1 + Math.floor(chance.next() * mostUs), () => {
      this.#alarm = undefined;
      this.#open();
    });
    this.#options.onDown(wasConnected, error);
  }

  #cancelAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }
}
