/** The heavy part of the demo: compressing well, as one does once for many readers. */
import { brotliCompressSync, constants } from "node:zlib";

const OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 10, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT } };

export function pack(blob: Uint8Array): Buffer {
  return brotliCompressSync(blob, OPTIONS);
}
