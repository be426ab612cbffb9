/** The part of autocannon the load generator uses; the package brings no types. */
declare module "autocannon" {
  import type { EventEmitter } from "node:events";

  interface Options {
    url: string;
    method?: "GET" | "POST" | "PUT";
    headers?: Record<string, string>;
    /** Closed loops: each sends its next request when the last is answered. */
    connections?: number;
    /** Seconds. */
    duration?: number;
    /** Seconds. */
    timeout?: number;
  }

  interface Instance extends EventEmitter {
    on(event: "response", listener: (client: object, status: number, bytes: number, responseMs: number) => void): this;
    on(event: "reqError", listener: (error: Error) => void): this;
    stop(): void;
  }

  export default function autocannon(options: Options, done: (error: Error | null) => void): Instance;
}
