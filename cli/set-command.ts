/** `tenantry set`: changes a tenant, a policy, a point, or everything, while the controller runs; kept over restarts. */
import { Command, Option } from "commander";
import { grpcAddress, parameter, weight } from "./arguments.js";
import { callAdmin } from "./call-admin.js";
import { CommandFailure, print } from "./terminal.js";
import { readTls, type TlsOptions, withTls } from "./tls-options.js";

interface Options extends TlsOptions {
  controller: string;
  json?: true;
  mode?: string;
  weight?: number;
  param?: Record<string, number>;
}

type Settings = Record<string, unknown>;

export function setCommand(): Command {
  const command = new Command("set")
    .description("change settings of a running controller; kept over restarts")
    .helpCommand(false);
  command.addCommand(
    common(new Command("tenant").description("a tenant's weight and mode").argument("TENANT", "its id"))
      .addOption(new Option("--weight <N>", "its claim, relative to others' (1)").argParser(weight))
      .action((tenant: string, options: Options) => {
        needed(options, ["mode", "weight"]);
        return change(options, "SetTenant", { settings: { tenant, mode: wireMode(options.mode), weight: options.weight ?? 0 } });
      }),
  );
  command.addCommand(
    common(new Command("policy").description("a policy's mode and parameters").argument("POLICY", "its name"))
      .addOption(new Option("--param <NAME=NUMBER>", "a parameter; may be repeated").argParser(parameter))
      .action((policy: string, options: Options) => {
        needed(options, ["mode", "param"]);
        return change(options, "SetPolicy", { settings: { policy, mode: wireMode(options.mode), params: options.param ?? {} } });
      }),
  );
  command.addCommand(
    common(new Command("point").description("a control point's mode").argument("POINT", "its name, service/point")).action(
      (point: string, options: Options) => {
        needed(options, ["mode"]);
        return change(options, "SetPoint", { settings: { point, mode: wireMode(options.mode) } });
      },
    ),
  );
  command.addCommand(
    common(new Command("everything").description("the mode above all others")).action((options: Options) => {
      needed(options, ["mode"]);
      return change(options, "SetMode", { mode: wireMode(options.mode) });
    }),
  );
  return command;
}

function common(command: Command): Command {
  return withTls(command)
    .addOption(
      new Option("--mode <MODE>", "off: not limited; observe: decided and shown; enforce").choices(["off", "observe", "enforce"]),
    )
    .addOption(
      new Option("--controller <HOST:PORT>", "the controller's gRPC side").default("127.0.0.1:7411").argParser(grpcAddress),
    )
    .option("--json", "the settings now in force, for scripts");
}

/** @throws CommandFailure when nothing was asked to change */
function needed(options: Options, any: ("mode" | "weight" | "param")[]): void {
  if (any.every((key) => options[key] === undefined)) {
    throw new CommandFailure(`nothing to set; expected ${any.map((key) => `--${key}`).join(" or ")}`, 2);
  }
}

async function change(options: Options, method: string, request: Settings): Promise<void> {
  const { mode, ...rest } = await callAdmin<Settings & { mode: string }>(options.controller, method, request, readTls(options));
  const now = { ...rest, mode: mode.toLowerCase() };
  print(options.json ? JSON.stringify(now) : wordsFor(now));
}

/** `tenant acme, weight 2, mode enforce`. */
function wordsFor(settings: Settings): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(", ");
}

function wireMode(mode: string | undefined): string {
  return mode === undefined ? "MODE_UNSPECIFIED" : mode.toUpperCase();
}
