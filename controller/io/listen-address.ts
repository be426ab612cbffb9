/** Where the controller listens: loopback unless it is told otherwise and given TLS; and a taken port is said plainly. */
import { createServer } from "node:net";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";

export interface ListenAddress {
  /** A name or an IP address; IPv6 without brackets. */
  host: string;
  /** 0: any free port. */
  port: number;
}

/** Is this an address of this machine alone? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** What is wrong with listening on this host, in words that follow its name; undefined: nothing. */
export function hostFault(host: string, tls: boolean): string | undefined {
  if (!/^[A-Za-z0-9.:_-]{1,255}$/.test(host)) return "is none; expected a name or an IP address, such as 127.0.0.1";
  if (tls || isLoopback(host)) return undefined;
  return (
    "can be reached from other machines, and there is no TLS; " +
    "expected 127.0.0.1, ::1 or localhost, or set tls with cert and key"
  );
}

/** @throws TenantryError BAD_ARGUMENT when the port is none. */
export function checkPort(what: string, port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new TenantryError(
    "BAD_ARGUMENT",
    `${what} port ${shown(port)} is none; expected a whole number from 0 (any free port) to 65535`,
  );
}

/** `host:port`, with brackets where the host is IPv6. */
export function addressText({ host, port }: ListenAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The error for a port that cannot be listened on. */
export function listenError(what: string, address: ListenAddress, error: NodeJS.ErrnoException): TenantryError {
  const where = `${what} port ${address.port} on ${address.host}`;
  if (error.code === "EADDRINUSE") {
    return new TenantryError(
      "ADDRESS_IN_USE",
      `${where} is taken by another program, perhaps another controller; stop it, or choose another port ` +
        `(--${what.toLowerCase()}-port N, 0 for any free one)`,
      { cause: error },
    );
  }
  const why = error.code === "EACCES" ? "permission denied; ports below 1024 often need rights" : (error.code ?? error.message);
  return new TenantryError("BAD_ARGUMENT", `cannot listen on ${where}: ${why}`, { cause: error });
}

/** Listens for a moment, to learn in Node's own words whether one can. @throws TenantryError ADDRESS_IN_USE, BAD_ARGUMENT */
export async function probeAddress(what: string, address: ListenAddress): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(what, address, error)));
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => server.close(() => resolve()));
  });
}
