/**
 * Axes: which numbers stand at the ticks, and where a value falls between two edges.
 *
 * Linear ticks stand at multiples of 1, 2 or 5 times a power of ten; logarithmic ones at powers of ten, or at 1-2-5 when
 * there are few decades. The range of a linear y axis is widened to its outer ticks, so that no line ends outside the grid.
 */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  /** Where `value` stands between `from` (0) and `to` (1). */
  place(value: number): number;
}

/** A scale over [from, to] with about `count` ticks; `widen` moves the edges outward to ticks. */
export function linearScale(from: number, to: number, count: number, widen: boolean): Scale {
  if (!(to > from)) return linearScale(from, from + (Math.abs(from) || 1), count, widen);
  const step = niceStep((to - from) / count);
  const first = widen ? Math.floor(from / step + 1e-9) : Math.ceil(from / step - 1e-9);
  const last = widen ? Math.ceil(to / step - 1e-9) : Math.floor(to / step + 1e-9);
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) ticks.push(clean(i * step));
  const low = widen ? ticks[0] : from;
  const high = widen ? ticks[ticks.length - 1] : to;
  return { from: low, to: high, ticks, place: (value) => (value - low) / (high - low) };
}

/** A logarithmic scale over [from, to], both > 0, widened to 1-2-5 ticks. */
export function logScale(from: number, to: number): Scale {
  const decades = Math.log10(to / from);
  const mantissas = decades > 3.5 ? [1] : [1, 2, 5];
  const candidates: number[] = [];
  for (let power = Math.floor(Math.log10(from)) - 1; power <= Math.ceil(Math.log10(to)) + 1; power++) {
    for (const mantissa of mantissas) candidates.push(clean(mantissa * 10 ** power));
  }
  let first = 0;
  while (first + 1 < candidates.length && candidates[first + 1] <= from * (1 + 1e-9)) first++;
  let last = candidates.length - 1;
  while (last - 1 > first && candidates[last - 1] >= to * (1 - 1e-9)) last--;
  const ticks = candidates.slice(first, last + 1);
  const low = Math.log(ticks[0]);
  const high = Math.log(ticks[ticks.length - 1]);
  return { from: ticks[0], to: ticks[ticks.length - 1], ticks, place: (value) => (Math.log(value) - low) / (high - low) };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const mantissa = rough / power;
  return power * (mantissa <= 1 ? 1 : mantissa <= 2 ? 2 : mantissa <= 5 ? 5 : 10);
}

/** Removes the dust that decimal fractions gather in binary arithmetic. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}

/** A number as people read it: three significant digits, thousands separated, large and small ones with a suffix. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e9) return `${short(value / 1e9)} G`;
  if (size >= 1e6) return `${short(value / 1e6)} M`;
  if (size >= 1e3) return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, " ");
  if (size > 0 && size < 1e-3) return value.toExponential(1).replace("e", "·10^");
  return short(value);
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
