/** What commands that take long have in common: progress on a terminal, and files whose place is looked at before the work. */
import { accessSync, constants, writeFileSync } from "node:fs";
import { CommandFailure } from "./terminal.js";

/** On a terminal a line that counts up; in a pipe nothing. */
export function progress(): ((fraction: number) => void) | undefined {
  if (process.stderr.isTTY !== true) return undefined;
  let shown = -1;
  return (fraction) => {
    const percent = Math.floor(fraction * 100);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(percent >= 100 ? "\r\x1b[K" : `\r${percent} %`);
  };
}

/** A run can take long: that what it makes has nowhere to go is said before it. @throws CommandFailure in plain words */
export function checkWritable(path: string, folder: string): void {
  attempt(path, () => accessSync(folder, constants.W_OK));
}

/** Writes a file. @throws CommandFailure in plain words */
export function write(path: string, text: string): void {
  attempt(path, () => writeFileSync(path, text));
}

function attempt(path: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw new CommandFailure(
      `${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? error}; is its folder there?`,
    );
  }
}
