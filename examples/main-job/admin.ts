/** Asking and telling the controller: its view over HTTP, a switch over gRPC. */
import { createRequire } from "node:module";
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { ViewSnapshot } from "tenantry/controller";

const SCHEMA = createRequire(import.meta.url).resolve("tenantry/proto/tenantry.proto");

/** The cluster as the controller sees it; undefined while it does not answer. */
export async function fetchView(controllerUrl: string): Promise<ViewSnapshot | undefined> {
  try {
    const reply = await fetch(`${controllerUrl}/api/view`, { signal: AbortSignal.timeout(2000) });
    return reply.ok ? ((await reply.json()) as ViewSnapshot) : undefined;
  } catch {
    return undefined;
  }
}

/** Switches everything to "OBSERVE" or "ENFORCE", at run time. */
export async function setMode(controllerAddress: string, mode: "OBSERVE" | "ENFORCE"): Promise<void> {
  const { tenantry } = loadPackageDefinition(loadSync(SCHEMA)) as unknown as {
    tenantry: { v1: { Admin: ServiceClientConstructor } };
  };
  const admin = new tenantry.v1.Admin(controllerAddress, credentials.createInsecure(), { "grpc.enable_http_proxy": 0 });
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = Date.now() + 5000;
      admin.setMode({ mode }, { deadline }, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  } finally {
    admin.close();
  }
}
