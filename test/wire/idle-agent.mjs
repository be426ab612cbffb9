// Opens a session and, once something has come of it, has nothing left to do. Usage: node idle-agent.mjs HOST:PORT PATIENCE_MS
import { readFileSync } from "node:fs";
import { grpcTransport } from "../../dist/enforcement/io/grpc-transport.js";

const controller = process.argv[2];
const ca = new URL("../controller-io/certificates/ca.pem", import.meta.url);
const tls = controller.startsWith("localhost") ? { ca: readFileSync(ca) } : undefined;
// Holds the process until there is news, but never for long.
const patience = setTimeout(() => {}, Number(process.argv[3]));

function tell(text) {
  process.stdout.write(`${text}\n`);
  clearTimeout(patience);
}

grpcTransport({ controller, tls }).open(
  { service: "idle", instance: "one", boot: "b1", acknowledgedSequence: 0 },
  {
    onWelcome: () => tell("welcome"),
    onAcknowledgement() {},
    onAllocation() {},
    onClosed: (error) => tell(`closed ${error?.code}`),
  },
);
