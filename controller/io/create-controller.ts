/**
 * A controller behind real sockets: settings, store, gRPC and HTTP put together. The ports are taken before the epoch is
 * raised, so a second controller started by mistake finds them taken and leaves the first one's state alone.
 */
import { definePolicy, POLICIES, type Policy } from "../../policies/index.js";
import { TenantryError } from "../../proto/errors.js";
import { systemChance, systemClock } from "../../proto/io/clock.js";
import { shown } from "../../proto/names.js";
import { Controller, type ControllerEvent } from "../controller.js";
import type { Explanation, ViewSnapshot } from "../snapshot.js";
import { memoryStore, type StateStore } from "../state.js";
import { fileStore } from "./file-store.js";
import { type GrpcServer, startGrpcServer } from "./grpc-server.js";
import { httpRoutes } from "./http-routes.js";
import { type HttpServer, startHttpServer } from "./http-server.js";
import { checkPort } from "./listen-address.js";
import { createMetrics } from "./metrics.js";
import { openPolicyFiles, type PolicyFiles } from "./policy-files.js";
import { type Settings, settingsShape } from "./settings.js";
import { controllerPart, settingsFaults } from "./settings-check.js";
import { countText, isCircular, placeIn, readSettings } from "./settings-file.js";
import { readTlsFiles } from "./tls-files.js";

/** How a controller is to run: settings as in the YAML file, or the path of one, and what only a program can give. */
export interface CreateControllerOptions {
  /** Settings, or the path of a YAML file with them. Default: none, which is sensible on one machine. */
  config?: Settings | string;
  /** Wins over the configuration; 0: any free port. */
  grpcPort?: number;
  /** Wins over the configuration; 0: any free port. */
  httpPort?: number;
  /** File that keeps state; wins over the configuration. Neither: state is kept in memory and ends with the controller. */
  state?: string;
  /** Keeps state in some other way; wins over `state`. */
  store?: StateStore;
  /** The policies there are. Default: those that come with the package. */
  policies?: readonly Policy[];
  /** Told of what an operator would want in a log. Must not throw. */
  onEvent?(event: ControllerEvent): void;
}

/** A controller that listens. */
export interface RunningController {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** The controller itself: settings at run time, counters. */
  readonly controller: Controller;
  /** The cluster as it sees it; the same object as GET /api/view. */
  view(): ViewSnapshot;
  /** Who slows this tenant down, and why. @throws TenantryError BAD_TENANT */
  explain(tenant: string): Explanation;
  /** Ends all sessions and stops listening; leases that agents hold run on. Harmless when repeated. */
  close(): Promise<void>;
}

/**
 * Starts a controller.
 *
 * @throws TenantryError BAD_ARGUMENT for options there are not, BAD_POLICY for policies that are none, BAD_CONFIG listing every mistake, ADDRESS_IN_USE, STORE_IN_USE, STORE_UNAVAILABLE, STORE_CORRUPT
 * @example
 * const controller = await createController({ grpcPort: 0, httpPort: 0, config: { windowUs: 500_000 } });
 * console.log(`http://127.0.0.1:${controller.httpPort}/api/view`);
 * await controller.close();
 */
