/**
 * What only a process of its own can show: what the package loads, and whether it lets the process end.
 * Runs the built package, as a user's program would.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { createController } from "../../controller/io/index.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BUILT = existsSync(`${ROOT}/dist/enforcement/io/index.js`);

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program that imports "tenantry"; killed, and so failed, if it has not ended by itself. */
function program(source: string, environment: Record<string, string> = {}): Promise<Outcome> {
  const flags = ["--input-type=module", "--import", `data:text/javascript,${encodeURIComponent(TELL_LOADED)}`, "-e", source];
  return new Promise((resolve) => {
    const { TENANTRY_CONTROLLER: _none, ...inherited } = process.env;
    const options = { cwd: ROOT, timeout: 15_000, env: { ...inherited, ...environment } };
    const child = execFile(process.execPath, flags, options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

/** Writes the URL of every module that is resolved to stdout, as "loaded URL". */
const TELL_LOADED = `
  import { register } from "node:module";
  register("data:text/javascript," + encodeURIComponent(\`
    import { writeSync } from "node:fs";
    export async function resolve(specifier, context, next) {
      const found = await next(specifier, context);
      writeSync(1, "loaded " + found.url + "\\\\n");
      return found;
    }\`));
`;

describe.skipIf(!BUILT)("a process that links the built package (npm run build)", () => {
  test("loads nothing of the controller, and no gRPC while nobody answers", async () => {
    const { code, stdout } = await program(`
      import { createAgent } from "tenantry";
      import { createRequire } from "node:module";
      const agent = createAgent({ service: "s", controller: "127.0.0.1:9" });
      await agent.run("a", () => agent.controlPoint("p", { slots: 1 }).run(() => agent.resource("r").use(() => {})));
      await agent.close();
      for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log("loaded " + path);
    `);
    expect(code).toBe(0);
    const loaded = stdout.split("\n").filter((line) => line.startsWith("loaded "));
    expect(loaded.some((line) => line.includes("/dist/enforcement/io/index.js"))).toBe(true);
    expect(loaded.filter((line) => /\/dist\/(controller|simulations|policies|cli)\//.test(line))).toEqual([]);
    expect(loaded.filter((line) => /node_modules/.test(line))).toEqual([]);
  });

  test("ends by itself: an idle agent keeps nothing alive, connected or trying, measuring or not", async () => {
    const idle = `
      import { createAgent } from "tenantry";
      const agent = createAgent({ service: "s" });
      agent.eventLoop();
      agent.run("a", () => agent.controlPoint("p", { slots: 2 }).run(() => {}));
      console.log("end of program");
    `;
    for (const environment of [{}, { TENANTRY_CONTROLLER: "127.0.0.1:9" }] as Record<string, string>[]) {
      const { code, stdout } = await program(idle, environment);
      expect([code, stdout.includes("end of program")]).toEqual([0, true]);
    }
  });

  test("does not end while somebody waits on the agent", async () => {
    const { code, stdout } = await program(`
      import { createAgent } from "tenantry";
      const point = createAgent({ service: "s", controller: false }).controlPoint("p", { slots: 1 });
      const timer = setTimeout(() => {}, 1e6).unref();
      void point.run(() => new Promise((resolve) => setTimeout(resolve, 1e6).unref()));
      await point.run({ deadlineMs: 300 }, () => {}).catch((error) => console.log(error.code));
    `);
    expect([code, stdout.split("\n").at(-2)]).toEqual([0, "DEADLINE"]);
  });

  test("logs an unreachable controller once, in one plain line, on stderr", async () => {
    const { code, stderr } = await program(`
      import { createAgent } from "tenantry";
      const agent = createAgent({ service: "s", controller: "127.0.0.1:9" });
      await new Promise((resolve) => setTimeout(resolve, 1500));
      console.log(agent.state.connectionAttempts);
      await agent.close();
    `);
    expect(code).toBe(0);
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(/^tenantry s: .*127\.0\.0\.1:9/)]);
  });

  test("connected to a real controller, it reports, loads gRPC only then, and still ends by itself", async () => {
    const controller = await createController({ grpcPort: 0, httpPort: 0, config: { windowUs: 100_000 } });
    try {
      const { code, stdout, stderr } = await program(
        `
        import { createAgent } from "tenantry";
        const agent = createAgent({ service: "s" });
        agent.eventLoop();
        await agent.run("acme", () => agent.controlPoint("p").run(() => agent.resource("r").use(() => {})));
        const connecting = setInterval(() => {
          if (agent.state.reportsAcknowledged < 2) return;
          clearInterval(connecting);
          console.log("acknowledged");
        }, 10);
      `,
        { TENANTRY_CONTROLLER: `127.0.0.1:${controller.grpcPort}` },
      );
      expect([code, stdout.includes("\nacknowledged")]).toEqual([0, true]);
      expect(stdout).toContain("/@grpc/grpc-js/");
      expect(stdout).not.toMatch(/\/dist\/(controller|simulations|policies|cli)\//);
      expect(stderr).toMatch(/^tenantry s: connected [^\n]*\n$/);
    } finally {
      await controller.close();
    }
  });
});
