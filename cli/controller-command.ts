/** `tenantry controller`: runs a controller until it is asked to stop. */
import { Command, Option } from "commander";
import type { ControllerEvent } from "../controller/io/index.js";
import { port } from "./arguments.js";
import { print, styled, tell } from "./terminal.js";

/** Where state is kept when nobody says. */
const DEFAULT_STATE = "tenantry-state.json";

interface Options {
  config?: string;
  grpcPort?: number;
  httpPort?: number;
  state?: string;
  json?: true;
}

export function controllerCommand(): Command {
  return new Command("controller")
    .description("run a controller; sensible without any configuration, on this machine only")
    .option("--config <FILE>", "settings, as YAML")
    .addOption(new Option("--grpc-port <N>", "where agents connect (default: 7411; 0: any free port)").argParser(port))
    .addOption(new Option("--http-port <N>", "where people and scrapers look (default: 7412; 0: any free port)").argParser(port))
    .option("--state <FILE>", `keeps what is set at run time (default: ${DEFAULT_STATE} here, or as configured)`)
    .option("--json", "one JSON object a line, for scripts")
    .action(run);
}

async function run(options: Options): Promise<void> {
  // Loaded only here: other commands need none of it.
  const [{ createController, readSettings }, { POLICIES }] = await Promise.all([
    import("../controller/io/index.js"),
    import("../policies/index.js"),
  ]);
  const tellEvent = options.json ? logJson : logText;
  let failed = () => {};
  const over = new Promise<void>((resolve) => {
    failed = () => {
      process.exitCode = 1;
      resolve();
    };
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  const log = (event: ControllerEvent) => {
    tellEvent(event);
    if (event.kind === "stopped" && event.code !== undefined) failed();
  };
  const settings = options.config === undefined ? {} : readSettings(options.config, POLICIES);
  const controller = await createController({
    // By its path, so that mistakes are told with their places.
    config: options.config ?? {},
    grpcPort: options.grpcPort,
    httpPort: options.httpPort,
    state: options.state ?? settings.state ?? DEFAULT_STATE,
    onEvent: log,
  });
  const { grpcPort, httpPort } = controller;
  if (options.json) print(JSON.stringify({ kind: "listening", grpcPort, httpPort }));
  else {
    const at = `${settings.tls === undefined ? "http" : "https"}://${shownHost(settings.http?.host)}:${httpPort}`;
    tell(`agents connect to port ${styled("bold", String(grpcPort), process.stderr)}; look at ${at}/api/view`);
  }
  await over;
  await controller.close();
}

/** A host one can ask: of those that mean every address of this machine, the nearest. */
function shownHost(host = "127.0.0.1"): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

function logJson(event: ControllerEvent): void {
  print(JSON.stringify(event));
}

function logText(event: ControllerEvent): void {
  const time = styled("dim", new Date().toISOString(), process.stderr);
  tell(`${time} ${event.code === undefined ? event.message : styled("yellow", event.message, process.stderr)}`);
}
