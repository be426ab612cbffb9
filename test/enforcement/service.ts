/** A service of service "s" with one control point "p", a fake clock and a fake controller, as most tests need it. */
import {
  Agent,
  type AgentEvent,
  type AgentOptions,
  type ControlPoint,
  type PointOptions,
  Request,
  type RequestOptions,
} from "../../enforcement/index.js";
import { FakeClock, steady } from "./fake-clock.js";
import { FakeController } from "./fake-controller.js";

export class Service {
  readonly clock = new FakeClock();
  readonly controller = new FakeController();
  readonly events: AgentEvent[] = [];
  readonly agent: Agent;
  readonly point: ControlPoint;
  /** What happened to requests, in order: "a1 starts", "a2 refused QUEUE_FULL". */
  readonly log: string[] = [];
  readonly #counts = new Map<string, number>();

  constructor(point: PointOptions = {}, options: Partial<AgentOptions> = {}) {
    this.agent = new Agent({
      service: "s",
      instance: "s-1",
      boot: "boot",
      clock: this.clock,
      chance: steady(),
      transport: this.controller,
      onEvent: (event) => this.events.push(event),
      ...options,
    });
    this.point = this.agent.controlPoint("p", point);
  }

  /** Connected, with these rates in force at "s/p" (burst 1 unless said otherwise). */
  limited(rates: Record<string, number>, burst = 1): this {
    if (this.controller.sessions.length === 0) {
      this.agent.start();
      this.controller.welcome();
    }
    this.limit(rates, burst);
    return this;
  }

  limit(rates: Record<string, number>, burst = 1): void {
    const rows = Object.entries(rates).map(([tenant, ratePerSec]) => ({ point: "s/p", tenant, ratePerSec, burst }));
    this.controller.allocate(rows, { ttlUs: 3_600_000_000 });
  }

  request(
    tenant: string,
    options: Partial<RequestOptions> & { deadlineInUs?: number; onStart?: (request: Request) => void } = {},
  ): Request & { label: string } {
    const count = (this.#counts.get(tenant) ?? 0) + 1;
    this.#counts.set(tenant, count);
    const label = `${tenant}${count}`;
    const { deadlineInUs, onStart, ...rest } = options;
    const deadlineUs = deadlineInUs === undefined ? undefined : this.clock.nowUs() + deadlineInUs;
    const request = new Request(
      { deadlineUs, ...rest, tenant: this.agent.tenant(tenant) },
      {
        onStart: (started) => {
          this.log.push(`${label} starts`);
          onStart?.(started);
        },
        onRefused: (error) => this.log.push(`${label} refused ${error.code}`),
      },
    );
    return Object.assign(request, { label });
  }

  submit(tenant: string, options: Parameters<Service["request"]>[1] = {}): Request {
    const request = this.request(tenant, options);
    this.point.submit(request);
    return request;
  }

  /** What has been logged since the last call. */
  told(): string[] {
    return this.log.splice(0);
  }

  kinds(): string[] {
    return this.events.splice(0).map(({ kind }) => kind);
  }
}
