import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileStore } from "../../controller/io/file-store.js";
import { emptyState, type State } from "../../controller/state.js";
import type { TenantryError } from "../../proto/errors.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tenantry-store-"));
  path = join(folder, "state.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function load(from = path): Promise<{ error?: TenantryError; state?: State }> {
  return new Promise((resolve) => fileStore(from).load((error, state) => resolve({ error, state })));
}

function save(state: State, to = path): Promise<TenantryError | undefined> {
  return new Promise((resolve) => fileStore(to).save(state, resolve));
}

function stateOf(epoch: number): State {
  return { ...emptyState(), epoch, tenants: { acme: { weight: epoch, mode: "observe" } } };
}

describe("the file store", () => {
  test("knows nothing at first, and then what was saved last", async () => {
    expect(await load()).toEqual({});
    expect(await save(stateOf(1))).toBeUndefined();
    expect(await save(stateOf(2))).toBeUndefined();
    expect(await load()).toEqual({ state: stateOf(2) });
    expect(readdirSync(folder).sort()).toEqual(["state.json", "state.json.lock", "state.json.prev"]);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  test("makes the folder when it is missing", async () => {
    const deep = join(folder, "a", "b", "state.json");
    expect(await save(stateOf(1), deep)).toBeUndefined();
    expect(await load(deep)).toEqual({ state: stateOf(1) });
  });

  const damages: [string, () => void][] = [
    ["torn", () => truncateSync(path, 40)],
    ["empty", () => truncateSync(path, 0)],
    ["altered", () => writeFileSync(path, readFileSync(path, "utf8").replace('"weight":7', '"weight":9'))],
    ["missing", () => rmSync(path)],
    ["of another kind", () => writeFileSync(path, "[1, 2, 3]")],
    [
      "binary",
      () =>
        writeFileSync(
          path,
          Uint8Array.from({ length: 300 }, (_, i) => (i * 7) % 256),
        ),
    ],
  ];

  test.each(damages)("uses the version before when the newest is %s, says so, and never repeats an epoch", async (_, damage) => {
    await save(stateOf(6));
    await save(stateOf(7));
    damage();
    const { error, state } = await load();
    expect(error?.code).toBe("STORE_CORRUPT");
    expect(error?.message).toContain(path);
    expect(error?.message).toContain("state.json.prev, is used instead");
    // The lost version was of epoch 7; a controller raises what it finds by one, and must come out above it.
    expect(state?.epoch).toBe(7);
    expect(state?.tenants).toEqual(stateOf(6).tenants);
    // The next save does not replace the sound version before by the damaged one.
    expect(await save(stateOf(8))).toBeUndefined();
    expect((await load()).state).toEqual(stateOf(8));
    truncateSync(path, 10);
    expect((await load()).state?.tenants).toEqual(stateOf(6).tenants);
  });

  test("says what to do when both versions are damaged", async () => {
    await save(stateOf(1));
    await save(stateOf(2));
    truncateSync(path, 5);
    truncateSync(`${path}.prev`, 5);
    const { error, state } = await load();
    expect(state).toBeUndefined();
    expect(error?.code).toBe("STORE_CORRUPT");
    expect(error?.message).toMatch(/restore one of them, or remove both to start afresh/);
  });

  // Folders there cannot be made, and Node's own way to make several at once never ends.
  test.skipIf(process.platform !== "linux")("says plainly that its folder cannot be made", async () => {
    const { error } = await load("/proc/tenantry/deep/state.json");
    expect(error).toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringMatching(/cannot be read: ENOENT; see that/),
    });
    expect(await save(stateOf(1), "/proc/tenantry/state.json")).toMatchObject({ code: "STORE_UNAVAILABLE" });
  });

  test("says plainly when it cannot be read or written", async () => {
    writeFileSync(join(folder, "file"), "");
    const below = join(folder, "file", "state.json");
    const { error } = await load(below);
    expect(error?.code).toBe("STORE_UNAVAILABLE");
    expect((await save(stateOf(1), below))?.code).toBe("STORE_UNAVAILABLE");
  });

  test("refuses a file that another living process uses, names it, and says the way out", async () => {
    const lock = `${path}.lock`;
    // Our parent lives for certain.
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname() }));
    const { error, state } = await load();
    expect(state).toBeUndefined();
    expect(error?.code).toBe("STORE_IN_USE");
    for (const part of [path, `process ${process.ppid}`, "--state FILE", `remove ${lock}`])
      expect(error?.message).toContain(part);
    // Of a process that is gone, of another machine, or torn: taken over.
    for (const text of [JSON.stringify({ pid: 2 ** 30, host: hostname() }), JSON.stringify({ pid: 1, host: "other" }), "{"]) {
      writeFileSync(lock, text);
      expect(await load()).toEqual({});
    }
    const store = fileStore(path);
    await new Promise<void>((resolve) => store.load(() => resolve()));
    store.close?.();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a controller whose file was taken over saves nothing, and says so", async () => {
    const [first, second] = [fileStore(path), fileStore(path)];
    const saveIn = (store: typeof first, epoch: number) =>
      new Promise<TenantryError | undefined>((resolve) => store.save(stateOf(epoch), resolve));
    expect(await saveIn(first, 6)).toBeUndefined();
    expect(await saveIn(first, 6)).toBeUndefined();
    // Both started from epoch 5 at once.
    expect((await saveIn(second, 6))?.code).toBe("STORE_IN_USE");
    expect(await saveIn(second, 7)).toBeUndefined();
    const refused = await saveIn(first, 6);
    expect(refused?.code).toBe("STORE_IN_USE");
    expect(refused?.message).toContain("another controller (epoch 7) has taken over");
    expect((await load()).state).toEqual(stateOf(7));
  });

  test("survives SIGKILL at any moment: what is loaded is what was saved last, or what was being saved", async () => {
    const program = join(import.meta.dirname, "saves-for-ever.mjs");
    let saved = 0;
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, [program, path, String(saved)], { stdio: ["ignore", "pipe", "inherit"] });
      const over = new Promise((resolve) => child.once("exit", resolve));
      // Each line is a version that is safe; after some of them the child is killed, wherever it then is.
      const lines = 1 + ((round * 7) % 13);
      let seen = 0;
      for await (const chunk of child.stdout) {
        const numbers = String(chunk).trim().split("\n").map(Number);
        saved = Math.max(saved, ...numbers);
        seen += numbers.length;
        if (seen >= lines) child.kill("SIGKILL");
      }
      await over;
      const { error, state } = await load();
      expect(error).toBeUndefined();
      expect(state?.epoch).toBeGreaterThanOrEqual(saved);
      expect(state).toEqual(stateOf(state?.epoch ?? 0));
      saved = state?.epoch ?? 0;
    }
    expect(saved).toBeGreaterThan(12);
  });
});
