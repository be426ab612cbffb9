/** Asks a controller over gRPC as any client would, with nothing of the library's own client code. */
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceDefinition, type ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { protoPath as healthPath } from "grpc-health-check";
import { schemaPath } from "../../proto/io/schema.js";

const options = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };
export const admin = loadSync(schemaPath(), options)["tenantry.v1.Admin"] as ServiceDefinition;
export const health = loadSync(healthPath, options)["grpc.health.v1.Health"] as ServiceDefinition;

/** One unary call over a connection of its own. */
export function call<Reply>(
  port: number,
  service: ServiceDefinition,
  method: string,
  request: object,
  secured: ChannelCredentials = credentials.createInsecure(),
): Promise<Reply> {
  const client = new Client(`localhost:${port}`, secured, { "grpc.use_local_subchannel_pool": 1 });
  const { path, requestSerialize, responseDeserialize } = service[method];
  return new Promise<Reply>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, new Metadata(), (error, reply) =>
      error === null ? resolve(reply as Reply) : reject(error),
    );
  }).finally(() => client.close());
}

/** The code of ours that came with a gRPC error. */
export function codeOf(error: unknown): unknown {
  return (error as ServiceError).metadata.get("tenantry-code")[0];
}
