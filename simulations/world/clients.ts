/**
 * Who asks: closed loops, where each client waits for an answer, thinks, and asks again (it slows down with the service), and
 * open ones, where requests come whether or not the service keeps up.
 */
import type { Chance } from "../../proto/ports.js";
import { exponentialUs, uniformUs } from "./chance.js";
import type { VirtualClock } from "./clock.js";

/** A load that can be ended; what was asked is still answered. */
export interface Load {
  stop(): void;
}

/** Clients that each ask again only when answered. */
export interface ClosedLoop {
  clock: VirtualClock;
  chance: Chance;
  /** How many loops there are. */
  clients: number;
  /** First requests come uniformly over this time from now, µs; default 1 s. Nobody's clients start at one instant. */
  spreadUs?: number;
  /** Mean time between answer and next request, exponential, µs; default 0. */
  thinkUs?: number;
  /** Asks; must call `done` exactly once, now or later. `client` is 0 … clients − 1. */
  ask(client: number, done: () => void): void;
}

/** Starts `clients` loops of ask, wait, think. */
export function closedLoop({ clock, chance, clients, spreadUs = 1_000_000, thinkUs = 0, ask }: ClosedLoop): Load {
  let running = true;
  for (let client = 0; client < clients; client++) {
    let asking = false;
    let answered = false;
    const again = () => {
      // Answers that come before `ask` returns must not deepen the stack.
      do {
        if (!running) return;
        asking = true;
        answered = false;
        ask(client, done);
        asking = false;
      } while (answered && thinkUs === 0);
      if (answered) think();
    };
    const think = () => {
      clock.at(clock.nowUs() + exponentialUs(chance, thinkUs), again);
    };
    const done = () => {
      if (asking) answered = true;
      else if (thinkUs === 0) again();
      else think();
    };
    clock.at(clock.nowUs() + uniformUs(chance, 0, spreadUs), again);
  }
  return {
    stop: () => {
      running = false;
    },
  };
}

/** Requests that come whether or not earlier ones were answered. */
export interface OpenLoop {
  clock: VirtualClock;
  chance: Chance;
  /** Mean requests per second; they come at any moment alike (a Poisson process). */
  ratePerSec: number;
  ask(): void;
}

/** Starts a Poisson stream of requests. */
export function openLoop({ clock, chance, ratePerSec, ask }: OpenLoop): Load {
  let running = true;
  const meanUs = 1_000_000 / ratePerSec;
  const wait = () => {
    clock.at(clock.nowUs() + exponentialUs(chance, meanUs), () => {
      if (!running) return;
      ask();
      wait();
    });
  };
  wait();
  return {
    stop: () => {
      running = false;
    },
  };
}
