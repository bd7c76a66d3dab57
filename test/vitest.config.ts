import { resolve } from "node:path"
import * as process from "node:process"
import { defineConfig } from "vitest/config"
import { compileCache } from "./support/CompileCache.ts"
import { temporaryFolders } from "./support/TemporaryFolder.ts"

/** Where to write vitest's own JSON report, beside the usual output; `.ci/run` counts the tests from it. */
const jsonReport = process.env["VITEST_JSON_REPORT"]

// Vitest's processes load effect as often as the servers that they start.
Object.assign(process.env, compileCache, temporaryFolders())

/** What counts something of the process it runs in, or changes it, so that no other test may share that process. */
export const apart = [
  // The sockets that this process accepted.
  "test/e2e/{Accepting,LeftBehind,Limits}.test.ts",
  // The working directory of this process.
  "test/e2e/Settings.test.ts",
  // The umask of this process.
  "test/durability/PrivateFiles.test.ts"
]

/**
 * What takes its time: whatever starts processes or waits for disks, and the long random searches. All others are the quick
 * set (`pnpm test:quick`); that none of those starts a process is held by Architecture.test.ts.
 */
export const long = [
  "test/{admin,bench,durability,model,simulation}/**/*.test.ts",
  "test/client/{AccountTerminal,ClientProcess,ClientReturn,DrawnTerminal,Endings,FullKeys,FullSwitches,FullTerminal,LinksTerminal,Loading,LoginTerminal,Reconnect,ScriptsProcess,SealedTerminal,Tail,Terminal}.test.ts",
  "test/client/account/SshKey.test.ts",
  "test/client/crypto/{Churn,Hundred,TamperedTrees,Unpatched}.test.ts",
  "test/client/sealed/{Chaos,Crashes,FullRoom,Kills}.test.ts",
  "test/common/ssh/OpenSsh.test.ts",
  "test/e2e/{AccountsAway,AccountsOpenSsh,AccountsSecrets,Descriptors,Entries,EntriesAllowed,EntriesReplay,Flood,Fuzz,Load,OneConnection,Process,ProcessEnd,Reactions,Shutdown}.test.ts",
  "test/server/search/{SearchEdits,SearchIndex}.test.ts",
  "test/server/sql/Waiting.test.ts",
  "test/server/store/{MemoryHistory,SqlAccounts,SqlGovernances,SqlHistory,SqlMemberships}.test.ts"
]

const include = ["test/**/*.test.ts"]

export default defineConfig({
  root: resolve(import.meta.dirname, ".."),
  test: {
    environment: "node",
    pool: "forks",
    // More than processors: half of the files' time is waiting, for terminals, timers and disks, beside those that compute.
    maxWorkers: 5,
    // Loading effect takes half a second of the processor: most files share three processes instead of starting a hundred.
    projects: [
      { extends: true, test: { name: "apart", include: apart } },
      { extends: true, test: { name: "quick", include, exclude: [...apart, ...long], isolate: false } },
      {
        extends: true,
        test: {
          name: "long",
          include: long,
          exclude: apart,
          isolate: false,
          globalSetup: "test/support/BundledPrograms.ts"
        }
      }
    ],
    // Bounds for a hanging test, not expectations: a busy machine with two cores takes its time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 5_000,
    allowOnly: false,
    reporters: jsonReport === undefined ? ["default"] : ["default", ["json", { outputFile: jsonReport }]]
  }
})
