/**
 * The controller, embedded in a program of its own; `tenantry controller --config tenantry.yaml` runs the same from a shell.
 *
 * Environment: CONFIG and STATE (files), GRPC_PORT and HTTP_PORT (absent: any free port).
 */
import { createController } from "tenantry/controller";
import { endWithParent } from "./process.js";

const { CONFIG, STATE, GRPC_PORT, HTTP_PORT } = process.env;

const controller = await createController({
  ...(CONFIG && { config: CONFIG }),
  ...(STATE && { state: STATE }),
  grpcPort: Number(GRPC_PORT ?? 0),
  httpPort: Number(HTTP_PORT ?? 0),
  onEvent: (event) => console.error(event.message),
});

endWithParent(() => controller.close());
process.send?.({ grpcPort: controller.grpcPort, httpPort: controller.httpPort });
