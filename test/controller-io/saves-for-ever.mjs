// Saves version after version until it is killed; prints the number of each once it is safe.
// Usage: node saves-for-ever.mjs FILE FROM
import { fileStore } from "../../dist/controller/io/file-store.js";

const store = fileStore(process.argv[2]);
let epoch = Number(process.argv[3]);

function next() {
  epoch++;
  store.save({ version: 1, epoch, tenants: { acme: { weight: epoch, mode: "observe" } }, policies: {}, points: {} }, (error) => {
    if (error) throw error;
    process.stdout.write(`${epoch}\n`);
    next();
  });
}

next();
