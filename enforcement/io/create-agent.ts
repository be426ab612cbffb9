/**
 * Puts an agent into the world: the process's clock and chance, a connection to the controller, a line in the log.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { TenantryError } from "../../proto/errors.js";
import { systemChance, systemClock } from "../../proto/io/clock.js";
import { checkOptions, type Known } from "../../proto/options.js";
import type { Transport } from "../../proto/ports.js";
import { Agent, type AgentEvent } from "../index.js";
import { badArgument } from "./call.js";
import { type GrpcTransportOptions, grpcTransport } from "./grpc-transport.js";
import { ServiceAgent } from "./service-agent.js";

/** How a service links to Tenantry. Only `service` is needed. */
export interface CreateAgentOptions {
  /** The logical service all its instances share: 1 to 64 letters, digits, `.`, `_`, `-`. */
  service: string;
  /** Unique among the live instances of the service. Default: host name and process id. */
  instance?: string;
  /** "host:port" of the controller; false for none. Default: the environment's TENANTRY_CONTROLLER; without it, local fairness only. */
  controller?: string | false;
  /** For a controller that asks for TLS: PEM texts. `ca` absent: the system's; `cert` and `key` when it asks who calls. */
  tls?: GrpcTransportOptions["tls"];
  /** A header that names the tenant in plain text; it outranks baggage in `extract`. */
  tenantHeader?: string;
  /** What follows when the controller stays away for long: "open" (no limit, local fair queuing only; the default), "floor" or "closed". */
  endState?: "open" | "floor" | "closed";
  /** Rate of each tenant at each limited point in the end state "floor", in the point's cost units per second. */
  floorPerSec?: number;
  /** Time at the fallback rates before the end state, ms. Default 60,000. */
  endAfterMs?: number;
  /** Tenants known at once; the rest share the tenant "overflow". Default 10,000. */
  maxTenants?: number;
  /** Resources and control points. Default 256. */
  maxMeters?: number;
  /** Given one plain line per event; false for silence. Default: to stderr. */
  log?: ((line: string, event: AgentEvent) => void) | false;
  /** How to reach a controller other than by gRPC, e.g. within one process in a test. Overrides `controller`. */
  transport?: Transport;
}

const KNOWN: Known<Required<CreateAgentOptions>> = {
  service: true,
  instance: true,
  controller: true,
  tls: true,
  tenantHeader: true,
  endState: true,
  floorPerSec: true,
  endAfterMs: true,
  maxTenants: true,
  maxMeters: true,
  log: true,
  transport: true,
};

let made = 0;

/**
 * Links a service to Tenantry. Returns at once, whether or not a controller can be reached: until one can, requests are not
 * limited and slots are shared fairly.
 *
 * @throws TenantryError BAD_NAME or BAD_ARGUMENT, saying which option and what was expected
 * @example
 * const agent = createAgent({ service: "storage", controller: "localhost:7411" });
 * const disk = agent.resource("disk");
 * const reads = agent.controlPoint("read", { slots: 16 });
 * http.createServer((req, res) =>
 *   agent.run(agent.extract(req.headers), () => reads.run(() => disk.use(() => sendFile(req, res)))));
 */
export function createAgent(options: CreateAgentOptions): ServiceAgent {
  if (typeof options !== "object" || options === null) throw badArgument("options", options, 'an object: { service: "name" }');
  checkOptions<CreateAgentOptions>("createAgent", options, KNOWN);
  const { service, tenantHeader, endAfterMs, log } = options;
  if (tenantHeader !== undefined && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(tenantHeader)) {
    throw badArgument("tenantHeader", tenantHeader, 'a header name, e.g. "x-tenant-id"');
  }
  if (endAfterMs !== undefined && !(endAfterMs >= 0)) throw badArgument("endAfterMs", endAfterMs, "milliseconds, 0 or more");
  if (log !== undefined && log !== false && typeof log !== "function") throw badArgument("log", log, "a function or false");
  const clock = systemClock();
  const core = new Agent({
    service,
    instance: options.instance ?? instanceName(),
    boot: randomBytes(8).toString("hex"),
    clock,
    chance: systemChance(),
    transport: transportOf(options),
    endState: options.endState,
    floorPerSec: options.floorPerSec,
    maxTenants: options.maxTenants,
    maxMeters: options.maxMeters,
    endAfterUs: endAfterMs === undefined ? undefined : Math.round(endAfterMs * 1000),
    onEvent: log === false ? undefined : (event) => (log ?? toStderr)(`tenantry ${service}: ${event.message}`, event),
  });
  made++;
  core.start();
  return new ServiceAgent(core, clock, tenantHeader);
}

/** Readable, and the same for a process that keeps its host and id: a restart is told from a reconnect by its boot. */
function instanceName(): string {
  const name = `${hostname()}-${process.pid}`.slice(-120);
  return made === 0 ? name : `${name}-${made + 1}`;
}

function transportOf(options: CreateAgentOptions): Transport | undefined {
  if (options.transport !== undefined) return options.transport;
  if (options.controller === false) return undefined;
  if (options.controller !== undefined) return grpcTransport({ controller: options.controller, tls: options.tls });
  const controller = process.env.TENANTRY_CONTROLLER?.trim();
  if (controller === undefined || controller === "") return undefined;
  try {
    return grpcTransport({ controller, tls: options.tls });
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    throw new TenantryError(error.code, `in the environment's TENANTRY_CONTROLLER: ${error.message}`, { cause: error });
  }
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
