import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TenantryError } from "../../proto/errors.js";
import { emptyAllocation, emptyRows, type Report } from "../../proto/messages.js";
import { validateAgentMessage, validateControllerMessage, validateReport } from "../../proto/validate.js";
import * as any from "./arbitrary.js";

const limits = { maxTenants: 1_000, maxMeters: 10 };

function reportWith(part: object): Report {
  const empty = { sequence: 2, baseSequence: 1, windowUs: 1, heldEpoch: 0, heldSequence: 0 };
  return { ...empty, tenants: [], meters: [], rows: [], feeds: [], ...part };
}

function rowsWith(part: object): Report {
  return reportWith({ rows: [{ ...emptyRows(3), tenant: [0, 5, 2], ...part }] });
}

describe("every refusal says which field, its value, and what was expected", () => {
  const reports: [object, RegExp][] = [
    [reportWith({ sequence: 0 }), /report\.sequence is 0; expected a whole number from 1 to 9007199254740991/],
    [reportWith({ sequence: 1.5 }), /report\.sequence is 1\.5/],
    [reportWith({ baseSequence: 2 }), /report\.baseSequence is 2; expected less than report\.sequence \(2\)/],
    [reportWith({ windowUs: 0 }), /report\.windowUs is 0; expected a whole number from 1 to 600000000/],
    [reportWith({ heldEpoch: -1 }), /report\.heldEpoch is -1/],
    [
      reportWith({ tenants: [{ index: 1_000, name: "a" }] }),
      /report\.tenants\[0\]\.index is 1000; expected a whole number from 0 to 999/,
    ],
    [reportWith({ tenants: [{ index: 0, name: "a\nb" }] }), /report\.tenants\[0\]\.name is "a\\nb"; expected a tenant id/],
    [reportWith({ tenants: null }), /report\.tenants is null; expected a list/],
    [reportWith({ meters: [{ index: 0, name: "disk", kind: 2, unit: "us" }] }), /report\.meters\[0\]\.kind is 2/],
    [reportWith({ meters: [{ index: 0, name: "a b", kind: 0, unit: "us" }] }), /report\.meters\[0\]\.name is "a b"/],
    [reportWith({ meters: [{ index: 0, name: "a", kind: 0, unit: "\u0007" }] }), /report\.meters\[0\]\.unit/],
    [reportWith({ meters: [{ index: 0, name: "a", kind: 0, unit: "us", slots: -1 }] }), /report\.meters\[0\]\.slots is -1/],
    [reportWith({ feeds: [{ point: "read", resource: 0 }] }), /report\.feeds\[0\]\.point is "read"; expected service\/name/],
    [reportWith({ feeds: [{ point: "a/b", resource: 10 }] }), /report\.feeds\[0\]\.resource is 10/],
    [reportWith({ rows: [emptyRows(3), emptyRows(3)] }), /report\.rows\[1\]\.meter is 3; expected a meter that has no rows yet/],
    [reportWith({ rows: [emptyRows(10)] }), /report\.rows\[0\]\.meter is 10/],
    [
      rowsWith({ tenant: [1, 0] }),
      /report\.rows\[0\]\.tenant\[1\] is 0; expected steps that strictly increase to at most 999 \(here 1\)/,
    ],
    [rowsWith({ tenant: [999, 1] }), /report\.rows\[0\]\.tenant\[1\] is 1; .* \(here 1000\)/],
    [rowsWith({ count: [1, 2] }), /report\.rows\[0\]\.count has 2 entries; expected 0 or 3, one for each row/],
    [rowsWith({ waitUs: [1, -2, 3] }), /report\.rows\[0\]\.waitUs\[1\] is -2; expected a whole number from 0 to 4294967295/],
    [rowsWith({ serviceUs: [1, 2, Number.NaN] }), /report\.rows\[0\]\.serviceUs\[2\] is NaN/],
    [
      rowsWith({ costSquared: [1, 2, Number.POSITIVE_INFINITY] }),
      /costSquared\[2\] is Infinity; expected a finite number, 0 or more/,
    ],
    [
      rowsWith({ latencyRow: [3], latencyBucket: [0], latencyCount: [1] }),
      /latencyRow\[0\] is 3; expected non-decreasing rows from 0 to 2/,
    ],
    [rowsWith({ latencyRow: [1, 0], latencyBucket: [0, 0], latencyCount: [1, 1] }), /latencyRow\[1\] is 0/],
    [rowsWith({ latencyRow: [1], latencyBucket: [288], latencyCount: [1] }), /latencyBucket\[0\] is 288; .* from 0 to 287/],
    [rowsWith({ latencyRow: [1], latencyBucket: [], latencyCount: [1] }), /latencyBucket has 0 entries; expected 1/],
  ];
  test.each(reports)("%#", (report, message) => {
    expect(() => validateReport(report as Report, limits)).toThrow(message);
    expect(() => validateReport(report as Report, limits)).toThrow(expect.objectContaining({ code: "BAD_MESSAGE" }));
  });

  const row = { points: ["a/b"], tenants: ["t"], reasons: ["p|r"], point: [0], tenant: [0], reason: [0] };
  const amounts = { ratePerSec: [1], burst: [1], fallbackPerSec: [1] };
  const allocations: [object, RegExp][] = [
    [{ point: [1] }, /allocation\.point\[0\] is 1; expected a whole number from 0 to 0/],
    [{ ratePerSec: [Number.NaN] }, /allocation\.ratePerSec\[0\] is NaN; expected a finite number, 0 or more/],
    [{ ratePerSec: [-1] }, /allocation\.ratePerSec\[0\] is -1/],
    [{ burst: [] }, /allocation\.burst has 0 entries; expected 1, one for each row/],
    [{ fallbackPerSec: [Number.POSITIVE_INFINITY] }, /allocation\.fallbackPerSec\[0\] is Infinity/],
    [{ weightTenants: ["t"], weights: [0] }, /allocation\.weights\[0\] is 0; expected a number from 1e-9 to 1e9/],
    [{ weightTenants: ["t"], weights: [1e-10] }, /allocation\.weights\[0\] is 1e-10; expected a number from 1e-9 to 1e9/],
    [{ weightTenants: ["a", "b"], weights: [1e9, 1e10] }, /allocation\.weights\[1\] is 10000000000; expected a number/],
    [{ points: ["a"] }, /allocation\.points\[0\] is "a"; expected service\/name/],
    [{ ttlUs: -1 }, /allocation\.ttlUs is -1/],
  ];
  test.each(allocations)("allocation %#", (part, message) => {
    const allocation = { ...emptyAllocation(1, 1, 1), ...row, ...amounts };
    validateControllerMessage({ allocation });
    expect(() => validateControllerMessage({ allocation: { ...allocation, ...part } })).toThrow(message);
  });

  test("a message carries exactly one thing", () => {
    expect(() => validateAgentMessage({})).toThrow(/message has neither a hello nor a report; expected one of them/);
    expect(() => validateControllerMessage({})).toThrow(/message has 0 of its fields/);
  });
});

