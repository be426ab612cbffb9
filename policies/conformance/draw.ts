/**
 * Views at random, from a seed: half of all numbers are what is usual (nothing waits, no limit, weight 1), the other half
 * anything, up to slowdowns of a million. The first views are small, so that what fails is seldom large to begin with.
 */
import type { Given, GivenTerms } from "./given.js";

/** A stream of numbers in 0..1 from a whole number: mulberry32, by Tommy Ettinger. */
export function streamOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Views after which sizes no longer grow. */
const GROWN = 60;

/**
 * The view of this number, the same for the same seed.
 *
 * @param calm nothing waits anywhere, nobody is limited, and nobody is beyond what was agreed
 */
export function draw(seed: number, number: number, calm: boolean): Given {
  const next = streamOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const between = (least: number, most: number) => least + (most - least) * next();
  const often = (usual: number, least: number, most: number) => (next() < 0.5 ? usual : between(least, most));
  const size = (most: number) => 1 + Math.floor(next() * Math.min(most, 1 + (most * number) / GROWN));
  const listOf = <T>(length: number, make: () => T) => Array.from({ length }, make);
  const tenants = size(6);
  const resources = size(4);
  const points = size(3);
  const slowdown = () => [1, between(1, 4), between(4, 60), 1e6][Math.floor(next() * 4)];
  const terms = (): GivenTerms => ({
    ...(next() < 0.5 && { p99TargetUs: between(1e3, 1e6) }),
    ...(next() < 0.5 && { tier: Math.floor(next() * 4) }),
    ...(next() < 0.5 && { cap: between(1, 2_000) }),
    ...(next() < 0.5 && { guarantee: between(1, 500) }),
  });
  const pair = () => ({
    through: often(0, 0.5, 2_000),
    waiting: calm ? 0 : often(0, 0.5, 500),
    tightness: calm ? 0 : often(0, 0.9, 2.5),
    reason: Math.floor(next() * resources),
    p99Us: calm ? 500 : often(0, 100, 5e6),
    oldestUs: calm ? 0 : often(0, 0, 5e6),
  });
  return {
    tenants: listOf(tenants, () => ({ weight: often(1, 0.1, 10), terms: calm ? {} : terms() })),
    resources: listOf(resources, () => ({ slowdown: calm ? 1 : slowdown(), calmServiceUs: between(100, 50_000) })),
    points: listOf(points, () => ({ fed: listOf(resources, () => next() < 0.5) })),
    pairs: listOf(points, () => listOf(tenants, pair)),
    costs: listOf(resources, () => listOf(tenants, () => ({ perCost: often(0, 10, 5_000), past: between(0, 3) }))),
  };
}

const nothing: Given = { tenants: [], resources: [], points: [], pairs: [], costs: [] };
const one = { weight: 1, terms: { p99TargetUs: 1, tier: 0, guarantee: 1 } };

/** Views that chance would seldom draw: with nobody, nothing, or no load in them. In none of them there is anything to limit. */
export const CORNERS: readonly Given[] = [
  nothing,
  { ...nothing, tenants: [one] },
  {
    ...nothing,
    tenants: [one],
    points: [{ fed: [] }],
    pairs: [[{ through: 5, waiting: 5, tightness: 0, reason: 0, p99Us: 9, oldestUs: 9 }]],
  },
  { ...nothing, tenants: [one], resources: [{ slowdown: 9, calmServiceUs: 1 }], costs: [[{ perCost: 1, past: 1 }]] },
  { ...nothing, resources: [{ slowdown: 9, calmServiceUs: 1 }], points: [{ fed: [true] }], pairs: [[]], costs: [[]] },
  {
    tenants: [one],
    resources: [{ slowdown: 1e6, calmServiceUs: 0 }],
    points: [{ fed: [true] }],
    pairs: [[{ through: 0, waiting: 5, tightness: 0, reason: 0, p99Us: 0, oldestUs: 1e6 }]],
    costs: [[{ perCost: 0, past: 0 }]],
  },
];
