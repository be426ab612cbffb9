/** Limits that did not fit into a message: counted every time, said when it begins. */
import type { Dispatch } from "./allocations.js";

export class LeftOut {
  #told = false;

  /**
   * Looks at what is about to be sent.
   *
   * @param instances how many there are: when few of them are sent something, that all of it fits shows nothing
   * @returns how many limits are left out, and what to say of it, if that is news
   */
  note(dispatches: readonly Dispatch[], instances: number): { limits: number; message?: string } {
    const short = dispatches.filter(({ omitted }) => omitted > 0);
    if (short.length === 0) {
      if (2 * dispatches.length > instances) this.#told = false;
      return { limits: 0 };
    }
    const limits = short.reduce((sum, { omitted }) => sum + omitted, 0);
    if (this.#told) return { limits };
    this.#told = true;
    const whom = `${short.length} instance(s), ${short[0].instance.name} among them`;
    const message =
      `${limits} limit(s) do not fit into the messages to ${whom}, and are not in force there, first those on tenants it has not met. ` +
      "Lower maxTenantsPerInstance, so that the excess shares one limit, use fewer control points, or spread tenants over more instances";
    return { limits, message };
  }
}
