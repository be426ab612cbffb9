/** The `.proto`, read once per process through the package's own name, so that it is found in the clone and when installed. */
import { createRequire } from "node:module";
import protobuf from "protobufjs";

/** Where `tenantry.proto` is on this machine. */
export function schemaPath(): string {
  return createRequire(import.meta.url).resolve("tenantry/proto/tenantry.proto");
}

let root: protobuf.Root | undefined;
const types = new Map<string, protobuf.Type>();

/** A message type of `tenantry.v1`, by its name. */
export function messageType(name: string): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    root ??= protobuf.loadSync(schemaPath());
    type = root.lookupType(`tenantry.v1.${name}`);
    types.set(name, type);
  }
  return type;
}
