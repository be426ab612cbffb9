/** The controller behind real sockets: what `import … from "tenantry/controller"` gives. */
export { TenantryError } from "../../proto/errors.js";
export * from "../index.js";
export { type CreateControllerOptions, createController, type RunningController } from "./create-controller.js";
export { fileStore } from "./file-store.js";
export type { Settings } from "./settings.js";
export { parseSettings, readSettings } from "./settings-file.js";
export type { TlsPaths } from "./tls-files.js";
