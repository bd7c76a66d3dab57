/** How a person at a terminal comes in, becomes somebody else and is put out, with a real server: nobody ends who can go on. */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schedule } from "effect"
import { DeviceId } from "../../src/common/wire/AccountRequest.ts"
import { rejected } from "./ClientTalk.ts"
import { epoch, make, welcome } from "./FakeServer.ts"
import { runClient, startClient, startServer } from "./Processes.ts"
import { startInTerminal } from "./Tmux.ts"

const hasNoTmux = spawnSync("tmux", ["-V"]).status !== 0

const secret = "correct horse battery"

const makeFolder = FileSystem.FileSystem.use((files) => files.makeTempDirectoryScoped({ prefix: "parley-" }))

type Terminal = Effect.Success<ReturnType<typeof startInTerminal>>

const enterLine = Effect.fnUntraced(function* (terminal: Terminal, line: string) {
  if (line !== "") yield* terminal.type(line)
  yield* terminal.press("Enter")
})

const answer = Effect.fnUntraced(function* (terminal: Terminal, question: string, line: string) {
  yield* terminal.showsIn(question)
  yield* enterLine(terminal, line)
})

const tokensIn = (folder: string) => (existsSync(join(folder, "parley")) ? readdirSync(join(folder, "parley")) : [])

/** A server, and another device of ada's, who has an account there. */
const arrange = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>> = {}) {
  const { port } = yield* startServer(environment)
  const setting = { PORT: `${port}`, HOST: "localhost", NO_COLOR: "1" }
  const env = {
    ...setting,
    XDG_CONFIG_HOME: yield* makeFolder,
    XDG_DATA_HOME: yield* makeFolder,
    PARLEY_PASSWORD: secret
  }
  const { exitCode } = yield* runClient({ args: ["--user", "ada", "--register", "--device", "phone"], env }, [])
  assert.strictEqual(exitCode, 0)
  const folder = yield* makeFolder
  const elsewhere = (...lines: ReadonlyArray<string>) => runClient({ args: ["--user", "ada"], env }, lines)
  return { elsewhere, folder, here: { ...setting, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: `${folder}/data` }, setting }
})

