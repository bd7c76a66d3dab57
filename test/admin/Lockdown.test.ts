/** `pnpm admin lockdown`: on a database that nobody uses, and through the server that runs on it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import * as FileServer from "../durability/FileServer.ts"
import { connect } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import { folder, makeDatabase, run, runHere } from "./AdminProcess.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const password = "correct horse battery"
const register = { password }

const answer = Effect.fnUntraced(function* (port: number, handshake: object) {
  const client = yield* connect({ port })
  return { client, reply: yield* client.ask({ _tag: "Handshake", ...handshake }) }
})

const refusal = (port: number, handshake: object) =>
  Effect.map(Effect.scoped(answer(port, handshake)), ({ reply }) => reasonOf(reply))

realTime("pnpm admin lockdown", (it) => {
  it.effect(
    "refuses guests and registrations until it is switched off, also after a restart, and ends no connection",
    () =>
      Effect.gen(function* () {
        const { path } = yield* folder
        const file = `${path}/chat.sqlite`
        yield* makeDatabase(file)
        const lockdown = (order: string) => runHere(["lockdown", order], { DATABASE: file })
        const status = Effect.map(lockdown("status"), ({ stdout }) => stdout)
        const isHeld = Effect.fnUntraced(function* (port: number) {
          assert.deepStrictEqual(yield* refusal(port, { user: "Late" }), { _tag: "PasswordRequired", user: "Late" })
          assert.deepStrictEqual(yield* refusal(port, { user: "late", register }), { _tag: "RegistrationClosed" })
          const credentials = { _tag: "Password", password }
          const { client, reply } = yield* answer(port, { user: "ada", credentials })
          assert.strictEqual(reply._tag, "Welcome")
          return client
        })

        yield* Effect.scoped(
          Effect.gen(function* () {
            const { port } = yield* FileServer.startHere(file)
            const ada = yield* answer(port, { user: "ada", register })
            const guest = yield* answer(port, { user: "Guest" })
            assert.strictEqual(yield* status, "off\n")
            // In a process of its own.
            const switched = yield* run(["lockdown", "on"], { env: { DATABASE: file } })
            assert.deepStrictEqual([switched.exitCode, switched.stdout], [0, ""])
            assert.include(switched.stderr, "pnpm admin lockdown off")
            assert.strictEqual(yield* status, "on\n")
            yield* isHeld(port)
            const refused = yield* guest.client.ask({ _tag: "Register", password })
            assert.deepStrictEqual(reasonOf(refused), { _tag: "RegistrationClosed" })
            yield* guest.client.ask({ _tag: "GlobalMessage", content: "still here" })
            yield* ada.client.find("GlobalMessage")
          })
        )
        assert.strictEqual(yield* status, "on\n")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { exited, kill, port } = yield* FileServer.start(file)
            yield* isHeld(port)
            assert.strictEqual((yield* lockdown("off")).exitCode, 0)
            assert.strictEqual((yield* answer(port, { user: "Late" })).reply._tag, "Welcome")
            yield* kill("SIGTERM")
            const { stderr } = yield* exited
            assert.match(stderr, /Lockdown is on: .*pnpm admin lockdown off.*Lockdown was switched off/s)
          })
        )
        // Where no server runs, on the file.
        assert.strictEqual((yield* lockdown("on")).exitCode, 0)
        assert.strictEqual(yield* status, "on\n")
        const server = yield* FileServer.startHere(file)
        yield* isHeld(server.port)
      })
  )

  it.effect("says what may be ordered", () =>
    Effect.gen(function* () {
      const { exitCode, stderr, stdout } = yield* runHere(["lockdown", "maybe"], { DATABASE: "none.sqlite" })
      assert.deepStrictEqual(
        { exitCode, stderr, stdout },
        { exitCode: 1, stdout: "", stderr: '"maybe" is not on, off or status.\n' }
      )
    })
  )
})
