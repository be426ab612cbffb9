/**
 * A recorded trace from a CSV file, plain or gzip: read as a stream, line by line, into columns (24 bytes per request), so that
 * the text is never in memory as a whole. What is wrong with a file is told with its line, and nothing of it is used.
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { TenantryError } from "../../proto/errors.js";
import { TraceReader } from "../pool/trace-reader.js";
import type { Recording } from "../scenario.js";

/**
 * Reads `FILE.csv` or `FILE.csv.gz` (told by its first bytes, not by its name).
 *
 * @throws TenantryError BAD_TRACE, saying file and line, or that the file ends within its compressed data; UNAVAILABLE when it
 *   cannot be read
 * @param more names of columns that are wanted beside those of every trace
 */
export async function readTrace(path: string, more: readonly string[] = []): Promise<Recording> {
  const reader = new TraceReader(path, more);
  const decoder = new TextDecoder("utf-8");
  try {
    for await (const chunk of chunksOf(path)) reader.text(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    if (error instanceof TenantryError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR") {
      throw new TenantryError(
        "BAD_TRACE",
        `${path}: the compressed data ends too early, after line ${reader.line}; is the file whole?`,
      );
    }
    if (code?.startsWith("Z_")) {
      throw new TenantryError("BAD_TRACE", `${path}: the compressed data is damaged after line ${reader.line} (${message})`);
    }
    throw new TenantryError("UNAVAILABLE", `${path} cannot be read: ${code ?? message}`, { cause: error });
  }
  reader.text(decoder.decode());
  return { path, workload: reader.end(), numbers: reader.numbers };
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  let gunzip: ReturnType<typeof createGunzip> | undefined;
  const first = await new Promise<Uint8Array | undefined>((resolve, reject) => {
    file.once("error", reject);
    file.once("readable", () => resolve((file.read() as Uint8Array | null) ?? undefined));
    file.once("end", () => resolve(undefined));
  });
  if (first === undefined) return;
  file.unshift(first);
  if (first[0] === 0x1f && first[1] === 0x8b) {
    gunzip = createGunzip();
    file.on("error", (error) => gunzip?.destroy(error));
    yield* file.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } else {
    yield* file as AsyncIterable<Uint8Array>;
  }
}
