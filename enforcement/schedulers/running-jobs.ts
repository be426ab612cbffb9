/**
 * What is known of jobs that run. A job has a row here from `dequeue` to `complete`, and rows are used again: few run at once,
 * so that these numbers lie together however many jobs wait, and changing one allocates nothing. (A fraction kept on
 * an object is a box of its own, far from it, and a new one whenever it changes.)
 */
import { withRow } from "../columns.js";

const STRIDE = 4;
const CHARGED = 0; // what the tenant was charged for the job so far: first the estimate, at last the truth
const WEIGHT = 1; // the tenant's weight when it began: what it was charged by is what it is given back by
const REPORTED = 2; // highest cost reported so far
const SINCE = 3; // when it was dequeued, µs

export class RunningJobs {
  #rows = new Float64Array(0);
  readonly #free: number[] = [];
  #count = 0;

  /** A job begins. @returns its row */
  begin(charged: number, weight: number, nowUs: number): number {
    const row = this.#free.pop() ?? this.#count++;
    const at = row * STRIDE;
    if (at >= this.#rows.length) this.#rows = withRow(this.#rows, STRIDE, row);
    const rows = this.#rows;
    rows[at + CHARGED] = charged;
    rows[at + WEIGHT] = weight;
    rows[at + REPORTED] = 0;
    rows[at + SINCE] = nowUs;
    return row;
  }

  /** It has ended: its row will be another's. */
  end(row: number): void {
    this.#free.push(row);
  }

  charged(row: number): number {
    return this.#rows[row * STRIDE + CHARGED];
  }

  weight(row: number): number {
    return this.#rows[row * STRIDE + WEIGHT];
  }

  reported(row: number): number {
    return this.#rows[row * STRIDE + REPORTED];
  }

  sinceUs(row: number): number {
    return this.#rows[row * STRIDE + SINCE];
  }

  setCharged(row: number, cost: number): void {
    this.#rows[row * STRIDE + CHARGED] = cost;
  }

  setReported(row: number, cost: number): void {
    this.#rows[row * STRIDE + REPORTED] = cost;
  }
}
