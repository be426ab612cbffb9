/**
 * One agent's stream, as the controller's peer: bytes become checked messages on the way in, and messages bytes on the way out.
 *
 * A bad message ends this stream, with a status that says what was wrong, and nothing else. Bounded on the way in by size
 * (gRPC, before anything is decoded), by rate, and by how long Hello may take; on the way out because, while the agent does not
 * read, only the newest acknowledgement and the newest allocation wait: each replaces the one before.
 */
import { Metadata, type ServerDuplexStream } from "@grpc/grpc-js";
import { TenantryError } from "../../proto/errors.js";
import { decodeAgentMessage, encodeControllerMessage, MAX_MESSAGE_BYTES } from "../../proto/io/codec.js";
import { CODE_METADATA, statusOf } from "../../proto/io/status.js";
import type { Acknowledgement, AgentMessage, Allocation, ControllerMessage, Welcome } from "../../proto/messages.js";
import type { AgentPeer, Clock, PeerSession } from "../../proto/ports.js";
import { type StreamLimits, validateAgentMessage, WIDEST_LIMITS } from "../../proto/validate.js";
import type { Controller } from "../controller.js";

/** Hello must come within this time, ms. */
const HELLO_WITHIN_MS = 10_000;
/** Messages an agent may send at once, and per window afterwards: it needs one a window. */
const MESSAGES_AT_ONCE = 30;
const MESSAGES_PER_WINDOW = 5;

export type SessionCall = ServerDuplexStream<Buffer, Buffer>;

export interface SessionStreamOptions {
  controller: Controller;
  clock: Clock;
  /** The stream ended because of this error of the agent's. */
  onBadMessage(error: TenantryError): void;
  /** A message of this many bytes is over the limit, and was not sent. */
  onOversized(bytes: number): void;
  /** The stream is over; called once. */
  onOver(): void;
}

export class SessionStream implements AgentPeer {
  readonly #call: SessionCall;
  readonly #options: SessionStreamOptions;
  readonly #helloDeadline: NodeJS.Timeout;
  #session: PeerSession | undefined;
  #limits: Readonly<StreamLimits> = WIDEST_LIMITS;
  #allowance = MESSAGES_AT_ONCE;
  #allowedUs: number;
  #blocked = false;
  #over = false;
  #nextAcknowledgement: Acknowledgement | undefined;
  #nextAllocation: Allocation | undefined;

  constructor(call: SessionCall, options: SessionStreamOptions) {
    this.#call = call;
    this.#options = options;
    this.#allowedUs = options.clock.nowUs();
    this.#helloDeadline = setTimeout(() => this.close(late()), HELLO_WITHIN_MS);
    this.#helloDeadline.unref();
    call.on("data", (bytes: Buffer) => this.#receive(bytes));
    call.on("drain", () => this.#drained());
    call.on("end", () => this.#end(undefined));
    call.on("cancelled", () => this.#end(undefined));
    call.on("close", () => this.#end(undefined));
    // What fails below us (a reset, a message over the size limit) ends the stream; gRPC has answered already.
    call.on("error", () => this.#end(undefined));
  }

  sendWelcome(welcome: Welcome): void {
    this.#limits = welcome;
    this.#write({ welcome });
  }

  sendAcknowledgement(acknowledgement: Acknowledgement): void {
    if (this.#blocked) this.#nextAcknowledgement = acknowledgement;
    else this.#write({ acknowledgement });
  }

  sendAllocation(allocation: Allocation): void {
    if (this.#blocked) this.#nextAllocation = allocation;
    else this.#write({ allocation });
  }

  close(error: TenantryError): void {
    this.#end(error);
  }

  #receive(bytes: Buffer): void {
    if (this.#over) return;
    let message: AgentMessage;
    try {
      this.#allow();
      message = decodeAgentMessage(bytes);
      validateAgentMessage(message, this.#limits);
      if ((this.#session === undefined) !== (message.hello !== undefined)) {
        throw new TenantryError(
          "BAD_MESSAGE",
          this.#session === undefined ? "the first message is no hello" : "hello was said before",
        );
      }
    } catch (error) {
      const fault = error instanceof TenantryError ? error : new TenantryError("BAD_MESSAGE", String(error));
      this.#options.onBadMessage(fault);
      this.#end(fault);
      return;
    }
    if (message.report) this.#session?.onReport(message.report);
    else if (message.hello) {
      clearTimeout(this.#helloDeadline);
      const session = this.#options.controller.accept(message.hello, this);
      if (session instanceof TenantryError) this.#end(session);
      else if (this.#over) session.onClosed();
      else this.#session = session;
    }
  }

  /** @throws TenantryError TOO_MANY when messages come faster than any agent has reason to send them. */
  #allow(): void {
    const nowUs = this.#options.clock.nowUs();
    const earned = ((nowUs - this.#allowedUs) / this.#options.controller.config.windowUs) * MESSAGES_PER_WINDOW;
    this.#allowance = Math.min(this.#allowance + earned, MESSAGES_AT_ONCE) - 1;
    this.#allowedUs = nowUs;
    if (this.#allowance < 0) {
      throw new TenantryError("TOO_MANY", `more than ${MESSAGES_PER_WINDOW} messages a window; expected one report a window`);
    }
  }

  #write(message: ControllerMessage): void {
    if (this.#over) return;
    const bytes = encodeControllerMessage(message);
    if (bytes.length > MAX_MESSAGE_BYTES) {
      this.#options.onOversized(bytes.length);
      return;
    }
    this.#blocked = !this.#call.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #drained(): void {
    this.#blocked = false;
    const acknowledgement = this.#nextAcknowledgement;
    const allocation = this.#nextAllocation;
    this.#nextAcknowledgement = undefined;
    this.#nextAllocation = undefined;
    if (acknowledgement) this.#write({ acknowledgement });
    if (allocation) this.#write({ allocation });
  }

  #end(error: TenantryError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#helloDeadline);
    if (error === undefined) this.#call.end();
    else this.#call.emit("error", { code: statusOf(error), details: error.message, metadata: metadataOf(error) });
    this.#session?.onClosed();
    this.#options.onOver();
  }
}

/** The trailing metadata that carries an error's code. */
export function metadataOf(error: TenantryError): Metadata {
  const metadata = new Metadata();
  metadata.set(CODE_METADATA, error.code);
  return metadata;
}

function late(): TenantryError {
  return new TenantryError("BAD_MESSAGE", `no hello within ${HELLO_WITHIN_MS} ms of opening the stream`);
}
