/** `--ca`, `--cert`, `--key`: how commands reach a controller that asks for TLS. */
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { CommandFailure } from "./terminal.js";

/** Paths, from the command line or the environment. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
}

/** PEM texts. */
export interface ClientTls {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/** Adds the options. */
export function withTls(command: Command): Command {
  return command
    .addOption(new Option("--ca <FILE>", "who vouches for the controller's certificate (PEM); TLS is used").env("TENANTRY_CA"))
    .addOption(new Option("--cert <FILE>", "our own certificate (PEM), where the controller asks for one").env("TENANTRY_CERT"))
    .addOption(new Option("--key <FILE>", "its private key (PEM)").env("TENANTRY_KEY"));
}

/** What stands in the files; undefined when none is given. @throws CommandFailure naming what is missing or cannot be read */
export function readTls({ ca, cert, key }: TlsOptions): ClientTls | undefined {
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    throw new CommandFailure(`--${cert === undefined ? "cert" : "key"} is missing; a certificate and its key go together`, 2);
  }
  const tls: ClientTls = {};
  for (const [name, path] of Object.entries({ ca, cert, key })) {
    if (path === undefined) continue;
    try {
      tls[name as keyof ClientTls] = readFileSync(path);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new CommandFailure(`--${name}: ${path} cannot be read (${code}); expected a PEM file`, 2);
    }
  }
  return tls;
}
