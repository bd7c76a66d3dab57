/** What is kept of encrypted rooms, in a database, over any `SqlClient`: beside the log, on its connections. */
import { Effect, Layer } from "effect"
import { StorageUnavailable } from "../history/History.ts"
import { SealedRooms } from "../history/SealedRooms.ts"
import * as Outage from "../notices/Outage.ts"
import { Changes } from "./Changes.ts"
import type { Problem } from "./GroupCommit.ts"
import * as SealedTables from "./SealedTables.ts"
import { Connections } from "./SqlHistory.ts"

/** The tables must be up to date (see Migrations). */
export const layer = Layer.effect(
  SealedRooms,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const read = SealedTables.make(reader)
    const tables = SealedTables.make(writer)
    const reading = Outage.make("Encrypted rooms cannot be read", "Encrypted rooms are read again")
    const asking = <A>(question: Effect.Effect<A, Problem>) =>
      Effect.mapError(reading.watch(question), (cause) => new StorageUnavailable({ cause }))

    return SealedRooms.of({
      intervals: (room, device) => asking(read.intervals(room, device)),
      welcomes: (device, after, limit) => asking(read.welcomes(device, after, limit)),
      acknowledge: (device, room, seq) => changes.make(tables.acknowledge(device, room, seq))
    })
  })
)
