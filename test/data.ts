/**
 * Vectors and traces of others live beside the project, not in it. Tests that need them say so by name and are skipped where
 * they are absent.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../shared/data/", import.meta.url);

/** The path of a data file; undefined where it is absent. */
export function dataPath(name: string): string | undefined {
  const path = fileURLToPath(new URL(name, FOLDER));
  return existsSync(path) ? path : undefined;
}

/** A JSON vector file; undefined where it is absent. */
export function vectors<T>(name: string): T | undefined {
  const path = dataPath(`vectors/${name}`);
  return path === undefined ? undefined : (JSON.parse(readFileSync(path, "utf8")) as T);
}

/** A case of `maxmin.json`; null among demands: as much as possible. */
export interface MaxMinCase {
  source: string;
  name: string;
  capacity: number;
  demands: (number | null)[];
  weights: number[] | null;
  min_shares: number[] | null;
  expected: number[];
  tolerance: number;
}
