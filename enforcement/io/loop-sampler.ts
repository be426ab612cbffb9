/**
 * Whose turns fill this event loop?
 *
 * Timing every turn of the loop (`async_hooks` before and after) tells exactly, and costs a busy service two fifths of its
 * speed. So the hooks are on only in windows of 10 to 20 ms that begin at random moments and cover a twentieth of the time.
 * Within a window each turn's time goes to the tenant whose context it runs in, switching where `agent.run` and control
 * points switch it. What windows saw is a sample; the loop's own account of how long it was busy (`eventLoopUtilization`, 80 ns)
 * is the whole, and says what a sampled microsecond stands for:
 *
 *   load(t) += sampled(t) · Σ busy / Σ sampled      (both sums over the last ten windows or so)
 *
 * Three things keep long turns from distorting it. It is a ratio of sums, not a sum of ratios: a window that catches a long
 * turn is long, and counts for more. A timer that rings during a long turn always begins after it, so the round of the loop a
 * window begins with is drawn by lot. And how many rounds a window lasts is settled before it begins, from how long rounds
 * have lately been: one that ended when its time was up would end after long turns more often than after short ones.
 *
 * Time in a turn before its tenant is known (parsing the request that names it) is charged to the first tenant the turn then
 * enters, as Retro does; a turn that enters none belongs to nobody, and is reported as such.
 *
 * How long does what becomes ready wait for its turn? Probes become ready at random moments, about {@link PROBES_PER_SEC} a second;
 * each waits until the loop comes round to look, and the mean of their waits is what anything waits that comes at such a moment
 * [Poisson arrivals see time averages]. The moments are drawn on the clock, one after the other, and not from when the last
 * probe was looked at: a turn of 200 ms makes five of them wait, where timers that are set again and again would see one.
 *
 * One sampler serves the process, whoever listens; it runs while somebody does, and never keeps the process alive.
 */
import { createHook, executionAsyncResource } from "node:async_hooks";
import { performance } from "node:perf_hooks";
import { leaveUnwatched, type Scope, storage, watchScopes } from "./scope.js";

/** What one window saw, scaled to what it stands for. */
export interface LoopSample {
  /** How long something ready waits for its turn, µs. */
  readonly delayUs: number;
  /** Per context: µs and turns. Undefined: turns outside any tenant's context. */
  readonly shares: ReadonlyMap<Scope | undefined, LoopShare>;
}

export interface LoopShare {
  busyUs: number;
  turns: number;
}

/** The part of the time windows cover. Measured: 5 % costs a service of 18 µs per request 2.5 %, and errs by 3 to 6 points. */
export const LOOP_DUTY = 0.05;
const WINDOW_LEAST_MS = 10;
const WINDOW_SPREAD_MS = 10;
/** A window in which rounds turn out much longer than expected ends here, ms: a busy service must not pay for our surprise. */
const WINDOW_MOST_MS = 60;
/** The shortest timer, ms: a round of the loop, or as many as fit into a millisecond. */
const ROUND_MS = 1;
/** Rounds among which the first of a window is drawn. */
const LOT = 4;
/** What part of the sums a window leaves to the next: they forget over about ten. */
const MEMORY = 0.9;
/** Measured: 25 a second cost less than a thousandth of a core. One look per window, three a second, told more of chance than of the loop. */
const PROBES_PER_SEC = 25;
/** Timers count whole milliseconds: so much lateness says nothing. */
const TIMER_GRAIN_MS = 1;

const listeners = new Map<(sample: LoopSample) => void, number>();
const shares = new Map<Scope | undefined, LoopShare>();
const depthStack: (Scope | undefined)[] = [];
let current: Scope | undefined;
let markMs = 0;
let turnBegan = false;
let timer: NodeJS.Timeout | undefined;
let probeTimer: NodeJS.Timeout | undefined;
/** When the next probe becomes ready, and what those before it waited that no sample has told yet. */
let probeAtMs = 0;
let waitedMs = 0;
let probes = 0;
let delayMs = 0;
let openedMs = 0;
let roundMs = ROUND_MS;
let roundsLeft = 0;
let rounds = 0;
let busyBeforeMs = 0;
let busySumMs = 0;
let sampledSumMs = 0;

const hook = createHook({ before, after });

/**
 * Calls `listener` after every window, about seven times a second at 10 % duty. Returns what stops it.
 *
 * @param duty part of the time in windows, 0.01 to 0.5; with several listeners the largest holds
 */
export function sampleLoop(listener: (sample: LoopSample) => void, duty: number = LOOP_DUTY): () => void {
  listeners.set(listener, duty);
  if (timer === undefined) {
    busyBeforeMs = performance.eventLoopUtilization().active;
    busySumMs = 0;
    sampledSumMs = 0;
    roundMs = ROUND_MS;
    probeAtMs = performance.now();
    waitedMs = 0;
    probes = 0;
    delayMs = 0;
    storage.exit(rest);
    storage.exit(probe);
  }
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) stop();
  };
}

