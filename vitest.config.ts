import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Two cores are shared with whatever the end-to-end tests start.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
