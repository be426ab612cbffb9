/**
 * What every service of the demo does as a process: it tells its parent where it listens, and it ends when the parent asks or
 * is gone, however the parent ended.
 */
import { rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Ends this process with its parent, and removes what the demo has written, since a parent that was killed cannot. */
export function endWithParent(close: () => Promise<void> | void = () => {}): void {
  // Ctrl-C reaches every process of the terminal; the parent decides what it means.
  process.on("SIGINT", () => {});
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(0), 2000).unref();
    await close();
    process.exit(0);
  };
  process.on("SIGTERM", end);
  process.on("disconnect", () => {
    const { TEMPORARY } = process.env;
    process.on("exit", () => TEMPORARY && rmSync(TEMPORARY, { recursive: true, force: true }));
    void end();
  });
}

/** Listens on a free port of this machine, tells the parent which, and ends as above: the last report first. */
export function serve(server: Server, agent?: { close(): Promise<void> }): void {
  endWithParent(() => agent?.close());
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
}
