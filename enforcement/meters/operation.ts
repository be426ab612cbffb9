/** One use of a resource, from `resource.use` to exactly one `finish` or `cancel`: of one tenant, or shared by several. */
import type { Linked } from "../linked-queue.js";
import type { TenantIndex } from "../tenant-table.js";
import type { ViaSet } from "../via.js";
import type { Feeds } from "./feeds.js";
import type { Meter } from "./meter.js";
import type { Share } from "./shares.js";

export type OperationPhase = "new" | "queued" | "running" | "ended";

export interface OperationOptions {
  tenant: TenantIndex;
  via?: ViaSet;
  /** Who it is done for, where that is not `tenant` alone; from `sharesOf`. */
  shares?: readonly Share[] | undefined;
}

/**
 * @example
 * const operation = new Operation({ tenant, via }, (op) => readFile(path, () => disk.finish(op)));
 * disk.use(operation);
 */
export class Operation {
  readonly tenant: TenantIndex;
  readonly via: ViaSet;
  readonly shares: readonly Share[] | undefined;
  /** Called once when service begins, possibly within `use`. */
  readonly onStart: (operation: Operation) => void;
  /** Where it is in its life; read-only for everyone but its meter. */
  phase: OperationPhase = "new";
  /** @internal Clock time service began at, µs. */
  startedUs = 0;
  /** @internal */ next: Linked | undefined = undefined;
  /** @internal */ previous: Linked | undefined = undefined;

  constructor(options: OperationOptions, onStart: (operation: Operation) => void) {
    this.tenant = options.tenant;
    this.via = options.via ?? 0;
    this.shares = options.shares;
    this.onStart = onStart;
  }

  /** @internal It came by these points. */
  observedBy(feeds: Feeds): void {
    feeds.observe(this.via);
    if (this.shares !== undefined) for (const { via } of this.shares) feeds.observe(via);
  }

  /** @internal It is (1), or is no longer (−1), in one of the meter's gauges. */
  count(meter: Meter, gauge: number, sign: 1 | -1, nowUs: number): void {
    if (this.shares === undefined) meter.add(this.tenant, gauge, sign, nowUs);
    else for (const { tenant, part } of this.shares) meter.add(tenant, gauge, sign * part, nowUs);
  }

  /** @internal It went from one gauge to another. */
  move(meter: Meter, from: number, to: number, nowUs: number): void {
    if (this.shares === undefined) meter.move(this.tenant, from, to, nowUs);
    else for (const { tenant, part } of this.shares) meter.move(tenant, from, to, nowUs, part);
  }

  /** @internal It is complete, at this cost. */
  completed(meter: Meter, cost: number, nowUs: number): void {
    if (this.shares === undefined) meter.completed(this.tenant, cost, nowUs);
    else for (const { tenant, part } of this.shares) meter.completed(tenant, cost, nowUs, part);
  }
}
