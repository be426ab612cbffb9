/**
 * Something has begun that must be ended exactly once, when what a function returned is settled: now, if it is no promise.
 */

export interface Ending {
  end(): void;
}

/** Calls `fn(argument)`, ends `ending` when the result is settled, and passes the result on. */
export function untilDone<A, T>(ending: Ending, fn: (argument: A) => T, argument: A): Promise<Awaited<T>> {
  let result: T;
  try {
    result = fn(argument);
  } catch (error) {
    ending.end();
    return Promise.reject(error);
  }
  if (!isThenable(result)) {
    ending.end();
    return Promise.resolve(result);
  }
  const promise = (result instanceof Promise ? result : Promise.resolve(result)) as Promise<Awaited<T>>;
  // One derived promise and no more: with none, a rejection nobody handles would be hidden from Node.
  return promise.then(
    (value) => {
      ending.end();
      return value;
    },
    (error) => {
      ending.end();
      throw error;
    },
  );
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
