/** Lists of devices and their key packages in a database, over any `SqlClient`: beside the log, on its connections. */
import { Effect, Layer } from "effect"
import { DeviceLists } from "../accounts/DeviceLists.ts"
import { StorageUnavailable } from "../history/History.ts"
import * as Outage from "../notices/Outage.ts"
import { Changes } from "./Changes.ts"
import * as DeviceListTables from "./DeviceListTables.ts"
import type { Problem } from "./GroupCommit.ts"
import { Connections } from "./SqlHistory.ts"

/** The tables must be up to date (see Migrations). */
export const layer = Layer.effect(
  DeviceLists,
  Effect.gen(function* () {
    const { reader, writer } = yield* Connections
    const changes = yield* Changes
    const read = DeviceListTables.make(reader)
    const tables = DeviceListTables.make(writer)
    const reading = Outage.make("Lists of devices cannot be read", "Lists of devices are read again")
    const asking = <A>(question: Effect.Effect<A, Problem>) =>
      Effect.mapError(reading.watch(question), (cause) => new StorageUnavailable({ cause }))

    return DeviceLists.of({
      publish: (account, entry) => changes.make(tables.publish(account, entry)),
      entries: (account, after, limit) => asking(read.entries(account, after, limit)),
      all: asking(read.all),
      addPackages: (device, packages, lastResort) => changes.make(tables.addPackages(device, packages, lastResort)),
      claim: (claims) => changes.make(tables.claim(claims))
    })
  })
)
