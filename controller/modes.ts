/**
 * Kill switches. A mode stands for everything, for each policy, each point and each tenant; what happens to a (point, tenant)
 * under a policy is the least of the four, so any one of them switches off what it covers and none can switch on alone.
 * Where a point, or everything, is not enforced nobody is held back at all: slots too are given in the order of arrival there.
 */
export const MODES = ["off", "observe", "enforce"] as const;

/** "off": not evaluated, never limited. "observe": decided and shown, not enforced. "enforce": decided and sent. */
export type Mode = (typeof MODES)[number];

/** Is this a mode? */
export function isMode(value: unknown): value is Mode {
  return value === "off" || value === "observe" || value === "enforce";
}

/** 0 off, 1 observe, 2 enforce: the least of several modes is the smallest number. */
export function modeLevel(mode: Mode): number {
  return mode === "enforce" ? 2 : mode === "observe" ? 1 : 0;
}

/** The least of some modes; "enforce" for none. */
export function leastMode(...modes: Mode[]): Mode {
  let least = 2;
  for (const mode of modes) least = Math.min(least, modeLevel(mode));
  return MODES[least];
}
