/** Scripts in encrypted rooms and conversations, against a real server in this process: beside a person who is there. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import * as TestServer from "../support/TestServer.ts"
import { makeHome, password, tailUntil } from "./ScriptTalk.ts"
import { homeOf } from "./sealed/Devices.ts"
import { folder } from "./sealed/Folder.ts"
import { come, says, vault } from "./sealed/Sealing.ts"

const ada = UserName.make("ada")

/** Ben, who is there and lets in; and ada's scripts, which make her account. */
const arrange = Effect.gen(function* () {
  const { port } = yield* TestServer.start()
  const ben = yield* come(port, homeOf(yield* folder, "ben", "desk"))
  yield* ben.client.encryption.ready
  yield* ben.client.request({ _tag: "CreateRoom", room: vault, encrypted: true })
  yield* ben.client.request({ _tag: "JoinRoom", room: vault })
  const scripts = yield* makeHome(port, { USER_NAME: "ada", PARLEY_PASSWORD: password })
  // From a pipe, as a person would: it makes the account, and joins for good.
  const begun = yield* scripts.run(["--register", "--line"], ":jr vault\n:pm ben hello ben\n")
  assert.strictEqual(begun.exitCode, 0, begun.stderr)
  yield* ben.hears("ada", says("hello ben"))
  return { ben, port, scripts }
})

describe("Scripts where it is encrypted", () => {
  it.live("say, tell somebody, and look back, as in the open", () =>
    Effect.gen(function* () {
      const { ben, scripts } = yield* arrange
      const { run } = scripts
      assert.deepStrictEqual(yield* run(["send", "--room", "vault", "the build is done"]), {
        stdout: "",
        stderr: "",
        exitCode: 0
      })
      yield* ben.hears("it", says("the build is done"))
      assert.strictEqual((yield* run(["send", "--to", "ben", "for you alone"])).exitCode, 0)
      yield* ben.hears("it", says("for you alone"))
      const contents = (stdout: string) =>
        stdout
          .split("\n")
          .filter((line) => line !== "")
          .flatMap((line) => JSON.parse(line).content ?? [])
      assert.deepStrictEqual(contents((yield* run(["history", "--room", "vault", "--json"])).stdout), [
        "the build is done"
      ])
      assert.deepStrictEqual(contents((yield* run(["history", "--with", "ben", "--json"])).stdout), [
        "hello ben",
        "for you alone"
      ])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("say nothing in the lobby that may be meant for the encrypted room they have come to", () =>
    Effect.gen(function* () {
      const { ben, scripts } = yield* arrange
      const lines = [":jr vault", "a secret", ":lobby", "hello all", ":jr vault", "another", ":lr vault", "hello again"]
      const { exitCode } = yield* scripts.run(["--line"], `${lines.join("\n")}\n`)
      assert.strictEqual(exitCode, 1, "a line that could not be carried out is a failure")
      const { messages } = yield* ben.client.quietly({ _tag: "GetHistory" })
      assert.deepStrictEqual(
        messages.map((message) => "content" in message && message.content),
        ["hello all", "hello again"]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("follow what two say to each other, over a kill, with nothing missing and nothing twice", () =>
    Effect.gen(function* () {
      const { ben, scripts } = yield* arrange
      const heard: Array<string> = []
      for (const round of [1, 2, 3]) {
        const kill = round === 2 ? { write: 1, isAfter: true } : undefined
        const tailing = yield* Effect.forkChild(
          tailUntil(scripts, ["--with", "ben", "--since", "1h", "--json"], `last of ${round}`, kill)
        )
        for (const text of ["first", "last"]) {
          yield* ben.client.send({ _tag: "PrivateMessage", to: ada, content: `${text} of ${round}` })
        }
        const { lines } = yield* Fiber.join(tailing)
        heard.push(...lines.flatMap((line) => JSON.parse(line).content ?? []))
        yield* ben.client.send({ _tag: "PrivateMessage", to: ada, content: `meanwhile ${round}` })
      }
      const said = [1, 2, 3].flatMap((round) => [`first of ${round}`, `last of ${round}`, `meanwhile ${round}`])
      const unique = [...new Set(heard)]
      assert.deepStrictEqual(unique, ["hello ben", ...said.slice(0, -1)])
      // Who is killed behind what was not kept yet prints it again: what was written at once.
      assert.isAtMost(heard.length - unique.length, 3)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("are told what to do where another program has the keys, and say nothing in the open", () =>
    Effect.gen(function* () {
      const { ben, scripts } = yield* arrange
      const tailing = yield* Effect.forkChild(tailUntil(scripts, ["--room", "vault"], "the end"))
      yield* Effect.repeat(scripts.run(["send", "--room", "vault", "a secret"]), {
        until: ({ exitCode }) => exitCode !== 0
      }).pipe(
        Effect.tap(({ exitCode, stderr }) =>
          Effect.sync(() => {
            assert.strictEqual(exitCode, 1)
            assert.match(stderr, /Another parley uses the keys in .*--token-file/)
          })
        )
      )
      yield* ben.client.send({ _tag: "RoomMessage", room: vault, content: "the end" })
      yield* Fiber.join(tailing)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
