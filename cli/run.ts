/** The command line: what it understands, and how it ends. 0: done; 1: failed; 2: asked wrongly. */

import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { TenantryError } from "../proto/errors.js";
import { controllerCommand } from "./controller-command.js";
import { explainCommand } from "./explain-command.js";
import { policyCommand } from "./policy-command.js";
import { setCommand } from "./set-command.js";
import { simulateCommand } from "./simulate-command.js";
import { CommandFailure, styled, tell } from "./terminal.js";
import { viewCommand } from "./view-command.js";

/** Runs the command in `args` (without node and script), and sets the process's exit code. */
export async function main(args: string[]): Promise<void> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    await program().parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function program(): Command {
  const { version } = createRequire(import.meta.url)("tenantry/package.json") as { version: string };
  const command = new Command("tenantry")
    .description("Keeps many tenants fair on shared services.")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "print what can be asked")
    .helpCommand(false)
    .showHelpAfterError("(tenantry --help, or tenantry COMMAND --help, says what can be asked)")
    .exitOverride();
  for (const each of [controllerCommand(), explainCommand(), viewCommand(), setCommand(), simulateCommand(), policyCommand()]) {
    command.addCommand(inherit(each, command));
  }
  return command;
}

/** Commander hands settings such as `exitOverride` down only to commands it made itself. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const each of command.commands) inherit(each as Command, command);
  return command;
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CommandFailure) {
    tell(`${styled("red", "error:", process.stderr)} ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof TenantryError) {
    tell(`${styled("red", "error:", process.stderr)} ${error.message} (${error.code})`);
    return error.code === "BAD_ARGUMENT" || error.code === "BAD_TENANT" ? 2 : 1;
  }
  tell(`${styled("red", "error:", process.stderr)} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}
