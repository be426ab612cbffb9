/** One child process: started, spoken to, and ended for certain. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** Lines of a child's complaints that are kept, to be shown should it end unasked. */
const KEPT_LINES = 20;

export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  #complaints: string[] = [];
  #ending = false;

  /**
   * @param name      for messages, and of the program next to this file
   * @param env       added to this process's environment
   * @param onDied    called when the child ends unasked, with what it said last
   */
  constructor(name: string, env: Record<string, string>, onDied: (error: Error) => void) {
    this.name = name;
    this.#process = fork(new URL(`./${name}.js`, import.meta.url), {
      env: { ...process.env, ...env },
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = [...this.#complaints, ...text.split("\n").filter((line) => line !== "")].slice(-KEPT_LINES);
    });
    this.#process.on("exit", (code, signal) => {
      if (this.#ending) return;
      this.#ending = true;
      onDied(new Error(`${name} ended unasked (${signal ?? `exit ${code}`})\n  ${this.#complaints.join("\n  ")}`));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What the child has said on stderr lately. */
  get complaints(): readonly string[] {
    return this.#complaints;
  }

  send(message: object): void {
    if (this.#process.connected) this.#process.send(message);
  }

  /** The child's next message. */
  async next<T>(): Promise<T> {
    const [message] = await once(this.#process, "message");
    return message as T;
  }

  /** Sends a message and waits for the answer. */
  ask<T>(message: object): Promise<T> {
    const answer = this.next<T>();
    this.send(message);
    return answer;
  }

  /** Ends the child with a signal; SIGKILL when it has not obeyed after three seconds. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#ending = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill(signal);
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    await gone;
    clearTimeout(late);
  }
}
