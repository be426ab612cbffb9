/** Calls a method of the controller's Admin service. The gRPC library is loaded only here, by commands that change something. */
import { connect } from "node:net";
import { TenantryError } from "../proto/errors.js";
import { schemaPath } from "../proto/io/schema.js";
import { CODE_METADATA, errorOf } from "../proto/io/status.js";
import { CommandFailure } from "./terminal.js";
import type { ClientTls } from "./tls-options.js";

/**
 * @param address `host:port` of the controller's gRPC side
 * @param tls     undefined: plain, as on this machine
 * @param method  as in tenantry.proto, e.g. "SetTenant"
 * @throws CommandFailure when nobody answers; the controller's own TenantryError when it refuses
 */
export async function callAdmin<Reply>(
  address: string,
  method: string,
  request: object,
  tls: ClientTls | undefined,
): Promise<Reply> {
  await knock(address);
  const [grpc, { loadSync }] = await Promise.all([import("@grpc/grpc-js"), import("@grpc/proto-loader")]);
  const definition = loadSync(schemaPath(), { longs: Number, enums: String, defaults: true, arrays: true, objects: true });
  const { path, requestSerialize, responseDeserialize } = (
    definition["tenantry.v1.Admin"] as import("@grpc/grpc-js").ServiceDefinition
  )[method];
  const { createInsecure, createSsl } = grpc.credentials;
  const credentials = tls === undefined ? createInsecure() : createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
  const client = new grpc.Client(address, credentials, { "grpc.enable_http_proxy": 0 });
  try {
    return await new Promise<Reply>((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        { deadline: Date.now() + 10_000 },
        (error, reply) => {
          if (error === null) resolve(reply as Reply);
          else reject(errorOf(error.code, error.details, error.metadata?.get(CODE_METADATA)[0]));
        },
      );
    });
  } catch (error) {
    if (error instanceof TenantryError && error.code === "UNAVAILABLE") {
      const hint =
        tls === undefined ? "; does it ask for TLS? then give --ca, and --cert and --key where it wants to know who calls" : "";
      throw new CommandFailure(`the controller at ${address} did not answer: ${error.message}${hint}`);
    }
    throw error;
  } finally {
    client.close();
  }
}

/** A plain connection first: what it says when nobody listens is clearer. */
async function knock(address: string): Promise<void> {
  const at = address.lastIndexOf(":");
  const socket = connect({
    host: address.slice(0, at).replace(/^\[|\]$/g, ""),
    port: Number(address.slice(at + 1)),
    timeout: 5_000,
  });
  await new Promise<void>((resolve, reject) => {
    const refuse = (why: string) =>
      reject(
        new CommandFailure(
          `no controller answers at ${address} (${why}); start one with "tenantry controller", or say where with --controller`,
        ),
      );
    socket.once("connect", resolve);
    socket.once("timeout", () => refuse("no answer"));
    socket.once("error", (error: NodeJS.ErrnoException) => refuse(error.code ?? error.message));
  }).finally(() => socket.destroy());
}
