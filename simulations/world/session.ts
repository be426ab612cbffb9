/**
 * One session through the virtual network: two ordered lanes and two ends, each of which learns of the end of the session once.
 */
import { TenantryError } from "../../proto/errors.js";
import type { Acknowledgement, Allocation, ControllerMessage, Hello, Report, Welcome } from "../../proto/messages.js";
import type { AgentPeer, AgentSession, Alarm, PeerSession, SessionHandlers } from "../../proto/ports.js";
import { validateControllerMessage, validateReport } from "../../proto/validate.js";
import type { Life } from "./clock.js";
import { copied } from "./copy.js";
import type { VirtualNetwork } from "./network.js";

interface SessionOptions {
  name: string;
  /** The agent's. */
  life: Life;
  handlers: SessionHandlers;
  delayUs: () => number;
  onOver: () => void;
}

/** One direction: in order, each message after its delay; held back while partitioned; silent once cut. */
class Lane {
  readonly #network: VirtualNetwork;
  readonly #delayUs: () => number;
  readonly #life: () => Life | undefined;
  #lastUs = 0;
  #held: (() => void)[] | undefined;
  #cut = false;

  constructor(network: VirtualNetwork, delayUs: () => number, life: () => Life | undefined) {
    this.#network = network;
    this.#delayUs = delayUs;
    this.#life = life;
  }

  send(deliver: () => void): void {
    if (this.#cut) {
      this.#network.lost++;
    } else if (this.#held !== undefined) {
      this.#held.push(deliver);
    } else {
      const clock = this.#network.clock;
      this.#lastUs = Math.max(this.#lastUs, clock.nowUs() + this.#delayUs());
      clock.at(
        this.#lastUs,
        () => {
          if (this.#cut) {
            this.#network.lost++;
            return;
          }
          this.#network.delivered++;
          deliver();
        },
        this.#life(),
      );
    }
  }

  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const deliver of held) this.send(deliver);
  }

  cut(): void {
    this.#network.lost += this.#held?.length ?? 0;
    this.#held = undefined;
    this.#cut = true;
  }
}

export class Session {
  readonly #network: VirtualNetwork;
  readonly #handlers: SessionHandlers;
  readonly #name: string;
  readonly #life: Life;
  readonly #onOver: () => void;
  readonly #delayUs: () => number;
  readonly #up: Lane;
  readonly #down: Lane;
  #server: PeerSession | undefined;
  #serverLife: Life | undefined;
  #keepAlive: Alarm | undefined;
  /** The agent's end has said it is done, or was told that all is over. */
  #agentClosing = false;
  #agentTold = false;
  #serverTold = false;
  readonly agentEnd: AgentSession;

