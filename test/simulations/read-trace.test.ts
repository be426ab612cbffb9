/** Traces from files: what is wrong with one is told with its line, and no half of it is ever used. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { conductTrace, outcomeOf, type ScenarioOutcome } from "../../simulations/index.js";
import { readTrace } from "../../simulations/io/index.js";
import { TraceReader } from "../../simulations/pool/trace-reader.js";
import { dataPath } from "../data.js";

const folder = mkdtempSync(join(tmpdir(), "tenantry-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MAIN = join(import.meta.dirname, "..", "..", "dist", "cli", "main.js");
const HEAD = "arrival_us,tenant,api,cost\n";
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}
const badTrace = (message: RegExp) => expect.objectContaining({ code: "BAD_TRACE", message: expect.stringMatching(message) });

describe("a trace", () => {
  test("is read from plain and from compressed files, whatever their names", async () => {
    const text = `${HEAD}0,a,read,5\n10,b,read,7.5\n10,a,write,0\n`;
    for (const path of [file("plain.csv", text), file("packed.csv.gz", gzipSync(text)), file("packed.csv", gzipSync(text))]) {
      const { workload } = await readTrace(path);
      expect(workload.tenants).toEqual(["a", "b"]);
      expect(workload.apis).toEqual(["read", "write"]);
      const { count, atUs, tenant, api, cost } = workload.arrivals;
      expect([count, [...atUs], [...tenant], [...api], [...cost]]).toEqual([3, [0, 10, 10], [0, 1, 0], [0, 0, 1], [5, 7.5, 0]]);
    }
  });

  test("may have columns in any order and more of them, quotes, a byte-order mark, CRLF, no last newline", async () => {
    const text = '\uFEFFcost,"Tenant",x,arrival_us,api\r\n1,"a,1",?,3,r\r\n2,"say ""hi""",,4,\r\n\r\n3,c,,5,r';
    const { workload } = await readTrace(file("odd.csv", text));
    expect(workload.tenants).toEqual(["a,1", 'say "hi"', "c"]);
    expect(workload.apis).toEqual(["r", ""]);
    expect([...workload.arrivals.cost]).toEqual([1, 2, 3]);
  });

  test.each<[string, string, RegExp]>([
    ["nothing", "", /no request/],
    ["a head only", HEAD, /no request/],
    ["a column missing", "arrival_us,tenant,api\n1,a,r\n", /:1 names no column cost/],
    ["no head at all", "1,a,r,5\n", /:1 names no column arrival_us, tenant, api, cost/],
    ["a field missing", `${HEAD}1,a,r,5\n2,a,5\n`, /:3 has 3 fields; expected 4/],
    ["a field too many", `${HEAD}1,a,r,5,6\n`, /:2 has 5 fields/],
    ["times that go back", `${HEAD}5,a,r,1\n4,a,r,1\n`, /:3 has arrival_us 4 after 5; expected lines in order/],
    ["a time that is none", `${HEAD}soon,a,r,1\n`, /:2 has arrival_us "soon"/],
    ["a time below 0", `${HEAD}-1,a,r,1\n`, /:2 has arrival_us "-1"/],
    ["no time", `${HEAD},a,r,1\n`, /:2 has arrival_us ""/],
    ["a NaN cost", `${HEAD}1,a,r,NaN\n`, /:2 has cost "NaN"; expected a finite number/],
    ["no cost", `${HEAD}1,a,r,\n`, /:2 has cost ""/],
    ["a cost below 0", `${HEAD}1,a,r,-5\n`, /:2 has cost "-5"/],
    ["an infinite cost", `${HEAD}1,a,r,1e999\n`, /:2 has cost "1e999"/],
    ["no tenant", `${HEAD}1,,r,1\n`, /:2 has tenant ""/],
    ["a tenant with a line separator", `${HEAD}1,a\u2028b,r,1\n`, /:2 has tenant/],
    ["a quote that does not end", `${HEAD}1,"a,r,1\n`, /:2 has a quote that does not end/],
    ["text after a quote", `${HEAD}1,"a"b,r,1\n`, /:2 has text after a quoted field/],
    ["a line without end", `${HEAD}${"x".repeat(70_000)}`, /:2 is longer/],
  ])("with %s is refused, with its line", async (_, text, message) => {
    await expect(readTrace(file("bad.csv", text))).rejects.toEqual(badTrace(message));
    await expect(readTrace(file("bad.csv.gz", gzipSync(text)))).rejects.toEqual(badTrace(message));
  });

  test("gives further columns that are asked for, by name", async () => {
    const path = file("more.csv", "arrival_us,tenant,bytes,api,cost,seeks\n0,a,5,r,1,0\n1,b,7.5,r,1,2\n");
    expect((await readTrace(path, ["seeks", "bytes"])).numbers).toEqual({ seeks: [0, 2], bytes: [5, 7.5] });
    expect((await readTrace(path)).numbers).toEqual({});
  });

  test.each<[string, string, RegExp]>([
    ["missing", `${HEAD}1,a,r,5\n`, /:1 names no column bytes .*at least arrival_us,tenant,api,cost,bytes/],
    ["empty", "arrival_us,tenant,api,cost,bytes\n1,a,r,5,1\n2,a,r,5,\n", /:3 has bytes ""; expected a finite number/],
    ["below 0", "arrival_us,tenant,api,cost,bytes\n1,a,r,5,-1\n", /:2 has bytes "-1"/],
    ["a word", "arrival_us,tenant,api,cost,bytes\n1,a,r,5,many\n", /:2 has bytes "many"/],
    ["right, and times that go back", "arrival_us,tenant,api,cost,bytes\n2,a,r,5,1\n1,a,r,5,1\n", /:3 has arrival_us 1 after 2/],
  ])("whose further column is %s is refused, with its line", async (_, text, message) => {
    await expect(readTrace(file("bad.csv.gz", gzipSync(text)), ["bytes"])).rejects.toEqual(badTrace(message));
  });

  test("whose compressed data ends too early, or is damaged, is refused", async () => {
    const lines = Array.from({ length: 20_000 }, (_, k) => `${k},tenant-${(k * 7919) % 97},r,${(k * 104_729) % 1_000}`);
    const packed = gzipSync(HEAD + lines.join("\n"));
    const cut = file("cut.csv.gz", packed.subarray(0, packed.length >> 1));
    await expect(readTrace(cut)).rejects.toEqual(badTrace(/ends too early, after line \d+/));
    const damaged = Uint8Array.from(packed);
    damaged[packed.length >> 1] ^= 0xff;
    await expect(readTrace(file("damaged.csv.gz", damaged))).rejects.toEqual(badTrace(/damaged|expected/));
  });

  test("that is not there is UNAVAILABLE; an empty file is a trace without requests", async () => {
    await expect(readTrace(join(folder, "none.csv"))).rejects.toEqual(expect.objectContaining({ code: "UNAVAILABLE" }));
    await expect(readTrace(folder)).rejects.toEqual(expect.objectContaining({ code: "UNAVAILABLE" }));
  });

  test("is the same however its text is cut", () => {
    const text = `${HEAD}${Array.from({ length: 40 }, (_, k) => `${k},t${k % 5},"a,${k % 3}",${k / 4}`).join("\r\n")}`;
    const whole = new TraceReader("x");
    whole.text(text);
    const expected = whole.end();
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const reader = new TraceReader("x");
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        for (let k = 1; k < places.length; k++) reader.text(text.slice(places[k - 1], places[k]));
        expect(reader.end()).toEqual(expected);
      }),
    );
  });

  test("may have a million tenants: every one is served, in 256 MB of heap", async () => {
    const lines = Array.from({ length: 1_000_000 }, (_, k) => `${k * 10},t${k},r,${1 + (k % 7)}`);
    const path = file("many.csv.gz", gzipSync(HEAD + lines.join("\n"), { level: 1 }));
    const contest = ["--threads", "4", "--scheduler", "2dfq", "--estimator", "pessimistic"];
    const args = ["--max-old-space-size=256", MAIN, "simulate", "trace", path, "--json", ...contest];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { expectations, figures } = JSON.parse(stdout) as ScenarioOutcome;
    expect(expectations.filter(({ met }) => !met)).toEqual([]);
    expect([figures.requests, figures.lightTenants]).toEqual([1_000_000, 0]);
  }, 60_000);
});

describe("scenario trace", () => {
  const lines = Array.from({ length: 3_000 }, (_, k) => `${k * 100},t${k % 7},a${k % 2},${k % 7 === 0 ? 2_000 : 150}`);
  const workload = () => {
    const reader = new TraceReader("small.csv");
    reader.text(HEAD + lines.join("\n"));
    return reader.end();
  };

  test("runs every scheduler asked for, twice alike", () => {
    const settings = { slots: 4, utilisation: 1.5, schedulers: ["fifo", "drr", "2dfq"], estimators: ["known", "pessimistic"] };
    const result = conductTrace("small.csv", workload(), settings);
    expect(result.met).toBe(true);
    expect(result.report.tables?.[1].rows.map(([name]) => name)).toEqual([
      "fifo",
      "drr known",
      "drr pess.",
      "2dfq known",
      "2dfq pess.",
    ]);
    expect(Number(result.figures["2dfq known: lightP99Ms"])).toBeLessThan(Number(result.figures["fifo: lightP99Ms"]));
    expect(outcomeOf(conductTrace("small.csv", workload(), settings))).toEqual(outcomeOf(result));
  });

  test("refuses settings out of range, with what there is", () => {
    const one = workload();
    expect(() => conductTrace("x", one, { schedulers: ["lottery"] })).toThrow(/no scheduler "lottery"; choose of fifo, /);
    expect(() => conductTrace("x", one, { estimators: ["guess"] })).toThrow(/no estimator "guess"/);
    for (const utilisation of [0, -1, Number.NaN, 3])
      expect(() => conductTrace("x", one, { utilisation })).toThrow(/utilisation/);
    const reader = new TraceReader("one.csv");
    reader.text(`${HEAD}5,a,r,1\n`);
    expect(() => conductTrace("one.csv", reader.end())).toThrow(/do not tell how fast a slot is/);
  });

  // Requests, tenants and apis as the traces' own descriptions count them.
  const real: [string, number, number, number][] = [
    ["servegen/mm_image_1h.csv.gz", 34_628, 18, 2],
    ["servegen/deepseek_r1_1h.csv.gz", 71_508, 35, 1],
    ["azure_functions_2019/derived_10min.csv.gz", 66_483, 288, 322],
  ];
  for (const [name, ...counts] of real) {
    const path = dataPath(`traces/${name}`);
    test.skipIf(path === undefined)(`a real one: ${name}`, async () => {
      const { workload: recorded } = await readTrace(path!);
      expect([recorded.arrivals.count, recorded.tenants.length, recorded.apis.length]).toEqual(counts);
      const result = conductTrace(name, recorded, { schedulers: ["fifo", "2dfq"], estimators: ["known"] });
      expect(result.met).toBe(true);
      expect(Number(result.figures["2dfq known: lightP99Ms"])).toBeLessThan(Number(result.figures["fifo: lightP99Ms"]));
    });
  }
});
