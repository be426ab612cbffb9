// A controller that prints its port and runs until its input ends.
import { createController } from "../../dist/controller/io/index.js";

const controller = await createController({ grpcPort: 0, httpPort: 0, config: { windowUs: 60_000_000 } });
process.stdout.write(`${controller.grpcPort}\n`);
process.stdin.on("end", () => controller.close()).resume();
