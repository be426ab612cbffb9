/**
 * Who may change settings. Whoever reaches a port of this machine alone may: it is his own. From elsewhere a caller must show who
 * it is, and be named: a certificate lets an agent report, not decide for everybody.
 */
import type { PeerCertificate } from "node:tls";
import { TenantryError } from "../../proto/errors.js";
import { shown } from "../../proto/names.js";
import { isLoopback } from "./listen-address.js";
import type { TlsFiles } from "./tls-files.js";

/** What a call tells of its caller. */
export interface Caller {
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: PeerCertificate };
}

/** Why this caller may not change anything; undefined: it may. */
export type Permission = (caller: Caller) => TenantryError | undefined;

/** @param administrators common names of certificates that may change settings */
export function changePermission(tls: TlsFiles | undefined, administrators: readonly string[]): Permission {
  // Without TLS only this machine can be listened on.
  if (tls === undefined) return () => undefined;
  if (tls.ca === undefined) {
    return (caller) => {
      if (isLoopback(hostOf(caller.getPeer()))) return undefined;
      return refusal(
        "callers from other machines show no certificate here; set tls.ca and administrators, or ask on this machine",
      );
    };
  }
  const allowed = new Set(administrators);
  return (caller) => {
    const names = [caller.getAuthContext().sslPeerCertificate?.subject?.CN ?? []].flat();
    if (names.some((name) => allowed.has(name))) return undefined;
    const whose = names.length === 0 ? "no name" : `the name ${shown(names[0])}`;
    const named = allowed.size === 0 ? "nobody is" : `${[...allowed].map(shown).join(", ")} ${allowed.size === 1 ? "is" : "are"}`;
    return refusal(
      `the caller's certificate has ${whose}, and ${named} named under "administrators" in the controller's configuration; name it there`,
    );
  };
}

function refusal(why: string): TenantryError {
  return new TenantryError("NOT_ALLOWED", `nothing was changed: ${why}`);
}

/** `127.0.0.1:4711`, `[::1]:4711`, `::ffff:127.0.0.1:4711` → the host, IPv4 as such. */
function hostOf(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(":"));
  return host.replace(/^\[|\]$/g, "").replace(/^::ffff:/, "");
}
