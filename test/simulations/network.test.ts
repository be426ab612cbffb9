/** The virtual network fails as TCP does: late, or as a whole; in order, and never in between. */
import { describe, expect, test } from "vitest";
import { TenantryError } from "../../proto/errors.js";
import { emptyAllocation, emptyRows, type Hello, type Report } from "../../proto/messages.js";
import type { AgentPeer, AgentSession } from "../../proto/ports.js";
import { SeededChance } from "../../simulations/world/chance.js";
import { VirtualClock } from "../../simulations/world/clock.js";
import { copied } from "../../simulations/world/copy.js";
import { type Accept, VirtualNetwork } from "../../simulations/world/network.js";
import { Process } from "../../simulations/world/process.js";
import { Trace } from "../../simulations/world/trace.js";

const hello: Hello = { service: "storage", instance: "a", boot: "1", acknowledgedSequence: 0 };

function report(sequence: number): Report {
  return {
    sequence,
    baseSequence: 0,
    windowUs: 1_000_000,
    heldEpoch: 0,
    heldSequence: 0,
    tenants: [],
    meters: [],
    rows: [],
    feeds: [],
  };
}

/** A network with one agent "a" and a server that notes down what happens at both ends. */
function scene(accept?: Accept) {
  const trace = new Trace();
  const clock = new VirtualClock(trace);
  const network = new VirtualNetwork(clock, trace, (name) => new SeededChance(1, name), { keepAliveUs: 5_000_000 });
  const story: string[] = [];
  const peers: AgentPeer[] = [];
  const server = new Process("controller", clock);
  const client = new Process("a", clock);
  const note: Accept = (_hello, peer) => {
    story.push("accepted");
    peers.push(peer);
    return {
      onReport: (message) => story.push(`report ${message.sequence}`),
      onClosed: () => story.push("server closed"),
    };
  };
  network.serve(accept ?? note, server);
  const transport = network.transport("a", client);
  const open = (): AgentSession =>
    transport.open(hello, {
      onWelcome: (message) => story.push(`welcome ${message.epoch}`),
      onAcknowledgement: (message) => story.push(`ack ${message.sequence}`),
      onAllocation: (message) => story.push(`allocation ${message.sequence}`),
      onClosed: (error) => story.push(`agent closed ${error?.code ?? "by itself"}`),
    });
  return { clock, network, story, peers, server, client, open };
}

describe("a session", () => {
  test("carries messages both ways, in order, and never within the call", () => {
    const { clock, story, peers, open } = scene();
    const session = open();
    expect(story).toEqual([]);
    clock.run(10_000);
    for (let sequence = 1; sequence <= 5; sequence++) {
      session.send(report(sequence));
      peers[0].sendAcknowledgement({ sequence });
    }
    expect(story).toEqual(["accepted"]);
    clock.run(20_000);
    expect(story.filter((line) => line.startsWith("report"))).toEqual([1, 2, 3, 4, 5].map((n) => `report ${n}`));
    expect(story.filter((line) => line.startsWith("ack"))).toEqual([1, 2, 3, 4, 5].map((n) => `ack ${n}`));
  });

  test("closed by the agent: what was sent arrives, then both ends know, once", () => {
    const { clock, story, open } = scene();
    const session = open();
    clock.run(10_000);
    session.send(report(1));
    session.close();
    session.close();
    session.send(report(2));
    clock.run(10_000_000);
    expect(story).toEqual(["accepted", "agent closed by itself", "report 1", "server closed"]);
  });

  test("closed by the server: the agent learns why", () => {
    const { clock, story, peers, open } = scene();
    open();
    clock.run(10_000);
    peers[0].close(new TenantryError("BAD_SEQUENCE", "no"));
    peers[0].sendAcknowledgement({ sequence: 1 });
    clock.run(10_000_000);
    expect(story).toEqual(["accepted", "server closed", "agent closed BAD_SEQUENCE"]);
  });

  test("refused by the server: the agent learns why", () => {
    const { clock, story, open } = scene(() => new TenantryError("TOO_MANY", "full"));
    open();
    clock.run(10_000);
    expect(story).toEqual(["agent closed TOO_MANY"]);
  });

  test("with nobody listening is refused, not lost", () => {
    const { clock, network, story, server, open } = scene();
    server.kill();
    network.serverDied();
    open();
    clock.run(10_000);
    expect(story).toEqual(["agent closed UNAVAILABLE"]);
  });

  test("a message that breaks the contract ends the session at both ends with a code", () => {
    const { clock, network, story, open } = scene();
    const session = open();
    clock.run(10_000);
    session.send({ ...report(1), windowUs: -1 });
    clock.run(20_000);
    expect(story).toEqual(["accepted", "server closed", "agent closed BAD_MESSAGE"]);
    expect(network.bad).toBe(1);
  });
});

