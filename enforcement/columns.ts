/**
 * Numbers of many tenants in one typed array: a row of `stride` cells per tenant. Rows rather than one array per column,
 * because a request touches most cells of one tenant and none of another's: one or two cache lines instead of a dozen.
 */

/** `cells` with room for row `index`, contents kept: at least doubled when it must grow, so that growing is rare. */
export function withRow(cells: Float64Array<ArrayBuffer>, stride: number, index: number): Float64Array<ArrayBuffer> {
  const needed = (index + 1) * stride;
  if (needed <= cells.length) return cells;
  const grown = new Float64Array(Math.max(needed, 2 * cells.length, 16 * stride));
  grown.set(cells);
  return grown;
}

/** The same for small whole numbers. */
export function withIndex(cells: Int32Array<ArrayBuffer>, index: number, fill = 0): Int32Array<ArrayBuffer> {
  if (index < cells.length) return cells;
  const grown = new Int32Array(Math.max(index + 1, 2 * cells.length, 16)).fill(fill, cells.length);
  grown.set(cells);
  return grown;
}
