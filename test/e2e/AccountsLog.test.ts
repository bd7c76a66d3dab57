/** What an operator finds in the log of what became of accounts. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { UserName } from "../../src/common/name/UserName.ts"
import * as Talk from "../support/AccountTalk.ts"
import { collecting } from "../support/LogLines.ts"
import * as TestServer from "../support/TestServer.ts"

const wrong = Talk.byPassword("wrong horse battery")

describe("The log of a server", () => {
  it.effect(
    "has one line for each account that is made or deleted and for each act of an admin, and none for a refusal",
    () =>
      collecting((lines) =>
        Effect.gen(function* () {
          const { users, ...server } = yield* TestServer.start()
          const ada = yield* Talk.register({ connect: server.connect }, "Ada")
          const guest = yield* server.connect()
          yield* guest.ask({ _tag: "Handshake", user: "ben" })
          yield* guest.ask({ _tag: "Register", password: Talk.password })
          const [cyd, adaName] = [UserName.make("cyd"), UserName.make("ada")]
          yield* users.add(cyd, false)
          yield* users.add(UserName.make("dee"), true)
          yield* users.setAdmin(cyd, true)
          yield* users.setAdmin(cyd, false)
          yield* users.disable(adaName, "spam\nlevel=ERROR message=forged")
          yield* users.enable(adaName)
          yield* users.reset(cyd)
          yield* users.delete(cyd)
          yield* users.free(cyd)
          yield* users.invite(3, undefined)
          yield* users.invite(1, Duration.hours(1))
          yield* guest.ask({ _tag: "DeleteAccount", password: Talk.password })
          assert.deepStrictEqual(lines, [
            'INFO "An account was made" user=Ada by=owner',
            'INFO "An account was made" user=ben by=owner',
            'INFO "An account was made" user=cyd by=admin',
            'INFO "An account was made, as an admin\'s" user=dee by=admin',
            'INFO "An account was promoted to admin" user=cyd by=admin',
            'INFO "An account was demoted from admin" user=cyd by=admin',
            'INFO "An account was disabled" user=Ada by=admin',
            'INFO "An account was enabled" user=Ada by=admin',
            'INFO "An account was reset" user=cyd by=admin',
            'INFO "An account was deleted" user=cyd by=admin',
            'INFO "An account was freed" user=cyd by=admin',
            'INFO "An invite was made" uses=3 by=admin',
            'INFO "An invite was made" uses=1 expires=3600000 by=admin',
            'INFO "An account was deleted" user=ben by=owner'
          ])
          yield* ada.client.closed
          // What is only looked at, or not done.
          yield* users.list(undefined)
          yield* users.show(adaName)
          yield* Effect.flip(users.enable(cyd))
          yield* Effect.flip(users.add(adaName, true))
          yield* Effect.flip(users.free(adaName))
          yield* Talk.refusal(server, { user: "ada", register: { password: Talk.password } })
          assert.lengthOf(lines, 14)
        })
      )
  )

  it.effect("has no line for a wrong login, and one when an account or a network begins to be slowed", () =>
    collecting((lines) =>
      Effect.gen(function* () {
        const server = yield* TestServer.start()
        yield* Talk.register(server, "Ada")
        lines.splice(0)
        const guess = (user: string, localAddress: string) =>
          Talk.refusal(server, { user, credentials: wrong }, { localAddress })
        yield* Effect.replicateEffect(guess("ada", "127.0.0.2"), 5)
        assert.deepStrictEqual(lines, [])
        yield* Effect.replicateEffect(guess("ada", "127.0.0.2"), 5)
        const first =
          'WARN "Logins to an account from one network wait: too many were wrong" user=Ada network=127.0.0.2'
        assert.deepStrictEqual(lines, [first])

        // A name that is nobody's is not told, not even as it is slowed.
        yield* Effect.replicateEffect(guess("SwordfishIsMyPassword", "127.0.0.3"), 6)
        assert.deepStrictEqual(lines, [first])
        yield* Effect.replicateEffect(guess("another", "127.0.0.3"), 5)
        yield* Effect.replicateEffect(guess("more", "127.0.0.3"), 5)
        const second = 'WARN "Logins from a network wait: too many were wrong" network=127.0.0.3'
        assert.deepStrictEqual(lines, [first, second])

        // Who waits as long as is told is found out as well.
        for (let count = 0; count < 5; count++) yield* guess("ada", `127.0.1.${count}`)
        assert.deepStrictEqual(lines, [first, second])
        yield* Effect.forkScoped(guess("ada", "127.0.1.9"))
        yield* TestClock.adjust("1 second")
        const third = 'WARN "Logins to an account are slowed, from wherever they come: too many were wrong" user=Ada'
        assert.deepStrictEqual(lines.slice(2), [third])
      })
    )
  )
})
