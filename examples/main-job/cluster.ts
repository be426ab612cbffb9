/**
 * The whole system as processes on this machine: a controller, two storage instances with a database behind them, a gateway before
 * them, and a load generator. All ports are free ones, and everything written stands in one temporary folder, which goes with the cluster.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Act } from "./acts.js";
import { Child } from "./child.js";
import type { Seens } from "./load.js";
import { type TenantName, writeBlobs } from "./workload.js";

export const STORAGES = 2;
export const THREADS = 1;
export const CONNECTIONS = 2;

interface Ports {
  grpcPort: number;
  httpPort: number;
}

export class Cluster {
  readonly #config: string;
  readonly #slots: number;
  readonly #folder: string;
  readonly #onDied: (error: Error) => void;
  readonly #children: Child[] = [];
  #controller: Child | undefined;
  #load: Child | undefined;
  #ports: Ports = { grpcPort: 0, httpPort: 0 };
  #gatewayPort = 0;
  #ending: Promise<void> | undefined;

  /**
   * Makes the folder and nothing else yet, so that whoever is interrupted has something to `end()`.
   *
   * @param onDied told when a process ends that should not
   * @param options the controller's configuration file, and how many requests a storage takes in
   */
  constructor(onDied: (error: Error) => void, { config, slots }: Pick<Act, "config" | "slots">) {
    this.#config = config;
    this.#slots = slots;
    this.#folder = mkdtempSync(join(tmpdir(), "tenantry-"));
    this.#onDied = onDied;
  }

  /** Starts every process and waits until each listens. */
  async start(): Promise<void> {
    writeBlobs(this.#folder);
    await this.startController();
    const controller = { TENANTRY_CONTROLLER: `127.0.0.1:${this.#ports.grpcPort}` };
    const database = await this.#start("database", {}).next<{ port: number }>();
    const storage = {
      ...controller,
      FOLDER: this.#folder,
      THREADS: String(THREADS),
      CONNECTIONS: String(CONNECTIONS),
      SLOTS: String(this.#slots),
      DATABASE: `http://127.0.0.1:${database.port}`,
    };
    const storages = Array.from({ length: STORAGES }, () => this.#start("storage", storage).next<{ port: number }>());
    const ports = (await Promise.all(storages)).map(({ port }) => port);
    const gateway = this.#start("gateway", { ...controller, STORAGES: ports.join(",") });
    this.#gatewayPort = (await gateway.next<{ port: number }>()).port;
    this.#load = this.#start("load", { GATEWAY: this.gatewayUrl });
    await this.#load.next();
  }

  get gatewayUrl(): string {
    return `http://127.0.0.1:${this.#gatewayPort}`;
  }

  /** Of the controller's HTTP side. */
  get controllerUrl(): string {
    return `http://127.0.0.1:${this.#ports.httpPort}`;
  }

  /** Of the controller's gRPC side, as host:port. */
  get controllerAddress(): string {
    return `127.0.0.1:${this.#ports.grpcPort}`;
  }

  /** Process ids of a program's instances. */
  processIds(program: string): number[] {
    return this.#children.filter(({ name }) => name === program).map(({ pid }) => pid);
  }

  /** What a program's instances have said on stderr lately. */
  complaints(program: string): string[] {
    return this.#children.filter(({ name }) => name === program).flatMap(({ complaints }) => complaints);
  }

  /** Starts the controller; again on the same ports and with the same state after it was ended. */
  async startController(): Promise<void> {
    const { grpcPort, httpPort } = this.#ports;
    const state = join(this.#folder, "state.json");
    const env = { CONFIG: this.#config, STATE: state, GRPC_PORT: String(grpcPort), HTTP_PORT: String(httpPort) };
    this.#controller = this.#start("controller", env);
    this.#ports = await this.#controller.next<Ports>();
  }

  /** Ends the controller alone, with SIGKILL unless told otherwise. */
  async endController(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const controller = this.#controller;
    if (controller === undefined) return;
    this.#children.splice(this.#children.indexOf(controller), 1);
    await controller.end(signal);
  }

  /** Lets a tenant begin. */
  play(tenant: TenantName): void {
    this.#load?.send({ play: tenant });
  }

  /** What the tenants saw since this was asked last. */
  async take(): Promise<Seens> {
    return (await this.#load?.ask<{ seens: Seens }>({ take: true }))?.seens ?? {};
  }

  /** Ends every process, the load first, and removes what was written. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    await this.#load?.end("SIGKILL");
    await Promise.all(this.#children.map((child) => child.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  #start(name: string, env: Record<string, string>): Child {
    if (this.#ending !== undefined) throw new Error("the cluster has ended");
    const child = new Child(name, { ...env, TEMPORARY: this.#folder }, this.#onDied);
    this.#children.push(child);
    return child;
  }
}
