import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores are shared with whatever the end-to-end tests start.
    maxWorkers: 2,
    // There to end what hangs; a machine that does other things besides takes several times as long as it might.
    testTimeout: 60_000,
  },
});
