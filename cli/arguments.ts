/** Values on the command line, checked where they are read. */
import { InvalidArgumentError } from "commander";

/** A port: 0 (any free one) to 65535. */
export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535)
    throw new InvalidArgumentError("Expected a whole number from 0 (any free port) to 65535.");
  return value;
}

/** A seed: 0 to 2^32 − 1. */
export function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value >= 2 ** 32) throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.");
  return value;
}

/** How many views to try: 1 to 1,000,000. */
export function views(text: string): number {
  return whole(text, 1_000_000);
}

/** A time limit: 1 ms to a day. */
export function milliseconds(text: string): number {
  return whole(text, 86_400_000);
}

function whole(text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${most}.`);
  return value;
}

/** A finite number above 0. */
export function weight(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < Number.POSITIVE_INFINITY))
    throw new InvalidArgumentError("Expected a number above 0.");
  return value;
}

/** A time in milliseconds above 0, or "none": 0. */
export function targetMs(text: string): number {
  const value = text === "none" ? 0 : Number(text);
  if (text.trim() === "" || !(value >= 0 && value < Number.POSITIVE_INFINITY) || (value === 0 && text !== "none"))
    throw new InvalidArgumentError('Expected a number of milliseconds above 0, or "none".');
  return value;
}

/** A finite number above 0, or "none": 0. */
export function capacity(text: string): number {
  return text === "none" ? 0 : weight(text);
}

/** A tier. */
export function tier(text: string): number {
  if (!/^\d$/.test(text)) throw new InvalidArgumentError("Expected a whole number from 0 (served first) to 9.");
  return Number(text);
}

/** `service/point=rate` or `service/point=none`, gathered over several options. */
export function pointRate(text: string, before: PointRate[] = []): PointRate[] {
  const match = /^([^=]+)=(.+)$/.exec(text);
  const rate = Number(match?.[2]);
  if (match === null || !(match[2] === "none" || (rate >= 0 && rate < Number.POSITIVE_INFINITY)))
    throw new InvalidArgumentError("Expected SERVICE/POINT=RATE, such as storage/read=200 (a second), or =none.");
  return [...before, { point: match[1], ...(match[2] !== "none" && { ratePerSec: rate }) }];
}

/** A rate agreed for a point, as the Admin service carries it; without a rate: none any more. */
export interface PointRate {
  point: string;
  ratePerSec?: number;
}

/** `name=number`, gathered over several options. */
export function parameter(text: string, before: Record<string, number> = {}): Record<string, number> {
  const match = /^([A-Za-z]\w*)=(.+)$/.exec(text);
  const value = Number(match?.[2]);
  if (match === null || !Number.isFinite(value)) throw new InvalidArgumentError("Expected NAME=NUMBER, such as alpha=0.2.");
  return { ...before, [match[1]]: value };
}

/** The base of the controller's HTTP side. */
export function controllerUrl(text: string): string {
  try {
    const url = new URL(text.includes("://") ? text : `http://${text}`);
    if (url.protocol === "http:" || url.protocol === "https:") return url.origin;
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError("Expected a URL, such as http://127.0.0.1:7412.");
}

/** The controller's gRPC side. */
export function grpcAddress(text: string): string {
  if (!/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}$/.test(text)) {
    throw new InvalidArgumentError("Expected HOST:PORT, such as 127.0.0.1:7411.");
  }
  return text;
}

/** How many: 1 to 65536. */
export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65_536)
    throw new InvalidArgumentError("Expected a whole number from 1 to 65536.");
  return value;
}

/** `one,two,three`. */
export function choices(text: string): string[] {
  return text.split(",").map((choice) => choice.trim());
}
