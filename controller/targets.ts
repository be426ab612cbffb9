/**
 * Latency targets that nobody's absence would meet. A target below what an idle system gives cannot be refused when it is set,
 * since what the system gives is not known then; and the policy, which sees that nothing waits, rightly limits nobody for it.
 * So its owner would wait for ever, in silence. Here it is noticed and said, with what the target could be.
 *
 * Out of reach is a target that was missed in five windows one after the other, at a point all of whose resources were calm
 * (slowdown below 1.2), and where none of its requests waited for a slot.
 */
import type { PointFigures } from "./figures.js";
import type { ViewBuilder } from "./view-builder.js";

/** A target that is missed though nothing is crowded. */
export interface OutOfReach {
  tenant: string;
  point: string;
  targetUs: number;
  /** What 99 of 100 of its requests took there instead, µs. */
  p99Us: number;
}

const CALM = 1.2;
const WINDOWS = 5;

export class TargetWatch {
  /** By tenant id. */
  readonly outOfReach = new Map<string, OutOfReach>();
  readonly #missed = new Map<string, number>();

  /**
   * One more window.
   *
   * @returns the targets that are now known to be out of reach, and were not before
   */
  watch({ view, points }: Pick<ViewBuilder, "view" | "points">): OutOfReach[] {
    const found: OutOfReach[] = [];
    for (const { index, id, terms } of view.tenants) {
      const targetUs = terms?.p99TargetUs;
      const worst = targetUs === undefined ? undefined : worstPoint(points, index);
      const vain = worst !== undefined && worst.point.p99sUs[index] > targetUs! && this.#calm(worst, view.resources, index);
      if (targetUs === undefined || worst === undefined || !vain) {
        // A window in which it did nothing says nothing.
        if (targetUs !== undefined && worst === undefined) continue;
        this.#missed.delete(id);
        this.outOfReach.delete(id);
        continue;
      }
      const missed = (this.#missed.get(id) ?? 0) + 1;
      this.#missed.set(id, missed);
      if (missed < WINDOWS) continue;
      const known = this.outOfReach.get(id);
      const now = { tenant: id, point: worst.point.name, targetUs, p99Us: worst.point.p99sUs[index] };
      this.outOfReach.set(id, now);
      if (known?.targetUs !== targetUs) found.push(now);
    }
    return found;
  }

  /** Forgets tenants that are not there any more. */
  prune(exists: (tenant: string) => boolean): void {
    for (const id of this.#missed.keys()) {
      if (exists(id)) continue;
      this.#missed.delete(id);
      this.outOfReach.delete(id);
    }
  }

  #calm({ point, queued }: PointFigures, resources: ViewBuilder["view"]["resources"], tenant: number): boolean {
    return queued[tenant] === 0 && resources.every((resource) => !point.feeds(resource) || resource.slowdown < CALM);
  }
}

/** In words, with what to do. */
export function outOfReachText({ tenant, point, targetUs, p99Us }: OutOfReach): string {
  const tookMs = Number((p99Us / 1_000).toPrecision(3));
  return `${tenant} misses its target of ${targetUs / 1_000} ms at ${point}, where 99 of 100 of its requests take ${tookMs} ms though nothing they use is crowded: to hold others back cannot help; set p99TargetUs to ${Math.ceil(p99Us)} or more, or make its requests cheaper`;
}

/** Where its requests take longest; undefined: none was completed. */
function worstPoint(points: readonly PointFigures[], tenant: number): PointFigures | undefined {
  let worst: PointFigures | undefined;
  for (const figures of points) {
    const p99Us = figures.point.p99sUs[tenant];
    if (p99Us > (worst?.point.p99sUs[tenant] ?? 0)) worst = figures;
  }
  return worst;
}
