/** The command line as its users meet it: processes of their own, running the built package. Of a test that fails none stays behind. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

export const MAIN = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Runs a command to its end. */
export function runTenantry(args: string[], cwd: string, env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const { FORCE_COLOR, NO_COLOR, ...plain } = process.env;
    const options = { cwd, timeout: 60_000, env: { ...plain, ...env } };
    execFile(process.execPath, [MAIN, ...args], options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err });
    });
  });
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A line of a controller's log. */
export interface LogLine {
  kind: string;
  message?: string;
  code?: string;
  grpcPort?: number;
  httpPort?: number;
}

export interface ControllerProcess {
  child: ChildProcess;
  grpc: string;
  http: string;
  exit: Promise<unknown>;
  /** The next line of its log, from the last one asked for, that says this. */
  said(what: RegExp): Promise<LogLine>;
}

/** A controller in a process of its own. */
export async function controllerProcess(args: string[], cwd: string): Promise<ControllerProcess> {
  const child = spawn(process.execPath, [MAIN, "controller", "--grpc-port", "0", "--http-port", "0", "--json", ...args], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  const log: LogLine[] = [];
  let told = 0;
  let over = false;
  let wake = () => {};
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    log.push(JSON.parse(line));
    wake();
  });
  lines.once("close", () => {
    over = true;
    wake();
  });
  const next = async (holds: (line: LogLine) => boolean, what: string): Promise<LogLine> => {
    for (;;) {
      while (told < log.length) if (holds(log[told++])) return log[told - 1];
      if (over) throw new Error(`the controller ended (${await exit}) before it said ${what}; it said ${JSON.stringify(log)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const { grpcPort, httpPort } = await next((line) => line.kind === "listening", "that it listens");
  return {
    child,
    grpc: `127.0.0.1:${grpcPort}`,
    http: `http://127.0.0.1:${httpPort}`,
    exit,
    said: (what) => next((line) => what.test(line.message ?? ""), String(what)),
  };
}
