/** A hit of a search is gone to by a server that takes its time, while the person types on. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { sitting } from "../../../src/client/full/FullScreen.ts"
import { Client } from "../../../src/client/link/Client.ts"
import { UserName } from "../../../src/common/name/UserName.ts"
import type { ClientMessage } from "../../../src/common/wire/ClientMessage.ts"
import * as FakeServer from "../FakeServer.ts"
import { fakeStage } from "./FakeStage.ts"

const hit = { _tag: "GlobalMessage", seq: 5, at: 5, from: UserName.make("ada"), content: "tomatoes" } as const

layer(NodeServices.layer, { excludeTestServices: true })("Going to a hit", (it) => {
  const arrange = Effect.fnUntraced(function* () {
    const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    const { client, peer } = yield* FakeServer.connect(yield* FakeServer.make)
    const stage = yield* fakeStage()
    yield* sitting({ memoryPath: `${folder}/ada.json`, hasMouse: true }, stage.open).pipe(
      Effect.provideService(Client, client),
      Effect.forkChild
    )
    const asked = (is: (message: ClientMessage) => boolean) => peer.take.pipe(Effect.repeat({ until: is }))
    yield* stage.press("ctrl+f", ..."tomatoes", "enter")
    const search = yield* asked(({ _tag }) => _tag === "Search")
    yield* peer.say({ _tag: "SearchResults", ...FakeServer.idOf(search), messages: [hit], more: false })
    yield* stage.shows("ada: tomatoes")
    yield* stage.press("enter")
    const before = yield* asked((message) => message._tag === "GetHistory" && message.before === 5)
    yield* peer.say({ _tag: "History", ...FakeServer.idOf(before), messages: [], more: false })
    const behind = yield* asked((message) => message._tag === "GetHistory" && message.after === 4)
    const answer = Effect.gen(function* () {
      yield* peer.say({ _tag: "History", ...FakeServer.idOf(behind), messages: [hit], more: false })
      yield* stage.shows(" tomatoes")
    })
    return { answer, stage }
  })

  it.effect("chooses it, for whoever waits", () =>
    Effect.gen(function* () {
      const { answer, stage } = yield* arrange()
      yield* answer
      yield* stage.press("d")
      yield* stage.shows("Delete this message")
    })
  )

  it.effect("takes no letter of what is being typed for a key about it", () =>
    Effect.gen(function* () {
      const { answer, stage } = yield* arrange()
      yield* stage.press(..."bud")
      yield* stage.shows("› bud")
      yield* answer
      yield* stage.press(..."dy")
      yield* stage.shows("› buddy")
      assert.isFalse((yield* stage.rows).some((row) => row.includes("Delete this message")))
    })
  )
})
