/** What a policy's thread and whoever asks it say to each other. */
import type { Params, Policy } from "../policy.js";
import type { View } from "../view.js";
import type { Columns } from "./columns.js";

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
  view: Omit<View, "decided">;
  /** What others before it decided; as columns, since methods do not go over. */
  decided?: Columns;
  params: Params;
  /** Is somebody blocked until the answer is there? Else it goes as a message of the thread. */
  waits: boolean;
}

/** `gave`: what came in the place of Rates; in words, unless it was nothing. */
export type Answer = { limits: Columns } | { threw: string } | { gave: string | undefined };
