/**
 * A policy from a file, while a controller runs: in a thread of its own, loaded anew when the file changes.
 *
 * A new version takes over only when it loads, keeps its name and the parameters that are configured, and decides soundly on
 * the view of that moment; else the one before stays. One that takes too long is stopped, which costs this tick, and is started again
 * for the next; each time this happens in a row it is left alone for twice as many ticks, for while it is waited for the
 * controller does nothing else.
 */
import { unwatchFile, watchFile } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type Params, type Policy, type PolicyOrigin, paramsOf, type Rates, type View } from "../../policies/index.js";
import { PolicyThread, readPolicy } from "../../policies/io/index.js";
import { TenantryError } from "../../proto/errors.js";
import type { ControllerEvent } from "../controller.js";
import { decide } from "../guard.js";

/** How often the file is looked at. */
const LOOK_EVERY_MS = 500;
/** A file that stays as it is for this long is whole: who saves one may empty it first, or take it away and put another there. */
const REST_MS = 50;
/** Ticks without it after the tenth stop in a row, and from then on. */
const LONGEST_PAUSE = 512;

export interface PolicyFileOptions {
  /** Name under which it is configured. */
  name: string;
  path: string;
  /** Parameters that are configured. */
  params: Readonly<Record<string, number>>;
  /** Most one decision may take, ms. */
  limitMs: number;
  onEvent(event: ControllerEvent): void;
}

export class PolicyFile implements Policy {
  readonly name: string;
  readonly #options: PolicyFileOptions;
  #thread: PolicyThread | undefined;
  #params: Params;
  /** The text that runs, and the text last looked at. */
  #source: string;
  #seen: string | undefined;
  #version = 1;
  #rejected: string | null = null;
  #rejections = 0;
  #reloading = Promise.resolve();
  #stops = 0;
  /** What it did when it was stopped last. */
  #why = "";
  #inARow = 0;
  #pause = 0;
  #starting = false;
  #closed = false;
  #last: { view: View; params: Params } | undefined;

  private constructor(options: PolicyFileOptions, thread: PolicyThread, source: string) {
    this.#options = options;
    this.name = options.name;
    this.#params = thread.params;
    this.#source = source;
    this.#seen = source;
    this.#use(thread);
  }

  /** Loads it. @throws TenantryError BAD_POLICY in plain words, BAD_CONFIG when it is another policy than is configured */
  static async open(options: PolicyFileOptions): Promise<PolicyFile> {
    const source = readPolicy(options.path);
    const thread = await PolicyThread.start(options.path, source);
    try {
      fits(thread, options);
    } catch (error) {
      await thread.close();
      throw error;
    }
    return new PolicyFile(options, thread, source);
  }

  get params(): Params {
    return this.#params;
  }

  get ranges(): Policy["ranges"] {
    return this.#thread?.ranges;
  }

  get origin(): PolicyOrigin {
    return {
      file: this.#options.path,
      version: this.#version,
      rejections: this.#rejections,
      rejected: this.#rejected,
      stops: this.#stops,
    };
  }

