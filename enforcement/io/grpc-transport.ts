/**
 * The agent's way to a controller over gRPC: one bidirectional stream per session.
 *
 * - The gRPC library and the codec are loaded only once a plain connection has shown that somebody listens, so a service starts
 *   in milliseconds, and one without a controller never pays for them.
 * - Nothing here keeps a process alive, sockets included; only `close` holds it, for a bounded moment, so that what was sent
 *   arrives.
 * - What comes in is checked before the agent sees it; a message that breaks the contract ends the session with BAD_MESSAGE.
 * - What goes out waits while the stream is full. An agent has at most one report unacknowledged, so a queue that grows all the
 *   same means that the other side does not read, and ends the session.
 */
import { connect, type Socket } from "node:net";
import type { ChannelCredentials, Client, ClientDuplexStream, connectivityState, Metadata, StatusObject } from "@grpc/grpc-js";
import { TenantryError } from "../../proto/errors.js";
import type { ControllerMessage, Hello, Report } from "../../proto/messages.js";
import { shown } from "../../proto/names.js";
import type { AgentSession, SessionHandlers, Transport } from "../../proto/ports.js";

/** How long a connection, and then the first answer, may take, ms. */
const ANSWER_WITHIN_MS = 5_000;
/** How long `close` waits for what was sent, ms. */
const CLOSE_WITHIN_MS = 2_000;
/** Messages that may wait for the stream. */
const MOST_WAITING = 8;

export interface GrpcTransportOptions {
  /** `host:port` of the controller; IPv6 as `[::1]:7411`. */
  controller: string;
  /** For a controller that asks for TLS: PEM texts. `ca` absent: the system's; `cert` and `key` when it asks who calls. */
  tls?: { ca?: string | Buffer; cert?: string | Buffer; key?: string | Buffer };
}

/**
 * A transport to the controller at `options.controller`.
 *
 * @throws TenantryError BAD_ARGUMENT when the address is none.
 * @example new Agent({ …, transport: grpcTransport({ controller: "127.0.0.1:7411" }) });
 */
export function grpcTransport(options: GrpcTransportOptions): Transport {
  const address = parseAddress(options.controller);
  return { open: (hello, handlers) => new GrpcSession(address, options.tls, hello, handlers) };
}

interface Address {
  host: string;
  port: number;
  /** As given. */
  text: string;
}

function parseAddress(text: string): Address {
  const match = typeof text === "string" ? /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) : null;
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new TenantryError(
      "BAD_ARGUMENT",
      `controller address ${shown(text)} is none; expected host:port, as in "127.0.0.1:7411"`,
    );
  }
  return { host: match[1] ?? match[2], port, text };
}

type Stream = ClientDuplexStream<Buffer, Buffer>;
type Codec = typeof import("../../proto/io/codec.js");
type Checks = typeof import("../../proto/validate.js");
type Statuses = typeof import("../../proto/io/status.js");

class GrpcSession implements AgentSession {
  readonly #address: Address;
  readonly #handlers: SessionHandlers;
  #codec: Codec | undefined;
  #stream: Stream | undefined;
  /** Ends what lies under the stream. */
  #release: () => void = () => {};
  #deadline: NodeJS.Timeout;
  /** Messages that wait until the stream is there, and has room. */
  readonly #waiting: Buffer[] = [];
  #blocked = false;
  #welcomed = false;
  #closing = false;
  #over = false;

