/** The controller's gRPC side: Control for agents, Admin for people and tools, and the standard health and reflection services. */
import {
  type handleBidiStreamingCall,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceDefinition,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation, protoPath as healthPath } from "grpc-health-check";
import { TenantryError } from "../../proto/errors.js";
import { MAX_MESSAGE_BYTES } from "../../proto/io/codec.js";
import { schemaPath } from "../../proto/io/schema.js";
import { CODE_METADATA } from "../../proto/io/status.js";
import type { Clock } from "../../proto/ports.js";
import type { Controller } from "../controller.js";
import { adminService } from "./admin-service.js";
import { changePermission } from "./administrators.js";
import { addressText, type ListenAddress, listenError, probeAddress } from "./listen-address.js";
import { SessionStream } from "./session-stream.js";
import type { TlsFiles } from "./tls-files.js";

const CONTROL = "tenantry.v1.Control";
const ADMIN = "tenantry.v1.Admin";

/** Figures of the wire, beside the controller's own counters. */
export interface WireCounters {
  /** Streams of agents open now. */
  streams: number;
  /** Streams refused because there were too many. */
  streamsRefused: number;
  /** Messages that broke the contract; each cost its stream. */
  badMessages: number;
  /** Messages over the size limit: refused by gRPC before anybody saw them, or not sent. */
  oversizedMessages: number;
}

export interface GrpcServerOptions {
  controller: Controller;
  clock: Clock;
  address: ListenAddress;
  tls?: TlsFiles | undefined;
  /** Common names of certificates that may change settings. */
  administrators: readonly string[];
  /** Streams of agents at once, at most. */
  maxStreams: number;
  onBadMessage?(error: TenantryError): void;
  /** A message was over the size limit; told once. */
  onOversized?(error: TenantryError): void;
}

export interface GrpcServer {
  readonly port: number;
  readonly counters: Readonly<WireCounters>;
  /** Tells health checks whether the controller serves. */
  setServing(serving: boolean): void;
  /** Stops listening, and ends what has not ended by itself half a second later. */
  close(): Promise<void>;
}

/** @throws TenantryError ADDRESS_IN_USE or BAD_ARGUMENT when it cannot listen at `address`. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { controller, clock, address, tls, maxStreams } = options;
  const definition = loadSync(schemaPath(), { longs: Number, enums: String, defaults: true, arrays: true, objects: true });
  const counters: WireCounters = { streams: 0, streamsRefused: 0, badMessages: 0, oversizedMessages: 0 };
  const oversized = (what: string) => {
    if (counters.oversizedMessages++ === 0) options.onOversized?.(tooLarge(what));
  };
  const server = new Server({
    interceptors: [watchRefused((details) => oversized(`a message was refused: ${details}`))],
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 1_000,
    // Channelz stays on: without it grpc-js keeps no list of its connections, and forceShutdown closes none of them.
    // Agents that vanished without a word are noticed.
    "grpc.keepalive_time_ms": 20_000,
    "grpc.keepalive_timeout_ms": 10_000,
  });

  const session: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    counters.streams++;
    const stream = new SessionStream(call, {
      controller,
      clock,
      onBadMessage(error) {
        counters.badMessages++;
        options.onBadMessage?.(error);
      },
      onOversized: (bytes) =>
        oversized(`an allocation of ${bytes} bytes was not sent; its receiver goes on with what it has, and then falls back`),
      onOver: () => counters.streams--,
    });
    if (counters.streams > maxStreams) {
      counters.streamsRefused++;
      stream.close(new TenantryError("TOO_MANY", `there are ${maxStreams} streams already, as many as this controller takes`));
    }
  };
  const health = new HealthImplementation({ "": "NOT_SERVING", [CONTROL]: "NOT_SERVING", [ADMIN]: "NOT_SERVING" });
  server.addService(rawMessages(definition[CONTROL] as ServiceDefinition), { session });
  server.addService(
    definition[ADMIN] as ServiceDefinition,
    adminService(controller, changePermission(tls, options.administrators)),
  );
  health.addToServer(server);
  const described = { ...definition, ...loadSync(healthPath) };
  new ReflectionService(described, { services: [CONTROL, ADMIN, "grpc.health.v1.Health"] }).addToServer(server);

  // gRPC prints to the console what it could not bind; we ask first, and throw.
  if (address.port !== 0) await probeAddress("gRPC", address);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(addressText(address), credentialsOf(tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(listenError("gRPC", address, error));
    });
  });
  return {
    port,
    counters,
    setServing(serving) {
      for (const name of ["", CONTROL, ADMIN]) health.setStatus(name, serving ? "SERVING" : "NOT_SERVING");
    },
    async close() {
      await new Promise<void>((resolve) => {
        // Watchers of health never end by themselves.
        const impatient = setTimeout(() => server.forceShutdown(), 500);
        server.tryShutdown(() => {
          clearTimeout(impatient);
          resolve();
        });
      });
      server.forceShutdown();
    },
  };
}

/** The service with its messages left as bytes: sessions decode for themselves, so that a bad message is theirs to answer. */
function rawMessages(service: ServiceDefinition): ServiceDefinition {
  const same = (bytes: Buffer) => bytes;
  const methods = Object.entries(service).map(([name, method]) => [
    name,
    { ...method, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same },
  ]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

/**
 * Tells of messages that gRPC itself refuses for their size: it ends such a call below all handlers, with a status that has
 * no code of ours.
 */
function watchRefused(tell: (details: string) => void): ServerInterceptor {
  return (_method, call) => {
    const send = call.sendStatus.bind(call);
    // gRPC says it again for every further piece of the message.
    let over = false;
    call.sendStatus = (told) => {
      const ours = told.metadata?.get(CODE_METADATA) ?? [];
      if (!over && told.code === status.RESOURCE_EXHAUSTED && ours.length === 0) tell(told.details ?? "");
      over = true;
      send(told);
    };
    return new ServerInterceptingCall(call);
  };
}

function tooLarge(what: string): TenantryError {
  return new TenantryError(
    "TOO_MANY",
    `${what}; expected at most ${MAX_MESSAGE_BYTES} bytes. Lower maxTenantsPerInstance or maxMetersPerInstance, or use fewer resources and points; further ones are counted only`,
  );
}

function credentialsOf(tls: TlsFiles | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(tls.ca ?? null, [{ cert_chain: tls.cert, private_key: tls.key }], tls.ca !== undefined);
}
