/** Waiting for something to become so. A slow machine makes it late, never wrong: the limit is only there to end a hopeless wait. */
import { setTimeout as sleep } from "node:timers/promises";

/** Asks again and again until the answer is not undefined or false. */
export async function until<T>(what: string, ask: () => T | Promise<T>, limitSec = 60): Promise<Exclude<T, undefined | false>> {
  const endMs = performance.now() + limitSec * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > endMs) throw new Error(`not so within ${limitSec} s: ${what}`);
    await sleep(100);
  }
}
