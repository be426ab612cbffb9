/** Certificates, read from files once, at start. */
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { TenantryError } from "../../proto/errors.js";

/** Paths of PEM files. */
export interface TlsPaths {
  /** The controller's certificate chain. */
  cert: string;
  /** Its private key. */
  key: string;
  /** Given: only callers with a certificate signed by one of these are let in. */
  ca?: string;
}

/** What stands in them. */
export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
}

/** @throws TenantryError BAD_CONFIG naming the file that cannot be read, or saying why the pair cannot be used. */
export function readTlsFiles(paths: TlsPaths): TlsFiles {
  const files: TlsFiles = { cert: read("cert", paths.cert), key: read("key", paths.key) };
  if (paths.ca !== undefined) files.ca = read("ca", paths.ca);
  try {
    createSecureContext(files);
  } catch (error) {
    throw new TenantryError("BAD_CONFIG", `tls: certificate and key cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return files;
}

function read(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new TenantryError("BAD_CONFIG", `tls.${what}: ${path} cannot be read (${code}); expected a PEM file`, { cause: error });
  }
}
