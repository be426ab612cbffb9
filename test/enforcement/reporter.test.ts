/** Nothing is counted twice, whatever is lost, repeated, reordered or restarted; what cannot be known is under-counted. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agent } from "../../enforcement/index.js";
import type { Report } from "../../proto/messages.js";
import { FakeClock, steady } from "./fake-clock.js";
import { FakeController } from "./fake-controller.js";
import { Service } from "./service.js";

const WINDOW = 1_000_000;

/** The controller's side of the contract, as dumb as can be: which report was applied last, and Σ count per tenant. */
class Ledger {
  applied = 0;
  sums: Record<string, number> = {};
  #names = new Map<number, string>();

  beginStream(): void {
    this.#names.clear();
  }

  /** @returns is there something to acknowledge? */
  take(report: Report): boolean {
    if (this.applied > 0 && report.sequence <= this.applied) return true;
    if (this.applied > 0 && report.baseSequence !== this.applied) return false;
    for (const { index, name } of report.tenants) this.#names.set(index, name);
    for (const { tenant, count } of report.rows) {
      let index = 0;
      tenant.forEach((step, i) => {
        index += step;
        const name = this.#names.get(index);
        if (name === undefined) throw new Error(`tenant ${index} was never named on this stream`);
        this.sums[name] = (this.sums[name] ?? 0) + (count[i] ?? 0);
      });
    }
    this.applied = report.sequence;
    return true;
  }
}

function connected() {
  const clock = new FakeClock();
  const controller = new FakeController();
  const agent = new Agent({ service: "s", instance: "i", boot: "b", clock, chance: steady(), transport: controller });
  const meter = agent.resource("r", { unit: "things" });
  const use = (tenant: string, count = 1) => meter.record(agent.tenant(tenant), 0, 1, { count });
  agent.start();
  controller.welcome();
  return { clock, controller, agent, use };
}

