/** One use of a resource, from `resource.use` to exactly one `finish` or `cancel`. */
import type { Linked } from "../linked-queue.js";
import type { TenantIndex } from "../tenant-table.js";
import type { ViaSet } from "../via.js";

export type OperationPhase = "new" | "queued" | "running" | "ended";

/**
 * @example
 * const operation = new Operation({ tenant, via }, (op) => readFile(path, () => disk.finish(op)));
 * disk.use(operation);
 */
export class Operation {
  readonly tenant: TenantIndex;
  readonly via: ViaSet;
  /** Called once when service begins, possibly within `use`. */
  readonly onStart: (operation: Operation) => void;
  /** Where it is in its life; read-only for everyone but its meter. */
  phase: OperationPhase = "new";
  /** @internal Clock time service began at, µs. */
  startedUs = 0;
  /** @internal */ next: Linked | undefined = undefined;
  /** @internal */ previous: Linked | undefined = undefined;

  constructor(options: { tenant: TenantIndex; via?: ViaSet }, onStart: (operation: Operation) => void) {
    this.tenant = options.tenant;
    this.via = options.via ?? 0;
    this.onStart = onStart;
  }
}
