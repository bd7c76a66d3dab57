/** A process that deletes messages, and is killed before it has erased them: it says when it can, and does when it is told. */
import { once } from "node:events"
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import * as StoredRows from "../server/search/StoredRows.ts"
import * as ErasingFile from "./ErasingFile.ts"
import { secrets, storeSecrets } from "./ErasingSecrets.ts"

const program = Effect.gen(function* () {
  const database = yield* ErasingFile.open(process.argv[2] ?? "")
  yield* database.rows.open
  yield* storeSecrets(database)
  yield* Effect.sync(() => process.stdout.write("ready\n"))
  yield* Effect.promise(() => once(process.stdin, "data"))
  yield* database.store(secrets.map((seq, index) => StoredRows.deleted(index + 1001, seq)))
  return yield* Effect.never
})

Effect.runFork(Effect.scoped(program).pipe(Effect.provide(NodeServices.layer)))