  /** @throws TenantryError POLICY_STOPPED when it takes too long, or is not back yet; BAD_POLICY when it threw */
  decide(view: View, params: Params): Rates {
    this.#last = { view, params };
    const thread = this.#thread;
    if (thread === undefined) {
      if (this.#pause > 0) this.#pause--;
      if (this.#pause === 0) this.#restart();
      throw new TenantryError(
        "POLICY_STOPPED",
        `was stopped ${this.#stops} time(s), the last because it ${this.#why}; ${this.#again()}`,
      );
    }
    try {
      const rates = thread.decide(view, params, this.#options.limitMs);
      this.#inARow = 0;
      return rates;
    } catch (error) {
      if (!(error instanceof TenantryError && error.code === "POLICY_STOPPED")) throw error;
      this.#stopped(thread, "took too long");
      throw new TenantryError("POLICY_STOPPED", `${error.message}; ${this.#again()}`, { cause: error });
    }
  }

  /** Looks at the file, and takes over what is new in it, if it is sound. Never throws; one after the other. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /**
   * Reloads whenever the file changes. By looking at it, not by being told: what a system tells of a file that an editor replaces,
   * a link that turns elsewhere, or a folder from another machine is different everywhere.
   */
  watch(): void {
    watchFile(this.#options.path, { interval: LOOK_EVERY_MS, persistent: false }, this.#onChange);
  }

  async #reload(): Promise<void> {
    const { path } = this.#options;
    try {
      const source = await atRest(path);
      if (this.#closed || source === this.#seen) return;
      this.#seen = source;
      if (source === this.#source) {
        this.#rejected = null;
        return this.#tell(`policy "${this.name}" is in ${path} again as it runs, version ${this.#version}`);
      }
      const thread = await PolicyThread.start(path, source ?? readPolicy(path));
      try {
        fits(thread, this.#options);
        await this.#rehearse(thread);
      } catch (error) {
        await thread.close();
        throw error;
      }
      if (this.#closed) return void (await thread.close());
      const before = this.#thread;
      this.#version++;
      this.#source = source ?? this.#source;
      this.#rejected = null;
      this.#params = thread.params;
      this.#inARow = 0;
      this.#use(thread);
      this.#tell(`policy "${this.name}" is loaded anew from ${path}, version ${this.#version}`);
      await before?.close();
    } catch (error) {
      if (this.#closed) return;
      this.#rejections++;
      this.#rejected = (error as Error).message;
      this.#tell(`policy "${this.name}" stays at version ${this.#version}: ${this.#rejected}`, error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    unwatchFile(this.#options.path, this.#onChange);
    await this.#thread?.close();
  }

  readonly #onChange = () => void this.reload();

  #use(thread: PolicyThread): void {
    this.#thread = thread;
    thread.onEnd = (why) => {
      if (this.#thread !== thread || this.#closed) return;
      this.#stopped(thread, why);
      this.#tell(`policy "${this.name}" ${why}; ${this.#again()}`, new TenantryError("POLICY_STOPPED", why));
    };
  }

  /** How a new version decides on what the one before was asked last: with its own defaults, and what is configured. */
  async #rehearse(thread: PolicyThread): Promise<void> {
    if (this.#last === undefined) return;
    const { view, params: before } = this.#last;
    const kept = Object.entries(before).filter(
      ([key, value]) => Object.hasOwn(thread.params, key) && value !== this.#params[key],
    );
    const params = { ...thread.params, ...Object.fromEntries(kept) };
    const rates = await thread.rehearse(view, params, this.#options.limitMs).catch((error: TenantryError) => error);
    if (rates instanceof TenantryError && rates.code !== "BAD_POLICY") throw rates;
    const decided = () => {
      if (rates instanceof Error) throw rates;
      return rates;
    };
    const stand = { name: this.name, params, decide: decided };
    const judged = decide({ policy: stand, params, view, nowUs: () => 0, budgetUs: 1 });
    if ("cause" in judged) throw new TenantryError("BAD_POLICY", judged.message);
  }

  #stopped(thread: PolicyThread, why: string): void {
    this.#why = why;
    this.#thread = undefined;
    this.#stops++;
    this.#pause = Math.min(2 ** this.#inARow++ - 1, LONGEST_PAUSE);
    void thread.close();
    if (this.#pause === 0) this.#restart();
  }

  #again(): string {
    return this.#pause > 0 ? `it is tried again in ${this.#pause} window(s)` : "it is being started again";
  }

  #restart(): void {
    if (this.#starting || this.#closed) return;
    this.#starting = true;
    PolicyThread.start(this.#options.path, this.#source)
      .then((thread) => {
        if (this.#closed || this.#thread !== undefined) return thread.close();
        this.#params = thread.params;
        this.#use(thread);
      })
      .catch((error: Error) => {
        this.#tell(`policy "${this.name}" could not be started again: ${error.message}`, error);
      })
      .finally(() => {
        this.#starting = false;
      });
  }

  #tell(message: string, error?: unknown): void {
    const code = error instanceof TenantryError ? error.code : undefined;
    this.#options.onEvent({ kind: "policy", message, ...(code !== undefined && { code }) });
  }
}

/** What is in the file, once it is the same twice. */
async function atRest(path: string): Promise<string | undefined> {
  for (let source = lookedAt(path); ; ) {
    await pause(REST_MS);
    const again = lookedAt(path);
    if (again === source) return source;
    source = again;
  }
}

/** What is in the file; nothing when it cannot be read, which loading it then tells. */
function lookedAt(path: string): string | undefined {
  try {
    return readPolicy(path);
  } catch {
    return undefined;
  }
}

/** Is it the policy that is configured, and are the parameters its own? */
function fits(thread: PolicyThread, { name, path, params }: PolicyFileOptions): void {
  if (thread.name !== name) {
    const message = `${path} is the policy "${thread.name}"; expected name: "${name}" in it, or policies.${thread.name} in the configuration`;
    throw new TenantryError("BAD_CONFIG", message);
  }
  try {
    paramsOf(thread, params);
  } catch (error) {
    throw new TenantryError("BAD_CONFIG", `${(error as Error).message}; the configuration sets it (policies.${name}.params)`);
  }
}
