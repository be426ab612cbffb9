/** Is what was read from a file the state of a controller? A checksum only says that it is what was written. */
import { z } from "zod";

const mode = z.enum(["off", "observe", "enforce"]);

const rates = z.record(z.string(), z.number().min(0).nullable());
const tenant = z.object({
  weight: z.number().positive().optional(),
  mode: mode.optional(),
  p99TargetUs: z.number().positive().nullish(),
  tier: z.int().min(0).nullish(),
  caps: rates.optional(),
  guarantees: rates.optional(),
  group: z.string().nullish(),
});
const point = z.object({ mode: mode.optional(), capacityPerSec: z.number().positive().nullish() });

const shape = z.object({
  version: z.literal(1),
  epoch: z.int().min(0),
  tenants: z.record(z.string(), tenant),
  policies: z.record(z.string(), z.object({ mode: mode.optional(), params: z.record(z.string(), z.number()).optional() })),
  points: z.record(z.string(), point),
  mode: mode.optional(),
  instances: z.array(z.string()).optional(),
});

/** What is wrong with it, in words; undefined when nothing is. */
export function stateFault(state: unknown): string | undefined {
  const result = shape.safeParse(state);
  if (result.success) return undefined;
  const issue = result.error.issues[0];
  return `holds no state (${issue.path.join(".") || "the whole"}: ${issue.message})`;
}