layer(NodeServices.layer, { excludeTestServices: true })("a person at a terminal", (it) => {
  it.effect.skipIf(hasNoTmux)("stays who they are when a :login comes to nothing, and leaves only for who is in", () =>
    Effect.gen(function* () {
      const { here } = yield* arrange()
      const terminal = yield* startInTerminal(["--user", "bob"], here)
      const question = "Password of ada, or nothing to stay bob:"
      yield* terminal.shows("      1 user: bob", "lobby>")
      yield* enterLine(terminal, ":login ada")
      yield* answer(terminal, question, "battery horse correct")
      yield* terminal.showsIn("These credentials are not valid for this name.")
      yield* answer(terminal, question, "")
      yield* terminal.showsTogether(":login: Nobody has logged in as ada. You are still", "      bob.")
      yield* enterLine(terminal, "here I am")
      yield* terminal.shows("hh:mm #n bob: here I am", "lobby>")

      yield* enterLine(terminal, ":login nobody")
      yield* answer(terminal, "Password of nobody, or nothing to stay bob:", secret)
      yield* terminal.showsTogether(
        "      the name and the password, token or key.",
        "Password of nobody, or nothing to stay bob:"
      )
      yield* terminal.press("C-c")
      yield* terminal.shows(":login: Nobody has logged in as nobody. You are still", "lobby>")
      yield* enterLine(terminal, ":users")
      yield* terminal.showsTogether("      > :users", "      1 user: bob")

      yield* enterLine(terminal, ":login ada")
      yield* answer(terminal, question, secret)
      yield* terminal.showsIn("as ada, logged in")
      yield* terminal.shows("      1 user: ada", "lobby>")
      yield* enterLine(terminal, ":login ADA")
      yield* terminal.shows(":login: you are logged in as ada already.", "lobby>")
      yield* terminal.press("Up", "Up", "Up", "Up")
      yield* terminal.shows("lobby> :login nobody")
      yield* terminal.press("C-c", "C-d")
      yield* terminal.shows("exit 0")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("pastes a password with more behind it, and nothing of that is sent before Enter", () =>
    Effect.gen(function* () {
      const { here } = yield* arrange()
      const terminal = yield* startInTerminal(["--user", "bob"], here)
      yield* terminal.shows("      1 user: bob", "lobby>")
      yield* enterLine(terminal, ":login ada")
      yield* terminal.showsIn("Password of ada, or nothing to stay bob:")
      yield* terminal.paste("battery horse\nfor nobody to see\n")
      yield* terminal.press("C-u")
      yield* enterLine(terminal, secret)
      yield* terminal.showsIn("as ada, logged in")
      yield* terminal.shows("      1 user: ada", "lobby>")
      const rows = (yield* terminal.screen).join("\n")
      assert.notInclude(rows, "not valid")
      assert.notInclude(rows, "for nobody")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("is asked for the password when their device is removed elsewhere, and types on", () =>
    Effect.gen(function* () {
      const { elsewhere, folder, here } = yield* arrange()
      const terminal = yield* startInTerminal(["--user", "ada", "--device", "laptop"], here)
      const question = "Password of ada, or nothing for another name:"
      yield* answer(terminal, question, secret)
      yield* terminal.shows("      1 user: ada", "lobby>")
      assert.lengthOf(tokensIn(folder), 1)
      yield* terminal.type("half a li")
      yield* terminal.shows("lobby> half a li")
      const { stdout } = yield* elsewhere(":devices", ":devices remove 2")
      assert.include(stdout.join("\n"), "2. laptop")
      yield* terminal.showsTogether(
        "This device was removed from its account. Type the",
        "      password of ada to go on here."
      )
      yield* terminal.shows(question)
      assert.deepStrictEqual(tokensIn(folder), [])
      yield* enterLine(terminal, secret)
      yield* terminal.showsTogether(
        "      password of ada to go on here.",
        "— connected to parley 0.1.0 as ada, logged in; :help"
      )
      yield* terminal.shows("      1 user: ada", "lobby> half a li")
      assert.lengthOf(tokensIn(folder), 1)

      yield* elsewhere(":devices", ":devices remove 3")
      yield* terminal.showsTogether("      password of ada to go on here.", question)
      yield* enterLine(terminal, "")
      yield* terminal.shows("      Your name? Type it, or :quit", "> half a li")
      yield* terminal.press("C-u")
      yield* enterLine(terminal, "a b")
      yield* terminal.showsIn("This cannot be it:")
      yield* enterLine(terminal, "bob")
      yield* terminal.showsIn("as bob;")
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("deletes their account with the password, and only if they are sure", () =>
    Effect.gen(function* () {
      const { folder, here, setting } = yield* arrange()
      const terminal = yield* startInTerminal(["--user", "ada"], here)
      yield* answer(terminal, "Password of ada, or nothing for another name:", secret)
      yield* terminal.shows("      1 user: ada", "lobby>")
      yield* enterLine(terminal, ":unregister")
      yield* terminal.shows("      the name ada will be gone until an admin frees it")
      yield* answer(terminal, "Type yes to delete the account ada:", "y")
      yield* terminal.shows(":unregister: nothing was changed.", "lobby>")
      for (const typed of ["battery horse correct", secret]) {
        yield* enterLine(terminal, ":unregister")
        yield* answer(terminal, "Type yes to delete the account ada:", "yes")
        yield* terminal.shows("Password of ada:")
        yield* enterLine(terminal, typed)
        if (typed !== secret) yield* terminal.showsIn("These credentials are not valid for this name.")
      }
      yield* terminal.showsIn("your account is deleted, and this device is forgotten")
      yield* terminal.shows("exit 0")
      assert.deepStrictEqual(tokensIn(folder), [])
      const left = readdirSync(`${folder}/data`, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
      assert.deepStrictEqual(left, [], "nor the keys of encrypted conversations")
      const guest = yield* runClient({ args: ["--user", "ada"], env: setting }, [])
      assert.include(guest.stderr.join("\n"), "The name ada is in use.")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("makes an account where no guests are let in, and is told how", () =>
    Effect.gen(function* () {
      const { folder, here } = yield* arrange({ GUESTS: "off" })
      const terminal = yield* startInTerminal(["--user", "bob"], here)
      yield* terminal.showsIn("--register")
      yield* terminal.showsIn(":register")
      yield* answer(terminal, "Password of bob, or nothing for another name:", "")
      yield* terminal.showsIn("Your name:")
      yield* enterLine(terminal, "carol")
      yield* answer(terminal, "Password of carol, or nothing for another name:", ":register")
      yield* answer(terminal, "New password, of 10 characters at least:", "password123")
      yield* answer(terminal, "The same again:", "password123")
      yield* terminal.showsIn("commonest")
      yield* answer(terminal, "New password, of 10 characters at least:", secret)
      yield* answer(terminal, "The same again:", secret)
      yield* terminal.showsIn("as carol, logged in")
      assert.lengthOf(tokensIn(folder), 1)
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    }).pipe(Effect.scoped)
  )

  it.effect.skipIf(hasNoTmux)("hears a bell and sees a mark where somebody else names them", () =>
    Effect.gen(function* () {
      const { folder, here, setting } = yield* arrange()
      const terminal = yield* startInTerminal(["--user", "bob"], here)
      yield* terminal.shows("      1 user: bob", "lobby>")
      const written = join(folder, "written")
      yield* terminal.record(written)
      yield* enterLine(terminal, "I, @bob, say so")
      yield* terminal.shows("hh:mm #n bob: I, @bob, say so", "lobby>")
      yield* runClient({ args: ["--user", "carol"], env: setting }, ["hello", "hello @Bob.", "@bob!"])
      yield* terminal.shows(
        "hh:mm #n carol: hello",
        "hh:mm * #3 carol: hello @Bob.",
        "hh:mm * #4 carol: @bob!",
        "lobby>"
      )
      yield* Effect.sync(() => {
        const text = readFileSync(written, "utf8")
        assert.include(text, "carol left")
        assert.lengthOf(text.split("\u0007"), 2)
      }).pipe(
        Effect.sandbox,
        Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "90 seconds" })))
      )
      yield* terminal.press("C-d")
      yield* terminal.shows("exit 0")
    }).pipe(Effect.scoped)
  )
})

layer(NodeServices.layer, { excludeTestServices: true })("a script", (it) => {
  it.effect("ends with what happened and how to log in when its password is changed elsewhere", () =>
    Effect.gen(function* () {
      const folder = yield* makeFolder
      const server = yield* make
      const env = {
        PORT: `${server.port}`,
        HOST: "127.0.0.1",
        XDG_CONFIG_HOME: folder,
        XDG_DATA_HOME: `${folder}/data`,
        PARLEY_PASSWORD: secret
      }
      const client = yield* startClient({ args: ["--user", "ada"], env })
      const peer = yield* server.accept
      yield* peer.take
      yield* peer.say({
        ...welcome(0),
        account: true,
        device: DeviceId.make("d1"),
        token: "t1",
        inbox: { epoch, seq: 0 },
        rooms: []
      })
      yield* peer.say({ _tag: "Goodbye", reason: "The password of this account was changed. Log in again." })
      yield* peer.cut
      const again = yield* server.accept
      yield* again.say(rejected(yield* again.take, { _tag: "InvalidCredentials" }))
      const { exitCode, stderr } = yield* client.outcome
      assert.strictEqual(exitCode, 4)
      assert.include(stderr.join("\n"), "The password of this account was changed. Log in again.")
      assert.include(stderr.join("\n"), "PARLEY_PASSWORD")
      assert.deepStrictEqual(tokensIn(folder), [])
    }).pipe(Effect.scoped)
  )
})
