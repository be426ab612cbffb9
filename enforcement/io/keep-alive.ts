/**
 * An idle agent never keeps a process alive; an agent somebody waits on must. All its alarms are unreferenced, so a program
 * whose last deed is `await point.throttle()` would end in the middle of it. One timer that never fires, referenced exactly
 * while somebody waits, says so to Node.
 */
const NEVER_MS = 2 ** 31 - 1;

export class KeepAlive {
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  /** One more waits. Follow with `release`. */
  hold(): void {
    if (this.#waiting++ > 0) return;
    if (this.#timer === undefined) this.#timer = setInterval(() => {}, NEVER_MS);
    else this.#timer.ref();
  }

  /** One that waited goes on. */
  release(): void {
    if (--this.#waiting === 0) this.#timer?.unref();
  }

  /** Gives the timer back; it is made again if somebody waits after all. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#waiting > 0) {
      this.#waiting--;
      this.hold();
    }
  }
}