function stop(): void {
  clearTimeout(timer);
  clearTimeout(probeTimer);
  timer = undefined;
  close();
}

/** Waits for the next window to begin. */
function rest(): void {
  const duty = Math.max(...listeners.values());
  const meanMs = (WINDOW_LEAST_MS + WINDOW_SPREAD_MS / 2) * (1 / duty - 1);
  sleep(meanMs * (0.5 + Math.random()), () => letPass(Math.floor(Math.random() * LOT)));
}

function sleep(forMs: number, then: () => void): void {
  timer = setTimeout(then, Math.max(1, Math.round(forMs)));
  timer.unref();
}

/** Looks at the probes that have become ready, and sets the timer for the next. */
function probe(): void {
  turnBegan = false; // our own
  const nowMs = performance.now();
  while (probeAtMs <= nowMs) {
    waitedMs += Math.max(0, nowMs - probeAtMs - TIMER_GRAIN_MS);
    probes++;
    probeAtMs -= (Math.log(1 - Math.random()) * 1000) / PROBES_PER_SEC;
  }
  probeTimer = setTimeout(probe, Math.max(1, Math.ceil(probeAtMs - nowMs)));
  probeTimer.unref();
}

function letPass(more: number): void {
  if (more === 0) open();
  else sleep(ROUND_MS, () => letPass(more - 1));
}

function open(): void {
  depthStack.length = 0;
  current = undefined;
  turnBegan = false;
  rounds = Math.max(1, Math.round((WINDOW_LEAST_MS + Math.random() * WINDOW_SPREAD_MS) / roundMs));
  roundsLeft = rounds;
  openedMs = performance.now();
  hook.enable();
  watchScopes({ enter, leave });
  sleep(ROUND_MS, round);
}

function round(): void {
  turnBegan = false; // our own
  const elapsedMs = performance.now() - openedMs;
  if (--roundsLeft > 0 && elapsedMs < WINDOW_MOST_MS) {
    sleep(ROUND_MS, round);
    return;
  }
  roundMs = MEMORY * roundMs + ((1 - MEMORY) * elapsedMs) / (rounds - roundsLeft);
  finish();
}

function close(): void {
  hook.disable();
  leaveUnwatched();
  shares.clear();
  depthStack.length = 0;
}

function finish(): void {
  const mine = timer;
  let sampledMs = 0;
  for (const share of shares.values()) sampledMs += share.busyUs;
  // An idle window tells nothing of the time before it: that is left for the next one to divide.
  if (sampledMs > 0) {
    const busyNowMs = performance.eventLoopUtilization().active;
    busySumMs = busySumMs * MEMORY + Math.max(0, busyNowMs - busyBeforeMs);
    sampledSumMs = sampledSumMs * MEMORY + sampledMs;
    busyBeforeMs = busyNowMs;
    const scale = busySumMs / sampledSumMs;
    for (const share of shares.values()) {
      share.turns *= scale;
      share.busyUs *= scale * 1000;
    }
    if (probes > 0) delayMs = waitedMs / probes;
    waitedMs = 0;
    probes = 0;
    const sample: LoopSample = { delayUs: delayMs * 1000, shares: new Map(shares) };
    close();
    for (const listener of [...listeners.keys()]) listener(sample);
  } else {
    close();
  }
  // A listener may have stopped everything, and even begun anew.
  if (timer === mine) rest();
}

/** Gives the time since the last mark to `scope`. While a window is open `busyUs` counts milliseconds; `finish` scales it. */
function credit(scope: Scope | undefined, nowMs: number): void {
  let share = shares.get(scope);
  if (share === undefined) {
    share = { busyUs: 0, turns: 0 };
    shares.set(scope, share);
  }
  share.busyUs += nowMs - markMs;
  markMs = nowMs;
  if (turnBegan && scope !== undefined) {
    share.turns++;
    turnBegan = false;
  }
}

function before(): void {
  const nowMs = performance.now();
  if (depthStack.length === 0) {
    turnBegan = waited(executionAsyncResource());
    markMs = nowMs;
  } else {
    credit(current, nowMs);
  }
  depthStack.push(current);
  current = storage.getStore();
}

/** Continuations (promises, and the plain objects of `nextTick`) end a turn that has waited already; only the turn itself counts. */
function waited(resource: object): boolean {
  return !(resource instanceof Promise) && Object.getPrototypeOf(resource) !== Object.prototype;
}

function after(): void {
  // The turn in which the window opened ends without having begun.
  if (depthStack.length === 0) return;
  credit(current, performance.now());
  current = depthStack.pop();
  if (depthStack.length === 0 && turnBegan) {
    const nobody = shares.get(undefined);
    if (nobody !== undefined) nobody.turns++;
    turnBegan = false;
  }
}

function enter(scope: Scope): void {
  if (depthStack.length === 0) return;
  credit(current ?? scope, performance.now());
  depthStack.push(current);
  current = scope;
}

function leave(): void {
  if (depthStack.length === 0) return;
  credit(current, performance.now());
  current = depthStack.pop();
}