describe("reports", () => {
  test("continue what was acknowledged; one at a time; when behind, the newest covers everything", () => {
    const { clock, controller, use } = connected();
    use("a", 3);
    clock.advance(1);
    use("a", 4);
    clock.advance(3 * WINDOW);
    expect(controller.session.reports.map(({ sequence, rows }) => [sequence, rows[0].count])).toEqual([[1, [3]]]);
    controller.acknowledge();
    use("b", 5);
    clock.advance(WINDOW);
    const { sequence, baseSequence, windowUs, rows, tenants } = controller.session.last;
    expect({ sequence, baseSequence, windowUs, counts: rows[0].count }).toEqual({
      sequence: 2,
      baseSequence: 1,
      windowUs: 4 * WINDOW,
      counts: [4, 5],
    });
    expect(tenants).toEqual([{ index: 3, name: "b" }]);
  });

  test("an acknowledgement that is late, repeated or of nothing says nothing", () => {
    const { clock, controller, agent, use } = connected();
    use("a", 3);
    clock.advance(1);
    for (const sequence of [2, 99]) controller.acknowledge(sequence);
    controller.acknowledge(1);
    controller.acknowledge(1);
    use("a", 2);
    clock.advance(WINDOW);
    controller.acknowledge(1);
    clock.advance(WINDOW);
    expect(controller.session.reports.map(({ rows }) => rows[0].count)).toEqual([[3], [2]]);
    expect(agent.state).toMatchObject({ reportsSent: 2, reportsAcknowledged: 1 });
  });

  test.each([
    ["it arrived, its acknowledgement was lost", 1, { baseSequence: 1, counts: [4] }],
    ["it did not arrive", 0, { baseSequence: 0, counts: [7] }],
    ["it is of no use to know: another has been applied", 40, { baseSequence: 40, counts: [4] }],
  ])("after a lost connection: %s", (_, applied, expected) => {
    const { clock, controller, use } = connected();
    use("a", 3);
    clock.advance(1);
    use("a", 4);
    controller.session.handlers.onClosed();
    clock.advance(10);
    expect(controller.sessions).toHaveLength(2);
    expect(controller.session.hello.acknowledgedSequence).toBe(0);
    controller.welcome(applied);
    clock.advance(1);
    const { baseSequence, rows, tenants, meters, sequence } = controller.session.last;
    expect({ baseSequence, counts: rows[0].count }).toEqual(expected);
    expect(sequence).toBe(Math.max(1, applied) + 1);
    expect([tenants.length, meters.length]).toEqual([1, 1]); // a new stream learns the names anew
  });

  test("a controller that acknowledges nothing for five windows is left, and another session begun", () => {
    const { clock, controller } = connected();
    clock.advance(5 * WINDOW);
    expect(controller.sessions).toHaveLength(1);
    clock.advance(WINDOW);
    expect(controller.sessions[0].closed).toBe(true);
    expect(controller.sessions).toHaveLength(2);
  });

  test("tenants beyond what the other side has room for are counted as one, shown as such", () => {
    const clock = new FakeClock();
    const controller = new FakeController();
    controller.maxTenants = 4;
    const agent = new Agent({ service: "s", instance: "i", boot: "b", clock, chance: steady(), transport: controller });
    const meter = agent.resource("r", { unit: "things" });
    const all = Array.from({ length: 10 }, (_, i) => agent.tenant(`t${i}`));
    for (const tenant of all) meter.record(tenant, 0, 1);
    meter.begin(all[9], 0, false);
    agent.start();
    controller.welcome();
    clock.advance(1);
    const { tenants, rows } = controller.session.last;
    expect(tenants.map(({ name }) => name)).toEqual(["overflow", "t0", "t1"]);
    expect(rows[0]).toMatchObject({ tenant: [0, 2, 1], count: [8, 1, 1], running: [1, 0, 0] });
    expect(agent.tenantName(agent.tenant("new"))).toBe("overflow");
  });

  test("close sends the last of it and waits for the acknowledgement, but not long", () => {
    const { clock, controller, agent, use } = connected();
    clock.advance(1);
    use("a", 3);
    let done = 0;
    agent.close(() => done++);
    controller.acknowledge(1);
    expect([controller.session.last.rows[0].count, done]).toEqual([[3], 0]);
    controller.acknowledge(2);
    expect([done, controller.session.closed, clock.pending]).toEqual([1, true, 0]);

    const deaf = connected();
    deaf.agent.close(() => done++);
    deaf.clock.advance(WINDOW);
    expect([done, deaf.clock.pending]).toEqual([2, 0]);
  });

  const step = fc.record({
    what: fc.constantFrom("use", "use", "window", "deliver", "deliver", "repeat", "loseAck", "cut", "restart"),
    tenant: fc.nat(3),
    pick: fc.nat(99),
  });

  test("property: lost, repeated and reordered messages, cuts and restarts never make the controller count too much; without loss, nothing less", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { clock, controller, agent, use } = connected();
        let ledger = new Ledger();
        let [restarts, delivered, before] = [0, 0, 0];
        const used: Record<string, number> = {};
        const acks: number[] = [];
        const reconnect = () => {
          controller.session.handlers.onClosed();
          for (let i = 0; i < 400 && controller.session.closed !== true && controller.sessions.length === before; i++)
            clock.advance(WINDOW);
        };
        const welcome = () => {
          ledger.beginStream();
          acks.length = 0;
          delivered = 0;
          controller.welcome(ledger.applied);
        };
        for (const { what, tenant, pick } of steps) {
          const { session } = controller;
          before = controller.sessions.length;
          if (what === "use") {
            use(`t${tenant}`);
            used[`t${tenant}`] = (used[`t${tenant}`] ?? 0) + 1;
          } else if (what === "window") clock.advance(WINDOW);
          else if (what === "deliver" && delivered < session.reports.length) {
            if (ledger.take(session.reports[delivered++])) acks.push(session.reports[delivered - 1].sequence);
            if (pick % 2 === 0) for (const ack of acks.splice(0).reverse()) controller.acknowledge(ack);
          } else if (what === "repeat" && delivered > 0) {
            ledger.take(session.reports[pick % delivered]);
            controller.acknowledge(session.reports[pick % delivered].sequence);
          } else if (what === "loseAck") acks.pop();
          else if (what === "cut" || what === "restart") {
            if (what === "restart") {
              // A controller that starts anew has forgotten its sums as well; what was reported before it may be new to it.
              ledger = new Ledger();
              restarts += 1;
            }
            reconnect();
            if (controller.sessions.length > before) welcome();
          }
          if (controller.sessions.length > before && what === "window") welcome(); // patience ran out
          for (const [name, sum] of Object.entries(ledger.sums)) expect(sum).toBeLessThanOrEqual(used[name]);
        }
        // Let what is on its way arrive.
        for (let i = 0; i < 4; i++) {
          const { session } = controller;
          while (delivered < session.reports.length) ledger.take(session.reports[delivered++]);
          controller.acknowledge(ledger.applied);
          clock.advance(WINDOW);
        }
        for (const [name, sum] of Object.entries(ledger.sums)) expect(sum).toBeLessThanOrEqual(used[name]);
        if (restarts === 0 && controller.session.reports.length > 0) expect(ledger.sums).toEqual(used);
        agent.close(() => {});
      }),
    );
  });
});

test("an agent without a controller measures for nobody, and keeps nothing alive", () => {
  const service = new Service({}, { transport: undefined });
  service.agent.start();
  service.point.complete(service.submit("a"));
  expect([service.clock.pending, service.agent.state.connected, service.agent.state.ladder]).toEqual([0, false, "open"]);
});
