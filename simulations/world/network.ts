/**
 * The network between agents and the controller: ordered sessions, as TCP gives them, and the ways those go wrong.
 *
 * Within a session messages arrive in order and none is lost, each after a latency with jitter. A session is lost as a whole, and
 * with it the tail of what was sent: that is how TCP loses. A partition holds messages back and delivers them, late and in
 * order, when it heals in time; otherwise keep-alive ends the session at both ends and they never arrive. What is
 * delivered is a copy, checked against the bounds of the wire as a real server and a real client check it.
 */
import { TenantryError } from "../../proto/errors.js";
import type { ControllerMessage, Hello } from "../../proto/messages.js";
import type { AgentPeer, AgentSession, Chance, PeerSession, SessionHandlers, Transport } from "../../proto/ports.js";
import { validateHello } from "../../proto/validate.js";
import { uniformUs } from "./chance.js";
import type { Life, VirtualClock } from "./clock.js";
import { Session } from "./session.js";
import type { Trace } from "./trace.js";

/** How late and how reliably messages arrive. */
export interface NetworkOptions {
  /** One way, µs; default 200, a data centre. */
  latencyUs?: number;
  /** Added to it, uniform from 0 to this, µs; default 100. */
  jitterUs?: number;
  /** How long a partition is borne before a session counts as lost, µs; default 20 s, as gRPC's keep-alive. */
  keepAliveUs?: number;
}

/** Whoever takes sessions: `controller.accept`. */
export type Accept = (hello: Hello, peer: AgentPeer) => PeerSession | TenantryError;

/** Carries the messages of agents and controllers, as late and as badly as it is told to. */
export class VirtualNetwork {
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly keepAliveUs: number;
  readonly #latencyUs: number;
  readonly #jitterUs: number;
  readonly #chanceOf: (name: string) => Chance;
  readonly #sessions = new Map<string, Set<Session>>();
  readonly #partitioned = new Set<string>();
  readonly #extraUs = new Map<string, number>();
  #server: { accept: Accept; life: Life } | undefined;
  /** Sees every message as it reaches an agent, just before the agent does; for what watches over invariants. */
  onDelivered: ((name: string, message: ControllerMessage) => void) | undefined;
  /** Messages that arrived, that were lost, and that broke the contract. */
  delivered = 0;
  lost = 0;
  bad = 0;

  constructor(clock: VirtualClock, trace: Trace, chanceOf: (name: string) => Chance, options: NetworkOptions = {}) {
    this.clock = clock;
    this.trace = trace;
    this.#chanceOf = chanceOf;
    this.#latencyUs = options.latencyUs ?? 200;
    this.#jitterUs = options.jitterUs ?? 100;
    this.keepAliveUs = options.keepAliveUs ?? 20_000_000;
  }

  /** From now `accept` takes sessions, as long as `life` lasts. */
  serve(accept: Accept, life: Life): void {
    this.#server = { accept, life };
  }

  /** What the operating system does when the server's process has died: every session is reset. */
  serverDied(): void {
    this.#server = undefined;
    for (const session of this.#all()) session.reset("server");
  }

  /** The way to the server for the process named `name`; its sessions end with its `life`. */
  transport(name: string, life: Life): Transport {
    const chance = this.#chanceOf(`network/${name}`);
    const sessions = new Set<Session>();
    this.#sessions.set(name, sessions);
    return {
      open: (hello: Hello, handlers: SessionHandlers): AgentSession => {
        const delayUs = () => this.#latencyUs + uniformUs(chance, 0, this.#jitterUs) + (this.#extraUs.get(name) ?? 0);
        const session = new Session(this, { name, life, handlers, delayUs, onOver: () => sessions.delete(session) });
        sessions.add(session);
        if (this.#partitioned.has(name)) session.hold();
        session.begin(hello);
        return session.agentEnd;
      },
    };
  }

  /** What the operating system does when the agent's process has died. */
  agentDied(name: string): void {
    for (const session of this.#of(name)) session.reset("agent");
  }

  /** From now nothing passes between this agent and the server; what is sent is held back. */
  partition(name: string): void {
    if (this.#partitioned.has(name)) return;
    this.#partitioned.add(name);
    for (const session of this.#of(name)) session.hold();
  }

  /** Ends a partition: what was held back arrives, in order. */
  heal(name: string): void {
    if (!this.#partitioned.delete(name)) return;
    for (const session of this.#of(name)) session.release();
  }

  /** Resets this agent's session: what is under way in either direction is lost. */
  cut(name: string): void {
    for (const session of this.#of(name)) session.cut();
  }

  /** Makes every message of this agent's sessions this much slower, both ways, µs; 0 ends it. */
  slow(name: string, extraUs: number): void {
    this.#extraUs.set(name, extraUs);
  }

  /** For sessions: the hello has arrived. */
  arrived(hello: Hello, peer: AgentPeer): PeerSession | TenantryError {
    if (this.#server === undefined || !this.#server.life.alive) {
      return new TenantryError("UNAVAILABLE", "connection refused: nothing listens there");
    }
    try {
      validateHello(hello);
    } catch (error) {
      this.bad++;
      return error as TenantryError;
    }
    return this.#server.accept(hello, peer);
  }

  /** For sessions: whose death ends what is delivered to the server. */
  get serverLife(): Life | undefined {
    return this.#server?.life;
  }

  #of(name: string): Session[] {
    return [...(this.#sessions.get(name) ?? [])];
  }

  #all(): Session[] {
    return [...this.#sessions.values()].flatMap((sessions) => [...sessions]);
  }
}
