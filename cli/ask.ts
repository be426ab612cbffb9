/** Asks a running controller, over HTTP, and says plainly when nobody answers. */
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import { CommandFailure } from "./terminal.js";
import type { ClientTls } from "./tls-options.js";

/**
 * The JSON at `path` of the controller at `base`.
 *
 * @param tls for https: who vouches for the controller, and who we are
 * @throws CommandFailure when nobody answers, or the answer is a refusal
 */
export async function ask<T>(base: string, path: string, tls: ClientTls | undefined): Promise<T> {
  let answer: { status: number; text: string };
  try {
    answer = await get(new URL(path, base), tls);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`no controller answers at ${base} (${code ?? message}); ${remedyFor(code)}`);
  }
  const body = parsed(answer.text);
  if (answer.status === 200 && body !== undefined) return body as T;
  const { message, code } = (body ?? {}) as { message?: string; code?: string };
  if (message !== undefined) throw new CommandFailure(`${message} (${code})`, answer.status === 400 ? 2 : 1);
  throw new CommandFailure(`what answers at ${base} is no controller, or does not serve: HTTP ${answer.status}`);
}

/** What to do about a connection that failed so. */
function remedyFor(code: string | undefined): string {
  if (code === "ECONNRESET" || code === "EPROTO") {
    return "does it ask for TLS? then say https:// in --controller, and give --ca, and --cert and --key where it wants to know who calls";
  }
  // OpenSSL's names for who cannot be believed, and Node's for another's certificate.
  if (/CERT|SIGNATURE|ISSUER/.test(code ?? "")) {
    return "its certificate is not believed: give --ca, the file that vouches for it, and the name that stands in it";
  }
  return 'start one with "tenantry controller", or say where with --controller';
}

function get(url: URL, tls: ClientTls | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: 10_000, ...(url.protocol === "https:" && tls) };
    const request = (url.protocol === "https:" ? secureRequest : plainRequest)(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", reject).end();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}
