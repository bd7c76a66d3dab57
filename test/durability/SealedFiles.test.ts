/** What a server's files hold of what was sealed: the bytes as they came, until they are deleted, and then nothing in any of them. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Schedule, Scope } from "effect"
import * as Database from "../../src/server/store/Database.ts"
import { sealedBytes } from "../support/SealedBytes.ts"
import * as Sealed from "../support/SealedTalk.ts"
import * as TestServer from "../support/TestServer.ts"

const room = "vault"

layer(NodeServices.layer, { excludeTestServices: true })("what was sealed", (it) => {
  it.effect("goes with its time, and the room goes on with its keys, over a restart as well", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
      const settings = { DATABASE: `${folder}/chat.sqlite`, RETENTION: "1 second" }
      const first = yield* Scope.make()
      const server = yield* Scope.provide(TestServer.start({ settings, stores: Database.layer }), first)
      const ada = yield* Scope.provide(Sealed.newcomer(server, "ada"), first)
      yield* ada.client.ask({ _tag: "CreateRoom", room, encrypted: true })
      yield* Sealed.join(ada, room)
      yield* Sealed.reset(ada, room)
      yield* Sealed.commit(ada, room, { keyEpoch: 0 })
      yield* Sealed.seal(ada, room, 1, "soon forgotten")
      yield* Sealed.history(ada, room).pipe(
        Effect.repeat({ until: (left) => left.length === 0, schedule: Schedule.spaced("100 millis") })
      )
      assert.deepInclude(yield* Sealed.seal(ada, room, 1, "and on"), { _tag: "Sent", seq: 4 })
      yield* Scope.close(first, Exit.void)
      const again = yield* TestServer.start({ settings, stores: Database.layer })
      const back = yield* Sealed.comeBack(again, ada)
      assert.deepInclude(yield* Sealed.join(back, room), { keys: { incarnation: 1, keyEpoch: 1, seq: 2, letIn: true } })
      assert.deepInclude(yield* Sealed.seal(back, room, 1, "and on"), { _tag: "Sent", seq: 5 })
    }).pipe(Effect.scoped)
  )

  it.effect("is in no file of the server a moment after it was deleted, nor its room", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
      const server = yield* TestServer.start({
        settings: { DATABASE: `${folder}/chat.sqlite` },
        stores: Database.layer
      })
      const holds = (text: string) =>
        Effect.gen(function* () {
          const names = yield* files.readDirectory(folder)
          const found = yield* Effect.forEach(names, (name) =>
            Effect.orElseSucceed(files.readFile(`${folder}/${name}`), () => new Uint8Array())
          )
          return found.some((bytes) => Buffer.from(bytes).includes(text))
        })
      const gone = (text: string) =>
        holds(text).pipe(Effect.repeat({ until: (isThere) => !isThere, schedule: Schedule.spaced("100 millis") }))
      const ada = yield* Sealed.newcomer(server, "ada")
      yield* ada.client.ask({ _tag: "CreateRoom", room, encrypted: true })
      yield* Sealed.join(ada, room)
      yield* Sealed.reset(ada, room)
      for (const content of ["kingfisher", "bittern"]) yield* Sealed.seal(ada, room, 0, content)
      const [one, other] = ["kingfisher", "bittern"].map((content) =>
        sealedBytes({ room, keyEpoch: 0 }, content).slice(-40, -24)
      )
      assert(one !== undefined && other !== undefined)
      assert.isTrue(yield* holds(one))
      yield* ada.client.ask({ _tag: "DeleteMessage", room, target: 2 })
      yield* gone(one)
      assert.isTrue(yield* holds(other))
      yield* ada.client.ask({ _tag: "DeleteRoom", room })
      yield* gone(other)
    }).pipe(Effect.scoped)
  )
})
