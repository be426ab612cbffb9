/**
 * What calm looks like. Slowdowns of different kinds of resource cannot be compared: an idle lock may read 9 where an idle
 * disk reads 1 [Retro §4]. So each resource's slowdown is divided by its own floor, the slowdown it shows when it is calm.
 *
 * Calm is: some load, but at most 30 % of the highest seen. Only such windows teach. Two fences keep congestion from being
 * learned as calm, which would switch protection off: the floor rises slowly and falls fast, and it never passes 16. The
 * highest load seen fades with a half-life of about an hour of windows, so that a service that shrank can learn again.
 */
const CALM_FRACTION = 0.3;
const RISE = 0.02;
const FALL = 0.2;
const HIGHEST_FLOOR = 16;
const FADE = Math.exp(-Math.LN2 / 3_600);

export class CalmFloor {
  /** The learned floor, 1..16; 1 until something was learned. */
  value = 1;
  #highestLoad = 0;

  /**
   * One window of the resource, all instances together.
   *
   * @param load     use, any unit, ≥ 0
   * @param slowdown Σ (wait + service) / Σ service, ≥ 1
   */
  learn(load: number, slowdown: number): void {
    this.#highestLoad = Math.max(load, this.#highestLoad * FADE);
    if (!(load > 0) || load > CALM_FRACTION * this.#highestLoad) return;
    const step = slowdown > this.value ? RISE : FALL;
    this.value = Math.min(Math.max(this.value + step * (slowdown - this.value), 1), HIGHEST_FLOOR);
  }

  /** A slowdown relative to calm, ≥ 1. */
  relative(slowdown: number): number {
    return Math.max(slowdown / this.value, 1);
  }
}
