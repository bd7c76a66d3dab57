/**
 * A program that cannot end in good order: a thread of its own is inside a statement of SQLite that takes for ever, and
 * its finalizer waits for that. It runs as the server does. Only ProcessEnd.test.ts starts it.
 */
import { Worker } from "node:worker_threads"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { untilTold } from "../../src/server/process/ProcessEnd.ts"

const endless = `
  const { DatabaseSync } = require("node:sqlite")
  require("node:worker_threads").parentPort.postMessage("started")
  const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT MAX(i) FROM n"
  new DatabaseSync(":memory:").prepare(numbers).all()
`

const stuck = Effect.gen(function* () {
  const worker = new Worker(endless, { eval: true })
  const started = Effect.callback<void>((resume) => void worker.once("message", () => resume(Effect.void)))
  yield* Effect.acquireRelease(started, () => Effect.andThen(Console.log("ending"), Effect.never))
  yield* Console.log("listening on :0")
  return yield* Effect.never
})

Effect.scoped(stuck).pipe(untilTold, NodeRuntime.runMain())
