/** `tenantry set`: changes a tenant, a policy, a point, or everything, while the controller runs; kept over restarts. */
import { Command, Option } from "commander";
import { capacity, grpcAddress, type PointRate, parameter, pointRate, targetMs, tier, weight } from "./arguments.js";
import { callAdmin } from "./call-admin.js";
import { CommandFailure, print } from "./terminal.js";
import { readTls, type TlsOptions, withTls } from "./tls-options.js";

interface Options extends TlsOptions {
  controller: string;
  json?: true;
  mode?: string;
  weight?: number;
  param?: Record<string, number>;
  p99TargetMs?: number;
  tier?: number;
  cap?: PointRate[];
  guarantee?: PointRate[];
  group?: string;
  capacity?: number;
}

type Settings = Record<string, unknown>;

export function setCommand(): Command {
  const command = new Command("set")
    .description("change settings of a running controller; kept over restarts")
    .helpCommand(false);
  command.addCommand(
    common(new Command("tenant").description("a tenant's weight, mode and terms").argument("TENANT", "its id"))
      .addOption(new Option("--weight <N>", "its claim, relative to others' (1)").argParser(weight))
      .addOption(new Option("--p99-target-ms <MS>", "99 of 100 of its requests within this; none: no target").argParser(targetMs))
      .addOption(new Option("--tier <N>", "0 is served first, 9 last (1)").argParser(tier))
      .addOption(new Option("--cap <POINT=RATE>", "at most so much a second there; may be repeated; =none").argParser(pointRate))
      .addOption(
        new Option("--guarantee <POINT=RATE>", "at least so much a second there; may be repeated; =none").argParser(pointRate),
      )
      .option("--group <GROUP>", "the group it belongs to; none: none")
      .action((tenant: string, options: Options) => {
        needed(options, ["mode", "weight", "p99TargetMs", "tier", "cap", "guarantee", "group"]);
        const { mode, weight, p99TargetMs, tier, cap = [], guarantee = [], group } = options;
        const terms = {
          ...(weight !== undefined && { weight }),
          ...(p99TargetMs !== undefined && { p99TargetUs: p99TargetMs * 1_000 }),
          ...(tier !== undefined && { tier }),
          ...(group !== undefined && { group: group === "none" ? "" : group }),
          caps: cap,
          guarantees: guarantee,
        };
        return change(options, "SetTenant", { settings: { tenant, mode: wireMode(mode), ...terms } });
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
    common(new Command("point").description("a control point's mode and capacity").argument("POINT", "its name, service/point"))
      .addOption(
        new Option(
          "--capacity <RATE>",
          "so much a second it can carry: guarantees may not come to more; none: not known",
        ).argParser(capacity),
      )
      .action((point: string, options: Options) => {
        needed(options, ["mode", "capacity"]);
        const { mode, capacity: capacityPerSec } = options;
        const settings = { point, mode: wireMode(mode), ...(capacityPerSec !== undefined && { capacityPerSec }) };
        return change(options, "SetPoint", { settings });
      }),
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
function needed(options: Options, any: (keyof Options)[]): void {
  if (any.every((key) => options[key] === undefined)) {
    const flags = any.map((key) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    throw new CommandFailure(`nothing to set; expected ${flags.join(" or ")}`, 2);
  }
}

async function change(options: Options, method: string, request: Settings): Promise<void> {
  const reply = await callAdmin<Settings & { mode: string }>(options.controller, method, request, readTls(options));
  const { tenant, policy, point, weight, mode, caps, guarantees, ...rest } = reply;
  // In the order in which one reads it: what it is, then what is in force.
  const now = {
    ...defined({ tenant, policy, point, weight }),
    mode: mode.toLowerCase(),
    ...rest,
    ...defined({ caps, guarantees }),
  };
  print(options.json ? JSON.stringify(now) : wordsFor(now));
}

function defined(settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** `tenant acme, weight 2, mode enforce, caps storage/read 200`. */
function wordsFor(settings: Settings): string {
  return Object.entries(settings)
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([key, value]) => (key === "p99TargetUs" ? `p99 target ${Number(value) / 1_000} ms` : `${key} ${wordFor(value)}`))
    .join(", ");
}

function wordFor(value: unknown): string {
  if (Array.isArray(value)) return value.map(({ point, ratePerSec }: PointRate) => `${point} ${ratePerSec}`).join(" and ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function wireMode(mode: string | undefined): string {
  return mode === undefined ? "MODE_UNSPECIFIED" : mode.toUpperCase();
}
