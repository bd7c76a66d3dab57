/** What comes while it is asked what was missed: schedules that a quiet machine hardly makes, made here. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Latch } from "effect"
import * as TestServer from "../../support/TestServer.ts"
import {
  type Device,
  enter,
  homeOf,
  isIn,
  makeVault,
  say,
  type SwitchOptions,
  switchOn,
  texts,
  until,
  vault
} from "./Devices.ts"
import { folder } from "./Folder.ts"

const hasRead = (device: Device, text: string) =>
  until(
    `"${text}" is read`,
    Effect.map(texts(device), (all) => all.includes(text)),
    5000
  )

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  it.effect("what is said while a page is on its way that does not have it is read all the same", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start()
      const path = yield* folder
      const mayArrive = yield* Latch.make(true)
      let arriving = 0
      const holdUp: SwitchOptions["client"] = (client) => ({
        ...client,
        quietly: (request) =>
          Effect.tap(client.quietly(request), () => {
            if (request._tag !== "GetHistory") return Effect.void
            arriving += 1
            return mayArrive.await
          })
      })
      const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
      const ben = yield* switchOn(port, homeOf(path, "ben", "desk"), { client: holdUp })
      yield* makeVault(ada)
      yield* enter(ben)
      yield* until("ben is let in", isIn(ben, vault, 2))
      yield* say(ada, "first")
      yield* hasRead(ben, "first")

      // Something may be missing, and it is not: the answer says so, and comes behind the next message.
      yield* Effect.sync(() => {
        mayArrive.closeUnsafe()
        arriving = 0
      })
      yield* ben.rooms.hear({ _tag: "Gap", conversation: { _tag: "Room", room: vault } })
      yield* until(
        "the page is on its way",
        Effect.sync(() => arriving === 1)
      )
      const heard = ben.heard.length
      yield* say(ada, "second")
      yield* until(
        "ben has heard it",
        Effect.sync(() => ben.heard.slice(heard).includes("Sealed"))
      )
      yield* mayArrive.open
      yield* hasRead(ben, "second")
      assert.deepStrictEqual(yield* texts(ben), ["first", "second"])
    }).pipe(Effect.scoped)
  )
})