  constructor(network: VirtualNetwork, options: SessionOptions) {
    this.#network = network;
    this.#handlers = options.handlers;
    this.#name = options.name;
    this.#life = options.life;
    this.#onOver = options.onOver;
    this.#delayUs = options.delayUs;
    this.#serverLife = network.serverLife;
    this.#up = new Lane(network, options.delayUs, () => this.#serverLife);
    this.#down = new Lane(network, options.delayUs, () => options.life);
    this.agentEnd = { send: (report) => this.#sendReport(report), close: () => this.#closeAgent() };
  }

  begin(hello: Hello): void {
    const message = copied(hello);
    // Nobody's life: a knock at a dead door must still be answered.
    this.#serverLife = undefined;
    this.#up.send(() => this.#arrive(message));
  }

  hold(): void {
    this.#up.hold();
    this.#down.hold();
    const clock = this.#network.clock;
    this.#keepAlive = clock.at(clock.nowUs() + this.#network.keepAliveUs, () => this.cut());
  }

  release(): void {
    this.#keepAlive?.cancel();
    this.#up.release();
    this.#down.release();
  }

  /** Loses what is under way and tells both ends, each in its own time. */
  cut(): void {
    this.#keepAlive?.cancel();
    this.#up.cut();
    this.#down.cut();
    const clock = this.#network.clock;
    const error = new TenantryError("UNAVAILABLE", "the connection was lost");
    clock.at(clock.nowUs() + this.#delayUs(), () => this.#tellAgent(error), this.#life);
    clock.at(clock.nowUs() + this.#delayUs(), () => this.#tellServer(), this.#serverLife);
  }

  /** One side's process is gone: the other hears of it after what was sent before. */
  reset(side: "agent" | "server"): void {
    if (side === "server") {
      this.#up.cut();
      this.#serverTold = true;
      this.#down.send(() => this.#tellAgent(new TenantryError("UNAVAILABLE", "connection reset: the controller is gone")));
    } else {
      this.#down.cut();
      this.#agentTold = true;
      this.#up.send(() => this.#tellServer());
    }
  }

  #arrive(hello: Hello): void {
    this.#trace(1, hello.acknowledgedSequence);
    const answer = this.#network.arrived(hello, this.#peer());
    if (answer instanceof TenantryError) {
      this.#serverTold = true;
      this.#down.send(() => this.#tellAgent(answer));
    } else {
      this.#server = answer;
      this.#serverLife = this.#network.serverLife;
    }
  }

  #peer(): AgentPeer {
    return {
      sendWelcome: (welcome: Welcome) => this.#sendDown(2, { welcome: copied(welcome) }),
      sendAcknowledgement: (acknowledgement: Acknowledgement) => this.#sendDown(3, { acknowledgement: copied(acknowledgement) }),
      sendAllocation: (allocation: Allocation) => this.#sendDown(4, { allocation: copied(allocation) }),
      close: (error: TenantryError) => {
        this.#down.send(() => this.#tellAgent(error));
        this.#up.cut();
        const clock = this.#network.clock;
        clock.at(clock.nowUs(), () => this.#tellServer(), this.#serverLife);
      },
    };
  }

  #sendDown(kind: number, message: ControllerMessage): void {
    this.#down.send(() => {
      if (this.#agentTold || this.#agentClosing) return;
      try {
        validateControllerMessage(message);
      } catch (error) {
        this.#network.bad++;
        this.cut();
        this.#tellAgent(error as TenantryError);
        return;
      }
      this.#network.onDelivered?.(this.#name, message);
      const { welcome, acknowledgement, allocation } = message;
      if (welcome) {
        this.#trace(kind, welcome.epoch, welcome.appliedSequence);
        this.#handlers.onWelcome(welcome);
      } else if (acknowledgement) {
        this.#trace(kind, acknowledgement.sequence);
        this.#handlers.onAcknowledgement(acknowledgement);
      } else if (allocation) {
        this.#trace(kind, allocation.epoch, allocation.sequence, ...allocation.ratePerSec);
        this.#handlers.onAllocation(allocation);
      }
    });
  }

  #sendReport(report: Report): void {
    if (this.#agentClosing || this.#agentTold) return;
    const message = copied(report);
    this.#up.send(() => {
      if (this.#server === undefined || this.#serverTold) return;
      this.#trace(5, message.sequence, message.baseSequence, message.rows.length);
      try {
        validateReport(message);
      } catch (error) {
        this.#network.bad++;
        this.#peer().close(error as TenantryError);
        return;
      }
      this.#server.onReport(message);
    });
  }

  #closeAgent(): void {
    if (this.#agentClosing || this.#agentTold) return;
    this.#agentClosing = true;
    this.#up.send(() => this.#tellServer());
    const clock = this.#network.clock;
    clock.at(clock.nowUs(), () => this.#tellAgent(undefined), this.#life);
  }

  #tellAgent(error: TenantryError | undefined): void {
    if (this.#agentTold) return;
    this.#agentTold = true;
    this.#over();
    this.#handlers.onClosed(error);
  }

  #tellServer(): void {
    if (this.#serverTold) return;
    this.#serverTold = true;
    this.#over();
    this.#server?.onClosed();
  }

  #over(): void {
    if (this.#agentTold && this.#serverTold) {
      this.#keepAlive?.cancel();
      this.#onOver();
    }
  }

  #trace(kind: number, ...numbers: number[]): void {
    const trace = this.#network.trace;
    trace.word(kind);
    trace.text(this.#name);
    for (const number of numbers) trace.number(number);
  }
}
