/** A server that is there, says what it is asked by a Ping, and answers nothing else. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { Client } from "../../../src/client/link/Client.ts"
import { Patience } from "../../../src/client/script/InTime.ts"
import { rooms, users } from "../../../src/client/script/Lists.ts"
import { Output } from "../../../src/client/script/Output.ts"
import { history } from "../../../src/client/script/Reading.ts"
import * as FakeServer from "../FakeServer.ts"
import { makeHome } from "../ScriptTalk.ts"

const asked = { where: {}, isMember: false, isJson: true, limit: 1, since: undefined, before: undefined }

describe("A script that is not answered", () => {
  it.live("ends after a time, whatever it asked for, as one without a connection does", () =>
    Effect.gen(function* () {
      const { client } = yield* FakeServer.connect(yield* FakeServer.make)
      const output = Output.of({ isTerminal: false, write: () => Effect.die("nothing is to be printed") })
      for (const script of [users(true), rooms(true), history(asked)]) {
        const error = yield* Effect.flip(script).pipe(
          Effect.provideService(Client, client),
          Effect.provideService(Output, output),
          Effect.provideService(Patience, Duration.millis(50))
        )
        assert.deepInclude(error, { _tag: "ScriptError", exitCode: 3 })
        assert.include(`${error}`, "has not answered within")
      }
    })
  )

  it.live("ends so by its own time too where it comes into a room first", () =>
    Effect.gen(function* () {
      const server = yield* FakeServer.make
      const { run } = yield* makeHome(server.port, { USER_NAME: "ada" })
      const running = yield* Effect.forkChild(run(["send", "--room", "dev", "--timeout", "1s", "hi"]))
      const { peer } = yield* FakeServer.greet(server, 7)
      assert.deepInclude(yield* peer.take, { _tag: "JoinRoom" })
      const { exitCode, stderr } = yield* Fiber.join(running)
      assert.strictEqual(exitCode, 3)
      assert.include(stderr, "has not answered within 1 s")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
