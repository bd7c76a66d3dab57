/** Nothing that is secret is written anywhere: not in a log of whatever level, and in no file of the database. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Redacted, References, Scope, Exit } from "effect"
import { UserName } from "../../src/common/name/UserName.ts"
import { Accounts } from "../../src/server/accounts/Accounts.ts"
import { StorageUnavailable } from "../../src/server/history/History.ts"
import * as Database from "../../src/server/store/Database.ts"
import * as Talk from "../support/AccountTalk.ts"
import { reasonOf } from "../support/Rejections.ts"
import * as TestServer from "../support/TestServer.ts"

/** No secret is part of another word. */
const next = "seven green bicycles"
const wrong = "wrong-horse-wrong-battery"

/** Says everything there is to say with a secret in it, well and badly; gives all secrets that came up. */
const sayAll = Effect.fnUntraced(function* (server: TestServer.TestServer, fail: (isFailing: boolean) => void) {
  const secrets = new Set([Talk.password, next, wrong])
  const noteToken = (line: { readonly [field: string]: unknown }) => secrets.add(String(line["token"]))
  const code = Redacted.value((yield* server.users.add(UserName.make("cyd"), false)).code)
  const invite = Redacted.value((yield* server.users.invite(2, undefined)).code)
  for (const one of [code, invite]) secrets.add(one).add(one.replaceAll("-", ""))

  const ada = yield* Talk.register(server, "ada", { register: { password: Talk.password, invite } })
  noteToken(ada.welcome)
  const guest = yield* server.join("ben")
  noteToken(yield* guest.ask({ _tag: "Register", password: Talk.password, invite }))
  noteToken((yield* Talk.logIn(server, "ada")).welcome)
  noteToken((yield* Talk.comeBack(server, "ada", ada.token)).welcome)
  yield* Talk.refusal(server, { user: "ada", credentials: Talk.byPassword(wrong) })
  yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(`${wrong}-token`) })
  const cyd = yield* Talk.enter(server, { user: "cyd", credentials: Talk.byPassword(code) })
  noteToken(cyd.welcome)
  yield* cyd.client.ask({ _tag: "ChangePassword", current: code, next })
  yield* ada.client.ask({ _tag: "ChangePassword", current: wrong, next })

  // Lines that are no messages, and hold a secret.
  const bad = yield* server.connect()
  yield* bad.send(
    { _tag: "Handshake", user: 7, credentials: Talk.byPassword(Talk.password) },
    { _tag: "Handshake", user: "ada", credentials: { _tag: "Password", password: [Talk.password] } },
    { _tag: "Handshake", user: "ada", credentials: { _tag: Talk.password } },
    { _tag: "Handshake", user: "ada", credentials: { _tag: "Token", token: `${wrong}${"x".repeat(2000)}` } },
    { _tag: "Handshake", user: "ada", register: { password: `${wrong}\ud800` } }
  )
  const refusals = yield* bad.nextLines(5)
  for (const line of refusals) assert.propertyVal(reasonOf(line), "_tag", "InvalidMessage")
  const said = JSON.stringify(refusals)
  for (const secret of secrets) assert.notInclude(said, secret)

  // The database fails, and so does a part of the server.
  fail(true)
  yield* Talk.refusal(server, { user: "ada", credentials: Talk.byPassword(Talk.password) })
  yield* Talk.refusal(server, { user: "ada", credentials: Talk.byToken(ada.token) })
  yield* Talk.refusal(server, { user: "dee", register: { password: Talk.password, invite } })
  for (const request of [
    { _tag: "ChangePassword", current: Talk.password, next },
    { _tag: "DeleteAccount", password: Talk.password }
  ]) {
    assert.deepStrictEqual(reasonOf(yield* ada.client.ask(request)), { _tag: "StorageUnavailable" })
  }
  fail(false)
  secrets.add(Redacted.value((yield* server.users.reset(UserName.make("ada"))).code))
  secrets.delete("undefined")
  return secrets
})

/** Accounts that fail and die when the test says so, with all they were asked as the cause. */
const failing = (isFailing: () => boolean) =>
  Layer.effect(
    Accounts,
    Effect.map(Accounts, (accounts) => {
      const orFail = <A>(does: Effect.Effect<A, StorageUnavailable>, asked: unknown) =>
        Effect.suspend(() => (isFailing() ? Effect.fail(new StorageUnavailable({ cause: asked })) : does))
      const orDie = <A>(does: Effect.Effect<A, StorageUnavailable>, asked: unknown) =>
        Effect.suspend(() => (isFailing() ? Effect.die(asked) : does))
      return Accounts.of({
        ...accounts,
        get: (account) => orDie(accounts.get(account), { account }),
        find: (user) => orFail(accounts.find(user), { user }),
        create: (account) => orFail(accounts.create(account), { account }),
        addDevice: (account, device, at) => orFail(accounts.addDevice(account, device, at), { device }),
        useToken: (user, token, following, at, name) =>
          orFail(accounts.useToken(user, token, following, at, name), { token, following })
      })
    })
  )

describe("a secret", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("is in no log, of whatever level, and in no file, whatever goes well or badly", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-test-" })
        const log: Array<string> = []
        const collect = Logger.make((options) => {
          log.push(`${Logger.formatLogFmt.log(options)}\n${Logger.formatJson.log(options)}`)
        })
        let isFailing = false
        const settings = { DATABASE: `${folder}/chat.sqlite`, REGISTRATION: "invite" }
        const stores = Layer.provideMerge(
          failing(() => isFailing),
          Database.layer
        )
        const running = yield* Scope.fork(yield* Effect.scope)
        const all = yield* TestServer.start({ settings, stores }).pipe(
          Effect.flatMap((server) =>
            sayAll(server, (fails) => {
              isFailing = fails
            })
          ),
          Scope.provide(running),
          Effect.provide(Logger.layer([collect])),
          Effect.provideService(References.MinimumLogLevel, "All")
        )
        const readAll = Effect.gen(function* () {
          const names = yield* files.readDirectory(folder)
          return yield* Effect.forEach(names, (name) =>
            Effect.map(files.readFile(`${folder}/${name}`), (bytes) => ({
              name,
              text: Buffer.from(bytes).toString("latin1")
            }))
          )
        })
        const before = yield* readAll
        yield* Scope.close(running, Exit.void)
        const written = [...before, ...(yield* readAll), { name: "the log", text: log.join("\n") }]
        // What is looked at is there, and what is looked for would be found.
        assert.isTrue(written.some(({ text }) => text.includes("argon2id")))
        assert.isAbove(log.length, 0)
        assert.isAtLeast(all.size, 12)
        for (const { name, text } of written) {
          for (const secret of all) assert.isFalse(text.includes(secret), `${name} has ${secret}`)
        }
        assert.isFalse(log.join("\n").includes("argon2id"))
      })
    )
  })
})