  constructor(address: Address, tls: GrpcTransportOptions["tls"], hello: Hello, handlers: SessionHandlers) {
    this.#address = address;
    this.#handlers = handlers;
    this.#deadline = this.#patience();
    this.#knock(() => {
      this.#begin(tls, hello).catch((error: unknown) => this.#finish(this.#unreachable(String(error))));
    });
  }

  send(report: Report): void {
    // Before welcome there is nobody to report to; the agent knows, and sends nothing.
    if (this.#over || this.#closing || !this.#welcomed || this.#codec === undefined) return;
    let bytes: Uint8Array;
    try {
      bytes = this.#encode(this.#codec, report);
    } catch (error) {
      // Told later: a handler is never called from within a call of the agent's.
      setImmediate(() => this.#finish(error as TenantryError));
      return;
    }
    this.#waiting.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#flush();
    if (this.#waiting.length > MOST_WAITING) {
      setImmediate(() => this.#finish(this.#unreachable(`it does not read; ${MOST_WAITING} reports wait`)));
    }
  }

  close(): void {
    if (this.#over || this.#closing) return;
    this.#closing = true;
    clearTimeout(this.#deadline);
    // The one timer that holds the process: until what was sent has arrived, but not for long.
    this.#deadline = setTimeout(() => this.#finish(undefined), this.#stream === undefined ? 0 : CLOSE_WITHIN_MS);
    this.#flush();
  }

  #patience(): NodeJS.Timeout {
    const late = () => this.#finish(this.#unreachable(`no answer within ${ANSWER_WITHIN_MS} ms`));
    return setTimeout(late, ANSWER_WITHIN_MS).unref();
  }

  /** A plain connection first: cheap to try, cheap to fail, and it can be made not to keep the process alive. */
  #knock(answered: () => void): void {
    const socket = connect({ host: this.#address.host, port: this.#address.port });
    socket.unref();
    this.#release = () => socket.destroy();
    socket.once("connect", () => {
      socket.destroy();
      if (!this.#over && !this.#closing) answered();
    });
    socket.once("error", (error: NodeJS.ErrnoException) => this.#finish(this.#unreachable(error.code ?? error.message)));
  }

  async #begin(tls: GrpcTransportOptions["tls"], hello: Hello): Promise<void> {
    const [grpc, codec, checks, statuses] = await Promise.all([
      import("@grpc/grpc-js"),
      import("../../proto/io/codec.js"),
      import("../../proto/validate.js"),
      import("../../proto/io/status.js"),
    ]);
    if (this.#over || this.#closing) return;
    // Loading took its own time, which is not the controller's.
    clearTimeout(this.#deadline);
    this.#deadline = this.#patience();
    this.#codec = codec;
    const credentials =
      tls === undefined
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert));
    const client = new grpc.Client(this.#address.text, unreferenced(credentials), {
      "grpc.max_receive_message_length": codec.MAX_MESSAGE_BYTES,
      "grpc.max_send_message_length": codec.MAX_MESSAGE_BYTES,
      // A session has its own connection: a shared one would impose its own back-off on top of the agent's.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_retries": 0,
      "grpc.enable_channelz": 0,
      // The controller is a neighbour; a proxy for the outside world has no business between.
      "grpc.enable_http_proxy": 0,
      "grpc.service_config_disable_resolution": 1,
      // A controller that vanished without a word is noticed.
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 5_000,
    });
    this.#release = () => client.close();
    await settled(client.getChannel(), grpc.connectivityState);
    if (this.#over || this.#closing) return;
    const stream: Stream = client.makeBidiStreamRequest(codec.SESSION_PATH, same, same);
    this.#stream = stream;
    this.#release = () => {
      stream.cancel();
      client.close();
    };
    stream.on("data", (bytes: Buffer) => this.#receive(bytes, codec, checks));
    stream.on("drain", () => {
      this.#blocked = false;
      this.#flush();
    });
    // The same news arrives as "status", with the metadata; without a listener it would be thrown.
    stream.on("error", () => {});
    stream.on("status", (status: StatusObject) => this.#finish(this.#verdict(status, statuses)));
    let bytes = codec.encodeAgentMessage({ hello });
    // Better to come as one that holds nothing than not at all.
    if (bytes.length > codec.MAX_MESSAGE_BYTES) bytes = codec.encodeAgentMessage({ hello: { ...hello, held: null } });
    this.#waiting.unshift(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#flush();
  }

  #encode(codec: Codec, report: Report): Uint8Array {
    const bytes = codec.encodeAgentMessage({ report });
    if (bytes.length <= codec.MAX_MESSAGE_BYTES) return bytes;
    // Better a report without its histograms than none: sums count, latencies of one window do not.
    const rows = report.rows.map((each) => ({ ...each, latencyRow: [], latencyBucket: [], latencyCount: [] }));
    const lean = codec.encodeAgentMessage({ report: { ...report, rows } });
    if (lean.length <= codec.MAX_MESSAGE_BYTES) return lean;
    throw new TenantryError(
      "TOO_MANY",
      `a report has ${lean.length} bytes; the controller takes ${codec.MAX_MESSAGE_BYTES}: lower maxTenants or use fewer resources`,
    );
  }

  #flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#over) return;
    let sent = 0;
    while (!this.#blocked && sent < this.#waiting.length) this.#blocked = !stream.write(this.#waiting[sent++]);
    this.#waiting.splice(0, sent);
    if (this.#closing && this.#waiting.length === 0) stream.end();
  }

  #receive(bytes: Buffer, codec: Codec, checks: Checks): void {
    if (this.#over) return;
    let message: ControllerMessage;
    try {
      message = codec.decodeControllerMessage(bytes);
      checks.validateControllerMessage(message);
      if (this.#welcomed === (message.welcome !== undefined)) {
        throw new TenantryError(
          "BAD_MESSAGE",
          `the controller ${this.#welcomed ? "says welcome twice" : "does not begin with welcome"}`,
        );
      }
    } catch (error) {
      this.#finish(error as TenantryError);
      return;
    }
    if (message.welcome) {
      this.#welcomed = true;
      if (!this.#closing) clearTimeout(this.#deadline);
      this.#handlers.onWelcome(message.welcome);
    } else if (message.acknowledgement) this.#handlers.onAcknowledgement(message.acknowledgement);
    else if (message.allocation) this.#handlers.onAllocation(message.allocation);
  }

  #finish(error: TenantryError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#deadline);
    this.#release();
    this.#handlers.onClosed(error);
  }

  #verdict(status: StatusObject, statuses: Statuses): TenantryError | undefined {
    if (this.#closing) return undefined;
    if (status.code === 0) return this.#unreachable("it ended the session");
    return statuses.errorOf(status.code, status.details, codeIn(status.metadata, statuses.CODE_METADATA));
  }

  #unreachable(why: string): TenantryError {
    return new TenantryError("UNAVAILABLE", `the controller at ${this.#address.text} cannot be reached: ${why}`);
  }
}

/**
 * Resolves once the channel is connected, or is not going to be. A stream opened before would hold the process until then; an
 * attempt alone does not.
 */
async function settled(channel: ReturnType<Client["getChannel"]>, states: typeof connectivityState): Promise<void> {
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state !== states.IDLE && state !== states.CONNECTING) return;
    await new Promise<unknown>((resolve) => channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, resolve));
  }
}

function codeIn(metadata: Metadata | undefined, key: string): unknown {
  return metadata?.get(key)[0];
}

/** Messages are bytes to gRPC; coding is ours, so that a bad one is our error and not its own. */
function same(bytes: Buffer): Buffer {
  return bytes;
}

function pem(text: string | Buffer | undefined): Buffer | null {
  return text === undefined ? null : Buffer.from(text);
}

/**
 * The same credentials, over sockets that never keep the process alive. gRPC takes hold of its socket for as long as a stream
 * is open, by `ref()`, and offers no other way to let go of it.
 */
function unreferenced(credentials: ChannelCredentials): ChannelCredentials {
  const create = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...details) => {
    const connector = create(...details);
    const secure = connector.connect.bind(connector);
    connector.connect = async (socket) => {
      letGo(socket);
      const result = await secure(socket);
      letGo(result.socket);
      return result;
    };
    return connector;
  };
  return credentials;
}

function letGo(socket: Socket): void {
  socket.unref();
  socket.ref = () => socket;
}