test("whatever stands in whatever field, a message is taken or refused with BAD_MESSAGE, and nothing else is thrown", () => {
  const junk = fc.oneof(
    fc.constantFrom(undefined, null, "", "x", -1, 0.5, 2 ** 32, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, true),
    fc.constantFrom([], {}, [null], [undefined], [[]], [{}], ["\u0000"], [Number.NaN], [-1], new Array(3)),
    fc.anything({ withBigInt: false }),
  );
  const message = fc.oneof(
    any.record({ report: any.report }),
    any.record({ hello: any.hello }),
    any.record({ allocation: any.allocation }),
  );
  let refused = 0;
  fc.assert(
    fc.property(message, fc.nat(), junk, (sound, where, value) => {
      const spoilt = structuredClone(sound);
      const places = placesIn(spoilt);
      const [parent, key] = places[where % places.length];
      parent[key] = value;
      try {
        if ("allocation" in spoilt) validateControllerMessage(spoilt);
        else validateAgentMessage(spoilt);
      } catch (error) {
        expect(error).toBeInstanceOf(TenantryError);
        expect(error).toMatchObject({ code: "BAD_MESSAGE" });
        refused++;
      }
    }),
    { numRuns: 3_000 },
  );
  expect(refused).toBeGreaterThan(1_000);
});

test("what cannot be made a number or a text is refused in every place like anything else", () => {
  const stubborn: unknown[] = [{ toString: {} }, { valueOf: 0, toString: 0 }, Symbol("s"), 1n];
  const held = {
    ...{ epoch: 1, sequence: 1, ttlUs: 1, points: ["a/b"], tenants: ["t"], reasons: ["p|a/b"], inArrivalOrder: ["a/b"] },
    ...{ point: [0], tenant: [0], ratePerSec: [1], burst: [1], fallbackPerSec: [1], reason: [0] },
    ...{ weightTenants: ["t"], weights: [1] },
  };
  const report = reportWith({
    tenants: [{ index: 0, name: "t" }],
    meters: [{ index: 0, name: "m", kind: 0, unit: "us", slots: 1 }],
    rows: [
      { ...emptyRows(3), tenant: [0], count: [1], costSquared: [1], latencyRow: [0], latencyBucket: [0], latencyCount: [1] },
    ],
    feeds: [{ point: "a/b", resource: 0 }],
  });
  const hello = { service: "a", instance: "b", boot: "c", acknowledgedSequence: 0, held };
  for (const sound of [{ report }, { hello }, { allocation: held }]) {
    expect(() => ("allocation" in sound ? validateControllerMessage(sound) : validateAgentMessage(sound))).not.toThrow();
    const count = placesIn(sound).length;
    for (let where = 0; where < count; where++) {
      for (const value of stubborn) {
        const spoilt = structuredClone(sound);
        const [parent, key] = placesIn(spoilt)[where];
        parent[key] = value;
        const check = () => ("allocation" in spoilt ? validateControllerMessage(spoilt) : validateAgentMessage(spoilt));
        expect(check, `${key} ${typeof value}`).toThrow(expect.objectContaining({ code: "BAD_MESSAGE" }));
      }
    }
  }
});

type Holder = Record<string, unknown>;

/** Every (object, key) below `value`. */
function placesIn(value: object): [Holder, string][] {
  return Object.entries(value).flatMap(([key, part]) => [
    [value as Holder, key] as [Holder, string],
    ...(typeof part === "object" && part !== null ? placesIn(part) : []),
  ]);
}
