import { resolve } from "node:path"
import { defineConfig } from "vitest/config"

/** Where to write vitest's own JSON report, beside the usual output; `.ci/run` counts the tests from it. */
const jsonReport = process.env["VITEST_JSON_REPORT"]

export default defineConfig({
  root: resolve(import.meta.dirname, ".."),
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    // A process for each file: some tests start servers, catch signals or change the environment.
    pool: "forks",
    maxWorkers: 2,
    // Bounds for a hanging test, not expectations: a busy machine with two cores takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 5_000,
    allowOnly: false,
    reporters: jsonReport === undefined ? ["default"] : ["default", ["json", { outputFile: jsonReport }]]
  }
})
