/**
 * Spans (cost per unit of weight) rounded up to an eighth of an octave, from the bits of the number: exponent and first three
 * bits of the fraction. Rounding is linear within the octave, so edges are exact in binary and the same on every machine:
 *
 *   edges of octave e:  2^e · (1 + k/8),  k = 0 … 7;    stratum = 8·e + k of the least edge ≥ span
 *
 * At most 12.5 % above the truth. Spans below 2^−20 or above 2^43 share the outermost strata.
 */
const LOWEST_OCTAVE = -20;
const OCTAVES = 63;
export const STRATA = OCTAVES * 8 + 1;

const bits = new DataView(new ArrayBuffer(8));

/** The stratum of a span ≥ 0: 0 … STRATA − 1. */
export function stratumOf(span: number): number {
  bits.setFloat64(0, span);
  const high = bits.getUint32(0);
  // Eight strata to the octave fall out of the top bits: exponent, then three bits of fraction.
  let stratum = (high >>> 17) - ((1023 + LOWEST_OCTAVE) << 3);
  // Anything beyond those bits rounds up.
  if ((high & 0x1ffff) !== 0 || bits.getUint32(4) !== 0) stratum += 1;
  return stratum < 0 ? 0 : stratum >= STRATA ? STRATA - 1 : stratum;
}

const SPANS = Float64Array.from(
  { length: STRATA },
  (_, stratum) => 2 ** (LOWEST_OCTAVE + (stratum >> 3)) * (1 + (stratum & 7) / 8),
);

/** The span a stratum stands for: its upper edge. */
export function spanOfStratum(stratum: number): number {
  return SPANS[stratum];
}
