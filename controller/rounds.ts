/**
 * The controller at work: sessions on one side, the tick on the other. One round is: who is alive, what did they measure, what
 * do policies want, what may each instance have; then everything is sent.
 *
 * Between ticks two things cannot wait: an instance that joins must not run without limits until the next tick, and a mode
 * that was switched must tell at once. Both split again what was decided, without deciding anew.
 */
import type { Policy } from "../policies/index.js";
import { type ErrorCode, TenantryError } from "../proto/errors.js";
import type { Hello, Report } from "../proto/messages.js";
import type { AgentPeer, Alarm, Clock, PeerSession } from "../proto/ports.js";
import { Allocator, type Dispatch } from "./allocations.js";
import type { ControllerConfig } from "./config.js";
import type { ControllerEvent } from "./controller.js";
import { REFUSAL_CAUSES, type RefusalCause } from "./guard.js";
import { heldLimits, readHeld } from "./held.js";
import { Learning } from "./learning.js";
import { Ledger } from "./ledger.js";
import { LeftOut } from "./left-out.js";
import { type Instance, Membership } from "./membership.js";
import { MeterBook } from "./meter-book.js";
import { leastMode } from "./modes.js";
import { PolicyLoop } from "./policy-loop.js";
import { RefusalRows } from "./refusal-rows.js";
import type { Settings } from "./settings.js";
import type { Counters } from "./snapshot.js";
import { outOfReachText, TargetWatch } from "./targets.js";
import { TenantSeats } from "./tenant-seats.js";
import { ViewBuilder } from "./view-builder.js";

export interface RoundsOptions {
  clock: Clock;
  config: Readonly<ControllerConfig>;
  policies: readonly Policy[];
  settings: Settings;
  event(kind: ControllerEvent["kind"], message: string, code?: ErrorCode): void;
}