describe("faults", () => {
  test("a cut loses what is under way, in both directions, and tells both ends", () => {
    const { clock, network, story, peers, open } = scene();
    const session = open();
    clock.run(10_000);
    session.send(report(1));
    peers[0].sendAcknowledgement({ sequence: 1 });
    network.cut("a");
    clock.run(20_000);
    expect(story.slice(1).sort()).toEqual(["agent closed UNAVAILABLE", "server closed"]);
    expect(network.lost).toBe(2);
  });

  test("a partition that heals in time delivers everything late and in order", () => {
    const { clock, network, story, peers, open } = scene();
    const session = open();
    clock.run(10_000);
    network.partition("a");
    session.send(report(1));
    session.send(report(2));
    peers[0].sendAcknowledgement({ sequence: 9 });
    clock.run(4_000_000);
    expect(story).toEqual(["accepted"]);
    network.heal("a");
    clock.run(20_000_000);
    expect(story.sort()).toEqual(["accepted", "ack 9", "report 1", "report 2"]);
  });

  test("a partition that lasts ends the session at both ends; the tail never arrives; a new one waits for the cure", () => {
    const { clock, network, story, open } = scene();
    const session = open();
    clock.run(10_000);
    network.partition("a");
    session.send(report(1));
    clock.run(6_000_000);
    expect(story.slice(1).sort()).toEqual(["agent closed UNAVAILABLE", "server closed"]);
    open();
    clock.run(7_000_000);
    expect(story).toHaveLength(3);
    network.heal("a");
    clock.run(8_000_000);
    expect(story[3]).toBe("accepted");
    expect(story).not.toContain("report 1");
  });

  test("a dead server's sessions are reset: agents know within a round trip, what was sent to it is lost", () => {
    const { clock, network, story, server, open } = scene();
    const session = open();
    clock.run(10_000);
    session.send(report(1));
    server.kill();
    network.serverDied();
    clock.run(20_000);
    expect(story).toEqual(["accepted", "agent closed UNAVAILABLE"]);
  });

  test("a dead agent's session is closed at the server, and nothing reaches the dead", () => {
    const { clock, network, story, client, peers, open } = scene();
    open();
    clock.run(10_000);
    client.kill();
    network.agentDied("a");
    peers[0].sendAcknowledgement({ sequence: 1 });
    clock.run(20_000);
    expect(story).toEqual(["accepted", "server closed"]);
  });
});

describe("a message", () => {
  test("arrives as a copy that shares nothing", () => {
    const allocation = { ...emptyAllocation(1, 2, 3), rates: [emptyRows(4)], points: ["a/b"] };
    const copy = copied(allocation);
    expect(copy).toEqual(allocation);
    copy.points.push("c/d");
    copy.rates[0].count.push(1);
    expect(allocation.points).toEqual(["a/b"]);
    expect(allocation.rates[0].count).toEqual([]);
  });

  test("holds nothing a wire would not carry", () => {
    expect(() => copied({ act: () => {} })).toThrow(/function/);
    expect(() => copied({ names: new Map() })).toThrow(/Map/);
    expect(copied({ column: new Float64Array([1, 2]) })).toEqual({ column: [1, 2] });
  });
});
