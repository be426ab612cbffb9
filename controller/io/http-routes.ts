/** What the controller answers over HTTP. A new route is a line here. */
import { TenantryError } from "../../proto/errors.js";
import type { Controller } from "../controller.js";
import type { Reply, Route } from "./http-server.js";
import type { Metrics } from "./metrics.js";

/** The routes over a controller, by path. */
export function httpRoutes(controller: Controller, metrics: Metrics): Record<string, Route> {
  return {
    "/": () => ({ status: 200, body: INDEX }),
    "/healthz": () => (controller.serving ? { status: 200, body: "ok\n" } : { status: 503, body: "not serving\n" }),
    "/metrics": async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    "/api/view": () => json(200, controller.view()),
    "/api/explain": (query) => {
      try {
        const tenant = query.get("tenant");
        if (tenant === null) throw new TenantryError("BAD_ARGUMENT", "which tenant? expected /api/explain?tenant=ID");
        return json(200, controller.explain(tenant));
      } catch (error) {
        if (error instanceof TenantryError) return json(400, { code: error.code, message: error.message });
        throw error;
      }
    },
  };
}

const INDEX = `Tenantry controller

/api/view                the cluster as the controller sees it
/api/explain?tenant=ID   who slows a tenant down, by which rule, because of which resource
/metrics                 for Prometheus
/healthz                 200 while it serves
`;

function json(status: number, body: object): Reply {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(body)}\n` };
}
