/** A session spoken in bytes: what no agent of ours would send can be sent. */
import { Client, type ClientDuplexStream, credentials, type StatusObject } from "@grpc/grpc-js";
import { decodeControllerMessage, encodeAgentMessage, SESSION_PATH } from "../../proto/io/codec.js";
import type { AgentMessage, ControllerMessage, Hello } from "../../proto/messages.js";

const same = (bytes: Buffer) => bytes;

export interface Ending {
  /** gRPC's status number. */
  status: number;
  details: string;
  /** Our code beside it. */
  code: unknown;
}

/** One connection; many sessions. */
export function connectTo(port: number): Client {
  return new Client(`127.0.0.1:${port}`, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
}

export class RawSession {
  readonly received: ControllerMessage[] = [];
  /** Resolves once the stream is over. */
  readonly over: Promise<Ending>;
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  #awaited: (() => void)[] = [];

  constructor(client: Client) {
    this.#stream = client.makeBidiStreamRequest(SESSION_PATH, same, same);
    this.#stream.on("data", (bytes: Buffer) => {
      this.received.push(decodeControllerMessage(bytes));
      this.#tell();
    });
    this.#stream.on("error", () => {});
    this.over = new Promise((resolve) => {
      this.#stream.on("status", ({ code: status, details, metadata }: StatusObject) => {
        resolve({ status, details, code: metadata.get("tenantry-code")[0] });
        this.#tell();
      });
    });
  }

  sendBytes(bytes: Uint8Array): void {
    this.#stream.write(Buffer.from(bytes));
  }

  send(message: AgentMessage): void {
    this.sendBytes(encodeAgentMessage(message));
  }

  end(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.cancel();
  }

  /** Resolves with the first message `wanted` finds; fails when the stream ends before. */
  async receive<T>(wanted: (message: ControllerMessage) => T | null | undefined): Promise<T> {
    let ended: Ending | undefined;
    void this.over.then((ending) => {
      ended = ending;
    });
    for (let seen = 0; ; ) {
      for (; seen < this.received.length; seen++) {
        const found = wanted(this.received[seen]);
        if (found !== undefined && found !== null) return found;
      }
      if (ended !== undefined) throw new Error(`the stream ended: ${JSON.stringify(ended)}`);
      await new Promise<void>((resolve) => this.#awaited.push(resolve));
    }
  }

  #tell(): void {
    for (const resolve of this.#awaited.splice(0)) setImmediate(resolve);
  }
}

export function helloOf(instance: string): Hello {
  return { service: "storage", instance, boot: "b1", acknowledgedSequence: 0 };
}
