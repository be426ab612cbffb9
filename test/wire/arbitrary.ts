/** Sound messages, any of them: what property tests and the fuzz start from. */
import fc from "fast-check";
import type { Allocation, Hello, Report, Rows } from "../../proto/messages.js";

/** A record with a prototype, as every object of ours has one. */
export function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T>;
export function record<T, K extends keyof T>(
  model: { [K in keyof T]: fc.Arbitrary<T[K]> },
  required: K[],
): fc.Arbitrary<Partial<T> & Pick<T, K>>;
export function record(model: Record<string, fc.Arbitrary<unknown>>, requiredKeys?: string[]): fc.Arbitrary<unknown> {
  return fc.record(model, requiredKeys === undefined ? { noNullPrototype: true } : { noNullPrototype: true, requiredKeys });
}

export const uint32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
export const sequence = fc.oneof(fc.nat(1_000), fc.maxSafeNat());
export const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
export const logicalName = fc.tuple(name, name).map(([a, b]) => `${a}/${b}`);
export const tenantId = fc.oneof(
  fc.stringMatching(/^[a-z]{1,12}$/),
  fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
    .filter((s) => s === s.trim() && !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\uFEFF\u202A-\u202E\u2066-\u2069]/u.test(s)),
);
const float = fc.oneof(fc.constant(0), fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }));

function column<T>(rows: number, entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(fc.constant<T[]>([]), fc.array(entry, { minLength: rows, maxLength: rows }));
}

function full<T>(rows: number, entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(entry, { minLength: rows, maxLength: rows });
}

function rowsOf(meter: number): fc.Arbitrary<Rows> {
  return fc.tuple(fc.nat(12), fc.nat(12)).chain(([rows, latencies]) => {
    const entries = rows === 0 ? 0 : latencies;
    return record({
      meter: fc.constant(meter),
      tenant: full(rows, fc.integer({ min: 1, max: 50 })),
      count: column(rows, uint32),
      cost: column(rows, uint32),
      costSquared: column(rows, fc.float({ min: 0, max: 2 ** 100, noNaN: true })),
      waitUs: column(rows, uint32),
      serviceUs: column(rows, uint32),
      throttleUs: column(rows, uint32),
      waiting: column(rows, uint32),
      running: column(rows, uint32),
      throttled: column(rows, uint32),
      oldestUs: column(rows, uint32),
      refused: column(rows, uint32),
      latencyRow: full(entries, fc.nat(Math.max(rows - 1, 0))).map((row) => row.sort((a, b) => a - b)),
      latencyBucket: full(entries, fc.nat(287)),
      latencyCount: full(entries, uint32),
    });
  });
}

export const report: fc.Arbitrary<Report> = record({
  sequence: fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }),
  back: fc.integer({ min: 1, max: 1_000 }),
  windowUs: fc.integer({ min: 1, max: 600_000_000 }),
  heldEpoch: sequence,
  heldSequence: sequence,
  tenants: fc.array(record({ index: fc.nat(999), name: tenantId }), { maxLength: 8 }),
  meters: fc.array(
    record({
      index: fc.nat(255),
      name,
      kind: fc.constantFrom(0 as const, 1 as const),
      unit: fc.constantFrom("", "us", "requests", "bytes"),
      slots: uint32,
    }),
    { maxLength: 4 },
  ),
  rows: fc.uniqueArray(fc.nat(255), { maxLength: 4 }).chain((meters) => fc.tuple(...meters.map(rowsOf))),
  feeds: fc.array(record({ point: logicalName, resource: fc.nat(255) }), { maxLength: 4 }),
}).map(({ back, ...rest }) => ({ ...rest, baseSequence: Math.max(rest.sequence - back, 0) }));

export const allocation: fc.Arbitrary<Allocation> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.nat(10), fc.nat(3))
  .chain(([points, tenants, rows, weights]) =>
    record({
      epoch: sequence,
      sequence,
      ttlUs: sequence,
      points: full(points, logicalName),
      tenants: full(tenants, tenantId),
      reasons: full(1, fc.constant("bottleneck-fairness|storage/disk")),
      point: full(rows, fc.nat(points - 1)),
      tenant: full(rows, fc.nat(tenants - 1)),
      ratePerSec: full(rows, float),
      burst: full(rows, float),
      fallbackPerSec: full(rows, float),
      reason: full(rows, fc.constant(0)),
      inArrivalOrder: fc.array(logicalName, { maxLength: 3 }),
      weightTenants: full(weights, tenantId),
      weights: full(weights, fc.double({ min: 0.001, max: 1_000, noNaN: true })),
    }),
  );

export const hello: fc.Arbitrary<Hello> = record(
  {
    service: name,
    instance: tenantId,
    boot: fc.stringMatching(/^[a-f0-9]{1,64}$/),
    acknowledgedSequence: sequence,
    held: allocation,
  },
  ["service", "instance", "boot", "acknowledgedSequence"],
);