export async function createController(options: CreateControllerOptions = {}): Promise<RunningController> {
  checkOptions(options);
  const policies = options.policies ?? POLICIES;
  const settings = settingsOf(options.config, policies);
  const grpcAddress = { host: settings.grpc?.host ?? "127.0.0.1", port: options.grpcPort ?? settings.grpc?.port ?? 7411 };
  const httpAddress = { host: settings.http?.host ?? "127.0.0.1", port: options.httpPort ?? settings.http?.port ?? 7412 };
  checkPort("gRPC", grpcAddress.port);
  checkPort("HTTP", httpAddress.port);
  const tls = settings.tls && readTlsFiles(settings.tls);
  const path = options.state ?? settings.state;
  const clock = systemClock();
  const onEvent = options.onEvent?.bind(options);
  const { config } = options;
  const files = await openPolicyFiles(settings, {
    onEvent: (event) => onEvent?.(event),
    placeOf: (keys) => (typeof config === "string" ? placeIn(config, keys) : ""),
  });
  const store = options.store ?? (path === undefined ? memoryStore() : fileStore(path));
  let grpc: GrpcServer | undefined;
  let http: HttpServer | undefined;
  const controller = new Controller({
    clock,
    chance: systemChance(),
    store,
    config: controllerPart(settings),
    policies: options.policies,
    morePolicies: files.policies,
    onEvent(event) {
      if (event.kind === "stopped" && event.code !== undefined) grpc?.setServing(false);
      onEvent?.(event);
    },
  });
  const onBadMessage = (error: TenantryError) =>
    onEvent?.({ kind: "refused", code: error.code, message: `an agent's stream was ended: ${error.message}` });

  try {
    grpc = await startGrpcServer({
      controller,
      clock,
      address: grpcAddress,
      tls,
      administrators: settings.administrators ?? [],
      maxStreams: controller.config.maxInstances,
      onBadMessage,
      onOversized: ({ code, message }) => onEvent?.({ kind: "bound", code, message }),
    });
    const { counters } = grpc;
    const metrics = createMetrics({ controller, wire: () => counters, topTenants: settings.metricsTopTenants ?? 20 });
    http = await startHttpServer({ address: httpAddress, tls, routes: httpRoutes(controller, metrics) });
    await new Promise<void>((resolve, reject) => controller.start((error) => (error ? reject(error) : resolve())));
    grpc.setServing(true);
  } catch (error) {
    await Promise.all([grpc?.close(), http?.close(), files.close()]);
    store.close?.();
    throw error;
  }
  return running(controller, grpc, http, store, files);
}

function running(
  controller: Controller,
  grpc: GrpcServer,
  http: HttpServer,
  store: StateStore,
  files: PolicyFiles,
): RunningController {
  let closing: Promise<void> | undefined;
  const close = async () => {
    grpc.setServing(false);
    await new Promise<void>((resolve) => controller.stop(() => resolve()));
    await Promise.all([grpc.close(), http.close(), files.close()]);
    store.close?.();
  };
  return {
    grpcPort: grpc.port,
    httpPort: http.port,
    controller,
    view: () => controller.view(),
    explain: (tenant) => controller.explain(tenant),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

const OPTIONS = ["config", "grpcPort", "httpPort", "state", "store", "policies", "onEvent"];

/** What stands beside `config` by mistake would be in force nowhere, and nobody would know. */
function checkOptions(options: CreateControllerOptions): void {
  const bad = (what: string) => new TenantryError("BAD_ARGUMENT", `createController: ${what}`);
  if (typeof options !== "object" || options === null) throw bad(`${shown(options)} is given; expected an object of options`);
  for (const key of Object.keys(options)) {
    if (OPTIONS.includes(key)) continue;
    const setting = Object.hasOwn(settingsShape.shape, key);
    throw bad(`${shown(key)} is no option; expected ${setting ? `config: { ${key}: … }` : `one of ${OPTIONS.join(", ")}`}`);
  }
  const { policies = [], onEvent, config = {} } = options;
  if (!Array.isArray(policies)) throw bad(`policies is ${shown(policies)}; expected a list of policies`);
  for (const policy of policies) definePolicy(policy);
  if (onEvent !== undefined && typeof onEvent !== "function") throw bad(`onEvent is ${shown(onEvent)}; expected a function`);
  if (isCircular(config)) throw bad("config contains itself; expected plain settings");
}

function settingsOf(config: Settings | string | undefined, policies: readonly Policy[]): Settings {
  if (typeof config === "string") return readSettings(config, policies);
  const faults = settingsFaults(config ?? {}, policies);
  if (faults.length > 0) {
    const list = faults.map((fault) => `  ${fault.text}`).join("\n");
    throw new TenantryError("BAD_CONFIG", `${countText(faults.length)} in the configuration:\n${list}`);
  }
  return config ?? {};
}
