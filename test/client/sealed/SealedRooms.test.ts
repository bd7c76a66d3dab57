/** Encrypted conversations between real clients over a real server. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as TestServer from "../../support/TestServer.ts"
import { enter, homeOf, isIn, makeVault, say, signInBy, switchOn, texts, until, vault } from "./Devices.ts"
import { folder } from "./Folder.ts"

describe("Encrypted conversations", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("let in who joins, without anybody typing anything, and everybody reads what is said from then on", () =>
      Effect.gen(function* () {
        const { port } = yield* TestServer.start()
        const path = yield* folder
        const ada = yield* switchOn(port, homeOf(path, "ada", "desk"))
        const ben = yield* switchOn(port, homeOf(path, "ben", "desk"))
        yield* makeVault(ada)
        yield* say(ada, "before")
        yield* enter(ben)
        yield* until("ben is let in", isIn(ben, vault, 2))
        yield* say(ada, "hello")
        yield* say(ben, "hello yourself")
        yield* until(
          "ada has read all",
          Effect.map(texts(ada), (all) => all.length === 3)
        )
        yield* until(
          "ben has read all",
          Effect.map(
            Effect.tap(texts(ben), (a) => Effect.log(a)),
            (all) => all.length === 2
          ),
          1500
        )
        assert.deepStrictEqual((yield* texts(ada)).toSorted(), ["before", "hello", "hello yourself"])
        assert.deepStrictEqual((yield* texts(ben)).toSorted(), ["hello", "hello yourself"])
      }).pipe(Effect.scoped)
    )
  })
})