/** Messages sent before others get a turn: a broadcast to ten thousand streams would stop everything else. */
const SENT_AT_ONCE = 256;
/** Instances that join within this part of a window are given their first rates together. */
const JOIN_DELAY_WINDOWS = 0.01;
/** Dead instances are remembered for this many windows. */
const REMEMBERED_WINDOWS = 60;

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #membership: Membership;
  readonly #allocator = new Allocator();
  readonly seats: TenantSeats;
  readonly meters: MeterBook;
  readonly builder: ViewBuilder;
  readonly loop: PolicyLoop;
  readonly targets = new TargetWatch();
  readonly counters: Counters = {
    reports: 0,
    tuples: 0,
    duplicateReports: 0,
    badSequences: 0,
    badMessages: 0,
    droppedRows: 0,
    limitsLeftOut: 0,
    sessionsAccepted: 0,
    sessionsRefused: 0,
    instancesDied: 0,
    allocations: 0,
    ticks: 0,
    lateTicks: 0,
    decisions: 0,
    overflows: 0,
    storeFailures: 0,
    refusals: Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])),
    tickUs: 0,
  };
  epoch = 0;
  sequence = 0;
  learning: Learning | undefined;
  #prunedVersion = 0;
  readonly #refusalRows = new RefusalRows();
  #rememberedVersion = 0;
  #lastReportUs = -1;
  #nextTickUs = 0;
  #tick: Alarm | undefined;
  #refresh: Alarm | undefined;
  #refreshAll = false;
  #joiners = new Set<Instance>();
  #sending: Dispatch[] = [];
  readonly #leftOut = new LeftOut();
  #slice: Alarm | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
    const { config, policies, settings, clock } = options;
    const { windowUs } = config;
    this.#membership = new Membership(config.maxInstances);
    this.seats = new TenantSeats(config.maxTenants);
    this.meters = new MeterBook(config.maxMeters);
    this.builder = new ViewBuilder({
      windowUs,
      halfLifeUs: config.halfLifeWindows * windowUs,
      memoryUs: config.memoryHalfLifeWindows * windowUs,
      seats: this.seats,
      meters: this.meters,
      weightOf: (seat) => (settings.weights.size === 0 ? 1 : (settings.weights.get(this.seats.name(seat) ?? "") ?? 1)),
      groups: settings.groups,
      groupOf: (seat) => (settings.groups.length === 0 ? undefined : settings.groupIndices.get(this.seats.name(seat) ?? "")),
      termsOf: (seat) => (settings.terms.size === 0 ? undefined : settings.terms.get(this.seats.name(seat) ?? "")),
    });
    this.loop = new PolicyLoop({
      policies,
      settings,
      seats: this.seats,
      meters: this.meters,
      builder: this.builder,
      nowUs: () => clock.nowUs(),
      budgetUs: config.policyBudgetWindows * windowUs,
      onRefused: (policy, cause, message) => this.#refuse(policy.name, cause, message),
    });
  }

  readonly instances = (): Iterable<Instance> => this.#membership.list();

  /** Begins to tick under this epoch. */
  start(epoch: number): void {
    const { clock, config, settings } = this.#options;
    const { windowUs, ttlWindows } = config;
    this.epoch = epoch;
    this.learning = new Learning({ windowUs, ttlWindows, remembered: settings.state.instances ?? [], nowUs: clock.nowUs() });
    this.#nextTickUs = clock.nowUs() + config.windowUs;
    this.#tick = clock.at(this.#nextTickUs, () => this.#onTick());
  }

  /** Ends every session and forgets every alarm. */
  stop(): void {
    for (const alarm of [this.#tick, this.#refresh, this.#slice]) alarm?.cancel();
    this.#sending = [];
    for (const instance of this.#membership.list()) {
      const { peer } = instance;
      instance.peer = undefined;
      peer?.close(
        new TenantryError("UNAVAILABLE", "the controller stops; rates run on for their leases; connect again in a moment"),
      );
    }
  }

  accept(hello: Hello, peer: AgentPeer): PeerSession | TenantryError {
    const { clock, config, event } = this.#options;
    const nowUs = clock.nowUs();
    const joined = this.#membership.join(hello, nowUs, () => this.#newLedger(hello.service));
    if (joined instanceof TenantryError) {
      this.counters.sessionsRefused++;
      event("refused", joined.message, joined.code);
      return joined;
    }
    const { instance, before } = joined;
    const formerPeer = before?.peer ?? instance.peer;
    if (before !== undefined) {
      before.peer = undefined;
      this.#dropHeld(before);
    }
    instance.peer = peer;
    if (!instance.live) this.#membership.version++;
    instance.live = true;
    instance.helloUs = nowUs;
    instance.ledger.beginStream();
    this.#adoptHeld(instance, hello, nowUs);
    this.learning?.found(instance.name, nowUs);
    this.counters.sessionsAccepted++;
    this.#joiners.add(instance);
    this.#refreshAt(nowUs + Math.round(JOIN_DELAY_WINDOWS * config.windowUs));
    event("joined", `${instance.name} ${before === undefined ? "joined" : "joined again after a restart"}`);
    formerPeer?.close(new TenantryError("CLOSED", `another stream of ${instance.name} took the place of this one`));
    peer.sendWelcome({
      epoch: this.epoch,
      appliedSequence: instance.ledger.applied,
      windowUs: config.windowUs,
      maxTenants: config.maxTenantsPerInstance,
      maxMeters: config.maxMetersPerInstance,
    });
    return {
      onReport: (report) => {
        if (instance.peer === peer) this.#onReport(instance, peer, report);
      },
      onClosed: () => {
        if (instance.peer !== peer) return;
        instance.peer = undefined;
        event("left", `the stream of ${instance.name} has ended`);
      },
    };
  }

  /** Something was set: modes are in force now, for everybody. */
  refreshAll(): void {
    if (this.epoch === 0) return;
    this.#refreshAll = true;
    this.#refreshAt(this.#options.clock.nowUs());
  }

  #onReport(instance: Instance, peer: AgentPeer, report: Report): void {
    const { clock, event } = this.#options;
    try {
      const outcome = instance.ledger.apply(report);
      if (outcome === "gap") {
        throw new TenantryError(
          "BAD_SEQUENCE",
          `report ${report.sequence} continues ${report.baseSequence}, but ${instance.ledger.applied} was applied last; connect again to agree`,
        );
      }
      if (outcome === "duplicate") this.counters.duplicateReports++;
      else {
        this.counters.reports++;
        for (const rows of report.rows) this.counters.tuples += rows.tenant.length;
      }
    } catch (error) {
      const coded =
        error instanceof TenantryError
          ? error
          : new TenantryError("BAD_MESSAGE", "the report could not be applied", { cause: error });
      if (coded.code === "BAD_SEQUENCE") this.counters.badSequences++;
      else this.counters.badMessages++;
      instance.peer = undefined;
      event("refused", `the stream of ${instance.name} was ended: ${coded.message}`, coded.code);
      peer.close(coded);
      return;
    }
    const nowUs = clock.nowUs();
    this.#lastReportUs = nowUs;
    instance.lastReportUs = nowUs;
    if (!instance.live) {
      instance.live = true;
      this.#membership.version++;
      this.#joiners.add(instance);
      this.#refreshAt(nowUs);
    }
    if (report.heldEpoch === this.epoch) instance.heldSequence = report.heldSequence;
    instance.grants.acknowledge(report.heldEpoch, report.heldSequence);
    peer.sendAcknowledgement({ sequence: report.sequence });
  }

  #onTick(): void {
    const { clock, config, settings, event } = this.#options;
    const nowUs = clock.nowUs();
    const { windowUs } = config;
    const lateUs = nowUs - this.#nextTickUs;
    if (lateUs > windowUs / 2) this.counters.lateTicks++;
    // A missed tick is not made up for: the next one covers its time.
    this.#nextTickUs += windowUs * (Math.floor(lateUs / windowUs) + 1);
    this.#tick = clock.at(this.#nextTickUs, () => this.#onTick());
    this.counters.ticks++;
    this.#sweep(nowUs);
    const live = [...this.#membership.list()].filter((instance) => instance.live);
    const view = this.builder.build(live, this.loop.inForce, this.counters.ticks, nowUs);
    if (this.learning?.done(nowUs)) {
      const { size } = this.learning.missing;
      const missing = size === 0 ? "" : `, and ${size} did not come back within the leases of before`;
      this.learning = undefined;
      event("learned", `${live.length} instance(s) are known${missing}; policies decide from now on`);
    }
    if (this.learning === undefined) {
      const stale = nowUs - this.#lastReportUs > config.deadAfterWindows * windowUs;
      if (!stale) {
        this.loop.decide(view);
        for (const found of this.targets.watch(this.builder)) event("target", outOfReachText(found), "BAD_CONFIG");
      } else if (this.#membership.size > 0)
        this.#refuse("", "stale", `nothing was heard for ${config.deadAfterWindows} windows; all rates stay as they are`);
      for (const instance of live) if (instance.ledger.reports > 0) this.#dropHeld(instance);
    }
    this.#send(() => true);
    this.counters.decisions = this.loop.decisions;
    this.counters.overflows = this.seats.overflows;
    this.#remember(live);
    if (settings.unsaved) settings.save(() => {});
    this.counters.tickUs = clock.nowUs() - nowUs;
  }

  /** Has it written down who is alive, when that changed; while it learns, also who is still missing. */
  #remember(live: readonly Instance[]): void {
    const version = this.#membership.version + (this.learning === undefined ? 1 : 0);
    if (this.#rememberedVersion === version) return;
    this.#rememberedVersion = version;
    const missing = this.learning?.missing ?? [];
    this.#options.settings.setInstances([...missing, ...live.map(({ name }) => name)].sort());
  }

  /** Counts every refusal of the guard, and tells the first of a row: thirty in half a minute say no more than one. */
  #refuse(policy: string, cause: RefusalCause, message: string): void {
    this.counters.refusals[cause]++;
    if (this.#refusalRows.begins(policy, cause, this.counters.ticks))
      this.#options.event("guard", message, cause === "stale" ? "UNAVAILABLE" : "BAD_POLICY");
  }

  /** Who died, whose lease is over, which tenants and meters are gone. */
  #sweep(nowUs: number): void {
    const { config, event } = this.#options;
    const { windowUs } = config;
    const died = this.#membership.sweep(nowUs - config.deadAfterWindows * windowUs, nowUs - REMEMBERED_WINDOWS * windowUs);
    for (const instance of died) {
      this.counters.instancesDied++;
      this.#dropHeld(instance);
      event("died", `${instance.name} has not reported for ${config.deadAfterWindows} windows; its share returns to the others`);
    }
    // Two windows more than the lease: one for the way of the message, one for a clock that runs slow.
    const leasedSinceUs = nowUs - (config.ttlWindows + 2) * windowUs;
    for (const instance of this.#membership.list()) instance.grants.expire(leasedSinceUs);
    const idle = config.tenantIdleWindows;
    const gone = this.counters.ticks % Math.ceil(idle / 4) === 0 ? this.seats.collect(this.counters.ticks - idle) : undefined;
    if (gone !== undefined) {
      // Those that share "overflow" may find a seat of their own now.
      gone[0] = 1;
      for (const { ledger } of this.#membership.list()) ledger.forgetSeats(gone);
      gone[0] = 0;
    }
    if (gone === undefined && this.#prunedVersion === this.meters.version) return;
    this.#prunedVersion = this.meters.version;
    this.loop.prune(gone);
    this.targets.prune((tenant) => this.seats.find(tenant) !== undefined);
    this.meters.recycle();
  }

  #refreshAt(whenUs: number): void {
    if (this.#refresh !== undefined) return;
    this.#refresh = this.#options.clock.at(whenUs, () => {
      this.#refresh = undefined;
      const all = this.#refreshAll;
      this.#send((instance) => all || this.#joiners.has(instance));
    });
  }

  /** Splits what is decided, and sends it to those who shall receive it. */
  #send(receives: (instance: Instance) => boolean): void {
    const { clock, config, policies, settings, event } = this.#options;
    this.loop.combine(heldLimits(this.#membership.list()));
    const dispatches = this.#allocator.allocate({
      epoch: this.epoch,
      sequence: ++this.sequence,
      nowUs: clock.nowUs(),
      ttlUs: config.ttlWindows * config.windowUs,
      windowUs: config.windowUs,
      burstSeconds: config.burstSeconds,
      seats: this.seats,
      meters: this.meters,
      limits: this.loop.inForce,
      instances: this.#membership.list(),
      receives,
      policyNames: policies.map((policy) => policy.name),
      weights: settings.weights,
      enforcedAt: (point) => leastMode(settings.mode, settings.pointMode(point)) === "enforce",
    });
    const { limits, message } = this.#leftOut.note(dispatches, this.#membership.size);
    this.counters.limitsLeftOut += limits;
    if (message !== undefined) event("bound", message, "TOO_MANY");
    this.#joiners.clear();
    this.#refreshAll = false;
    this.#sending.push(...dispatches);
    if (this.#slice === undefined) this.#sendSlice();
  }

  #sendSlice(): void {
    const { clock } = this.#options;
    this.#slice = undefined;
    const slice = this.#sending.splice(0, SENT_AT_ONCE);
    if (this.#sending.length > 0) this.#slice = clock.at(clock.nowUs(), () => this.#sendSlice());
    for (const { instance, allocation } of slice) {
      if (instance.peer === undefined) continue;
      this.counters.allocations++;
      instance.peer.sendAllocation(allocation);
    }
  }

  #newLedger(service: string): Ledger {
    return new Ledger(service, this.meters, (rows) => {
      this.counters.droppedRows += rows;
    });
  }

  /** What it says it holds counts as granted; and as its share, as long as its own figures are not known. */
  #adoptHeld(instance: Instance, hello: Hello, nowUs: number): void {
    this.#dropHeld(instance);
    if (!hello.held) {
      instance.grants.restart(undefined);
      return;
    }
    const known = instance.grants.find(hello.held.epoch, hello.held.sequence);
    if (known !== undefined && instance.ledger.reports > 0) {
      instance.grants.restart(known);
      return;
    }
    instance.held = readHeld(hello.held, instance.service, nowUs, { seats: this.seats, meters: this.meters });
    instance.grants.restart(instance.held.grant);
    if (instance.ledger.reports > 0) this.#dropHeld(instance);
  }

  #dropHeld(instance: Instance): void {
    for (const meter of instance.held?.acquired ?? []) this.meters.release(meter);
    instance.held = undefined;
  }
}
