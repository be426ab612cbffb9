/** Asks a running controller, over HTTP, and says plainly when nobody answers. */
import { CommandFailure } from "./terminal.js";

/**
 * The JSON at `path` of the controller at `base`.
 *
 * @throws CommandFailure when nobody answers, or the answer is a refusal
 */
export async function ask<T>(base: string, path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(base + path, { signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    const { cause, message } = error as Error;
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
    throw new CommandFailure(
      `no controller answers at ${base} (${why}); start one with "tenantry controller", or say where with --controller`,
    );
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as T;
  const { message, code } = (body ?? {}) as { message?: string; code?: string };
  if (message !== undefined) throw new CommandFailure(`${message} (${code})`, response.status === 400 ? 2 : 1);
  throw new CommandFailure(`what answers at ${base} is no controller, or does not serve: HTTP ${response.status}`);
}
