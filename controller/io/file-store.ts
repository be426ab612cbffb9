/**
 * State in one file that survives a kill at any moment.
 *
 *   write FILE.tmp → fsync → FILE.prev becomes another name of FILE → rename FILE.tmp to FILE → fsync the folder
 *
 * A rename is atomic, so FILE is at every moment the old version or the new, whole and on disk; FILE.prev is the version before.
 * A checksum tells a torn or altered file from a sound one. Then FILE.prev is used and what happened is reported.
 *
 * The epoch fences off earlier controllers, so it must never be handed out twice. The version that was lost may have been one
 * epoch further than FILE.prev (each start raises it by one and saves), so the epoch is raised by one when FILE.prev is used.
 *
 * One controller, one file: two would each grant the whole of every rate. FILE.lock names the process that uses it; it is taken
 * over when that process is gone. Across machines, where a process cannot be asked after, the epoch decides: who finds that
 * another has saved its own epoch or a later one is told so, and saves nothing.
 */
import { createHash, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { access, copyFile, link, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { TenantryError } from "../../proto/errors.js";
import type { State, StateStore } from "../state.js";
import { stateFault } from "./state-shape.js";

/**
 * A store in `path`. Its folder is made when it is missing.
 *
 * @example new Controller({ clock, chance, store: fileStore("tenantry-state.json") })
 */
export function fileStore(path: string): StateStore {
  const writer = randomUUID();
  let locked = false;
  return {
    load(done) {
      lock(path)
        .then(() => {
          locked = true;
          return load(path);
        })
        .then(
          ({ error, state }) => done(error, state),
          (error: unknown) => done(unavailable("read", path, error), undefined),
        );
    },
    save(state, done) {
      save(path, state, writer).then(
        () => done(),
        (error: unknown) => done(unavailable("written", path, error)),
      );
    },
    close() {
      if (locked) rmSync(`${path}.lock`, { force: true });
      locked = false;
    },
  };
}

/** Says who uses the file. @throws TenantryError STORE_IN_USE when another living process of this machine does */
async function lock(path: string): Promise<void> {
  await makeFolder(dirname(path));
  const name = `${path}.lock`;
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeFile(name, mine, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 2) throw error;
    }
    const { pid, host } = ownerIn(await readFile(name, "utf8").catch(() => ""));
    if (host === hostname() && pid !== process.pid && isAlive(pid)) {
      throw new TenantryError(
        "STORE_IN_USE",
        `state file ${path} is in use by another controller, process ${pid}; stop that one, or give this one a file of its own ` +
          `(--state FILE); if process ${pid} is no controller, remove ${name}`,
      );
    }
    await rm(name, { force: true });
  }
}

function ownerIn(text: string): { pid: number; host: string } {
  try {
    const { pid, host } = JSON.parse(text) as { pid: unknown; host: unknown };
    if (Number.isInteger(pid) && typeof host === "string") return { pid: pid as number, host };
  } catch {
    // Torn: whoever wrote it did not live to use it.
  }
  return { pid: 0, host: "" };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

interface Loaded {
  error?: TenantryError;
  state?: State;
}

async function load(path: string): Promise<Loaded> {
  const newest = await read(path);
  if (typeof newest === "object") return { state: newest.state };
  const previous = await read(`${path}.prev`);
  if (typeof previous === "object") {
    const message = `state file ${path} ${newest ?? "is missing"}; the version before it, ${path}.prev, is used instead`;
    return { error: new TenantryError("STORE_CORRUPT", message), state: { ...previous.state, epoch: previous.state.epoch + 1 } };
  }
  if (newest === undefined && previous === undefined) return {};
  const faults = [newest && `${path} ${newest}`, previous && `${path}.prev ${previous}`].filter(Boolean).join(", and ");
  const message = `no state can be read: ${faults}; restore one of them, or remove both to start afresh without what was set at run time`;
  return { error: new TenantryError("STORE_CORRUPT", message) };
}

interface Kept {
  state: State;
  /** Which store wrote it. */
  writer: unknown;
}

/** What is kept; or what is wrong with the file, in words; or undefined when there is none. */
async function read(path: string): Promise<Kept | string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let file: { version?: unknown; writer?: unknown; checksum?: unknown; state?: unknown } | null;
  try {
    file = JSON.parse(text);
  } catch {
    return text.trim() === "" ? "is empty" : "is torn (it is no JSON)";
  }
  if (typeof file !== "object" || file === null || file.version !== 1) return "is of an unknown version";
  if (file.checksum !== checksumOf(file.state)) return "was altered (its checksum does not fit)";
  return stateFault(file.state) ?? { state: file.state as State, writer: file.writer };
}

async function save(path: string, state: State, writer: string): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const before = await read(path);
  if (typeof before === "object") checkStillOurs(path, before, state.epoch, writer);
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ version: 1, writer, checksum: checksumOf(state), state })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  // A corrupt version must not replace the sound one before it.
  if (typeof before === "object") await keepPrevious(path);
  await rename(temporary, path);
  await syncFolder(folder);
}

/** @throws TenantryError STORE_IN_USE when another controller has taken the file over */
function checkStillOurs(path: string, { state, writer: theirs }: Kept, epoch: number, writer: string): void {
  if (state.epoch < epoch || (state.epoch === epoch && (theirs === writer || theirs === undefined))) return;
  throw new TenantryError(
    "STORE_IN_USE",
    `another controller (epoch ${state.epoch}) has taken over state file ${path} from this one (epoch ${epoch}); ` +
      "let one of them run, or give each a file and agents of its own (--state FILE)",
  );
}

/**
 * Makes a folder, and those above it that are missing, one after the other: Node's own way goes round for ever where a folder
 * cannot be made although the one above it is there, as in /proc.
 */
async function makeFolder(folder: string): Promise<void> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** Makes FILE.prev the version that is in FILE now, without FILE being away for a moment. */
async function keepPrevious(path: string): Promise<void> {
  const next = `${path}.prev.tmp`;
  await rm(next, { force: true });
  try {
    await link(path, next);
  } catch {
    // Not every file system has hard links.
    await copyFile(path, next);
    const copy = await open(next, "r+");
    await copy.sync().finally(() => copy.close());
  }
  await rename(next, `${path}.prev`);
}

/** A rename is on disk once its folder is. Not every system lets one open a folder; those that do not need no telling. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function checksumOf(state: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(state) ?? "")
    .digest("hex");
}

function unavailable(verb: string, path: string, error: unknown): TenantryError {
  if (error instanceof TenantryError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const message = `state file ${path} cannot be ${verb}: ${code}; see that the folder exists, has room, and belongs to this user`;
  return new TenantryError("STORE_UNAVAILABLE", message, { cause: error });
}
