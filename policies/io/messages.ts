/** What a policy's thread and whoever asks it say to each other. */
import type { Params, Policy } from "../policy.js";
import type { View } from "../view.js";

export interface ThreadData {
  path: string;
  /** What is in the file, or was when it was sound. */
  source: string;
  /** Questions come, and answers to those that are waited for go, this way. */
  port: import("node:worker_threads").MessagePort;
  /** Counts the answers; whoever waits is woken by it. */
  answered: Int32Array;
}

/** The first message of a thread. */
export type Loaded = Pick<Policy, "name" | "params" | "ranges"> | { failed: string };

export interface Question {
  view: View;
  params: Params;
  /** Is somebody blocked until the answer is there? Else it goes as a message of the thread. */
  waits: boolean;
}

/** Limits as columns, all by index in the view. */
export interface Limits {
  points: Int32Array<ArrayBuffer>;
  tenants: Int32Array<ArrayBuffer>;
  rates: Float64Array<ArrayBuffer>;
  resources: Int32Array<ArrayBuffer>;
}

/** `gave`: what came in the place of Rates; in words, unless it was nothing. */
export type Answer = { limits: Limits } | { threw: string } | { gave: string | undefined };
