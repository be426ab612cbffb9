/** The Admin service: what people and tools ask of the controller, over gRPC. Every method is one call of the controller's. */
import type { handleUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import { TenantryError } from "../../proto/errors.js";
import { statusOf } from "../../proto/io/status.js";
import { shown } from "../../proto/names.js";
import type { Controller, TenantSettings } from "../controller.js";
import type { Mode } from "../modes.js";
import type { Permission } from "./administrators.js";
import { metadataOf } from "./session-stream.js";
import { readTerms, type WireTerms, wireTerms } from "./wire-terms.js";

type Done = (error?: TenantryError) => void;

interface WireTenant extends WireTerms {
  tenant: string;
  weight?: number;
  mode: string;
  group?: string;
}

/** The methods of `tenantry.v1.Admin`, over messages as proto-loader gives them. `permission`: who may change something. */
export function adminService(controller: Controller, permission: Permission): UntypedServiceImplementation {
  /** A method that changes something: answered once the change is kept. */
  function change<Request>(act: (request: Request, done: Done) => object): handleUnaryCall<Request, object> {
    const answerChange = answerOnceKept(act);
    return (call, callback) => {
      const refused = permission(call);
      if (refused === undefined) answerChange(call, callback);
      else fail(callback, refused);
    };
  }
  return {
    getView: answer(() => ({ json: JSON.stringify(controller.view()) })),
    explain: answer<{ tenant: string }>(({ tenant }) => {
      const explanation = controller.explain(tenant);
      return { sentence: explanation.sentence, json: JSON.stringify(explanation) };
    }),
    getMode: answer(() => ({ mode: wireMode(controller.view().mode) })),
    setMode: change<{ mode: string }>(({ mode }, done) => {
      const wanted = readMode(mode);
      if (wanted === undefined) throw new TenantryError("BAD_ARGUMENT", "mode is not given; expected OFF, OBSERVE or ENFORCE");
      return { mode: wireMode(controller.setMode(wanted, done)) };
    }),
    listTenants: answer(() => ({ tenants: controller.listTenants().map(wireTenant) })),
    setTenant: change<{ settings?: WireTenant }>(({ settings }, done) => {
      const { tenant, weight, mode, group, ...terms } = given(settings);
      const inGroup = group !== undefined && { group: group === "" ? null : group };
      const wanted = { ...(weight !== undefined && { weight }), ...modeOf(mode), ...readTerms(terms), ...inGroup };
      return wireTenant(controller.setTenant(tenant, wanted, done));
    }),
    listPolicies: answer(() => ({ policies: controller.listPolicies().map(withWireMode) })),
    setPolicy: change<{ settings?: { policy: string; mode: string; params: Record<string, number> } }>(({ settings }, done) => {
      const { policy, mode, params } = given(settings);
      return withWireMode(controller.setPolicy(policy, { params, ...modeOf(mode) }, done));
    }),
    listPoints: answer(() => ({ points: controller.listPoints().map(withWireMode) })),
    setPoint: change<{ settings?: { point: string; mode: string; capacityPerSec?: number } }>(({ settings }, done) => {
      const { point, mode, capacityPerSec } = given(settings);
      const capacity = capacityPerSec !== undefined && { capacityPerSec: capacityPerSec === 0 ? null : capacityPerSec };
      return withWireMode(controller.setPoint(point, { ...modeOf(mode), ...capacity }, done));
    }),
  };
}

/** A method that only looks. */
function answer<Request = unknown>(look: (request: Request) => object): handleUnaryCall<Request, object> {
  return (call, callback) => {
    let reply: object;
    try {
      reply = look(call.request);
    } catch (error) {
      fail(callback, error);
      return;
    }
    callback(null, reply);
  };
}

function answerOnceKept<Request>(act: (request: Request, done: Done) => object): handleUnaryCall<Request, object> {
  return (call, callback) => {
    let reply: object | undefined;
    let kept = false;
    let failure: TenantryError | undefined;
    const answerOnce = () => {
      // The callback may come before the settings are returned, or after.
      if (!kept || reply === undefined) return;
      if (failure === undefined) callback(null, reply);
      else fail(callback, failure);
    };
    try {
      reply = act(call.request, (error) => {
        kept = true;
        failure = error;
        answerOnce();
      });
    } catch (error) {
      fail(callback, error);
      return;
    }
    if (kept) answerOnce();
  };
}

function fail(callback: sendUnaryData<object>, error: unknown): void {
  const coded =
    error instanceof TenantryError ? error : new TenantryError("UNAVAILABLE", `the controller failed: ${String(error)}`);
  callback({ code: statusOf(coded), details: coded.message, metadata: metadataOf(coded) });
}

function given<T>(settings: T | null | undefined): T {
  if (settings) return settings;
  throw new TenantryError("BAD_ARGUMENT", "settings are not given; expected what is to be set, and to what");
}

function modeOf(mode: string): { mode?: Mode } {
  const wanted = readMode(mode);
  return wanted === undefined ? {} : { mode: wanted };
}

function readMode(mode: string): Mode | undefined {
  if (mode === "MODE_UNSPECIFIED") return undefined;
  if (mode === "OFF" || mode === "OBSERVE" || mode === "ENFORCE") return mode.toLowerCase() as Mode;
  throw new TenantryError("BAD_ARGUMENT", `mode is ${shown(mode)}; expected OFF, OBSERVE or ENFORCE`);
}

function wireMode(mode: Mode): string {
  return mode.toUpperCase();
}

function withWireMode<T extends { mode: Mode }>(settings: T): Omit<T, "mode"> & { mode: string } {
  return { ...settings, mode: wireMode(settings.mode) };
}

function wireTenant({ tenant, weight, mode, group, ...terms }: TenantSettings): WireTenant {
  return { tenant, weight, mode: wireMode(mode), ...wireTerms(terms), ...(group !== undefined && { group }) };
}
