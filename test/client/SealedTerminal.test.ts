/** Encrypted rooms and conversations as people have them: the full screen and line mode in real terminals, over a real server. */
import { spawnSync } from "node:child_process"
import { isBuiltin } from "node:module"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schedule } from "effect"
import * as TestServer from "../support/TestServer.ts"
import { startInTerminal } from "./Tmux.ts"

const cannotRun = spawnSync("tmux", ["-V"]).status !== 0 || !isBuiltin("node:ffi")

const password = "correct horse battery"

const arrange = Effect.gen(function* () {
  const { port } = yield* TestServer.start()
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-sealed-" })
  /** `device`: where the account is there already. */
  const start = (user: string, isFull: boolean, device?: string) => {
    const home = `${folder}/${user}${device ?? ""}`
    return startInTerminal(["--user", user, ...(device === undefined ? ["--register"] : [])], {
      PORT: `${port}`,
      CHAT_LINE: `${!isFull}`,
      PARLEY_PASSWORD: password,
      XDG_CONFIG_HOME: home,
      XDG_DATA_HOME: home,
      XDG_STATE_HOME: home
    })
  }
  const enter = Effect.fnUntraced(function* (terminal: Effect.Success<ReturnType<typeof start>>, line: string) {
    yield* terminal.type(line)
    yield* terminal.press("Enter")
  })
  const filesIn = (of: string) => files.readDirectory(`${folder}/${of}`, { recursive: true })
  const textOf = (path: string) => Effect.orElseSucceed(files.readFileString(path), () => "")
  const textsOf = (of: string) =>
    Effect.flatMap(filesIn(of), (names) => Effect.forEach(names, (name) => textOf(`${folder}/${of}/${name}`)))
  const isIn = (of: string, text: string) => Effect.map(textsOf(of), (all) => all.some((one) => one.includes(text)))
  const isAnywhere = (text: string) =>
    Effect.map(Effect.all([isIn("ada", text), isIn("ben", text)]), ([one, other]) => one || other)
  /** How much is kept, sealed, of what somebody has typed, in characters. */
  const wordsKept = (of: string) =>
    Effect.map(textsOf(of), (all) => Math.max(...all.map((one) => /"words":"([^"]*)"/.exec(one)?.[1]?.length ?? 0)))
  return { enter, isAnywhere, start, wordsKept }
})

layer(NodeServices.layer, { excludeTestServices: true })("two people whose talk is encrypted", (it) => {
  it.effect.skipIf(cannotRun)(
    "see the padlock where they type, read each other in a room and in private, and compare their numbers",
    () =>
      Effect.gen(function* () {
        const { enter, start } = yield* arrange
        const ada = yield* start("ada", true)
        yield* ada.resize(100, 50)
        yield* ada.shows("lobby›")
        const ben = yield* start("ben", false)
        yield* ben.resize(100, 50)
        yield* ben.showsIn("lobby>")

        yield* enter(ada, ":encrypt vault")
        yield* ada.shows("🔒 vault (unaudited)›")
        yield* enter(ben, ":jr vault")
        yield* ben.shows("[sealed, unaudited] vault>")
        yield* ben.showsIn("was let in on this device: what was said before this device was added cannot")
        yield* enter(ada, "hello ben")
        yield* ben.showsIn("[vault] ada: hello ben")
        yield* enter(ben, ":reply hello yourself")
        yield* ada.showsIn("│ hello yourself")

        yield* enter(ada, ":pm ben for you alone")
        yield* ada.shows("🔒 @ben (unaudited)›")
        yield* ben.showsIn("(private, sealed) ada: for you alone")
        yield* enter(ben, ":pm ada and for you")
        yield* ada.showsIn("ben │ and for you")
        yield* ben.shows("[sealed, unaudited] @ada>")

        yield* enter(ben, ":verify ada same")
        yield* ben.showsIn("You have not been shown the number of you and ada here. Type :verify ada, and compare it")
        yield* enter(ben, ":verify ada")
        yield* ben.showsIn("if both are the same, type :verify ada same")
        yield* enter(ben, ":verify ada same")
        yield* ben.shows("[sealed, verified ✓, unaudited] @ada>")
        yield* enter(ben, ":verify ada")
        yield* ben.showsIn("you have compared them, and they have not changed since")
        // The code for a phone is painted, whatever the theme is.
        assert.match(yield* ben.withColours, /48;5;231m/)
        yield* enter(ada, ":verify ben")
        yield* ada.showsIn("if both are the same, type :verify ben same")
        assert.match(yield* ada.withColours, /48;5;231m {4}█▀▀▀▀▀█/)
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect.skipIf(cannotRun)(
    "add a second device by a code that the first one shows, and take it out again",
    () =>
      Effect.gen(function* () {
        const { enter, start } = yield* arrange
        const first = yield* start("ada", false)
        yield* first.resize(120, 50)
        yield* first.showsIn("lobby>")
        yield* enter(first, ":encrypt vault")
        yield* first.shows("[sealed, unaudited] vault>")
        const second = yield* start("ada", false, "-2")
        yield* second.resize(120, 50)
        yield* second.showsIn("On another one, :link")
        yield* enter(second, ":rm vault not yet")
        yield* second.showsIn("Not sent: :rm vault not yet: This device (2) is not one of your account's yet.")

        yield* enter(first, ":devices")
        yield* first.showsIn("2. ")
        yield* enter(first, ":link 2")
        yield* first.showsIn("Type this there:")
        const code = /:link ((?:[0-9A-Z]{2,}-)+[0-9A-Z]+)/.exec((yield* first.screen).join("\n"))?.[1] ?? ""
        yield* enter(second, `:link ${code}`)
        yield* second.showsIn("this device is one of your account's now")
        yield* second.showsIn("was let in on this device: what was said before this device was added cannot be read")
        yield* enter(first, "read on both")
        yield* second.showsIn("[vault] ada: read on both")
        yield* enter(second, ":rm vault said on both")
        yield* first.showsIn("[vault] ada: said on both")

        yield* enter(first, ":link remove 2")
        yield* first.showsIn("is out, and reads nothing that is said from now on")
        yield* second.showsIn("made keys without this device: what follows cannot be read here")
      }).pipe(Effect.scoped),
    120_000
  )

  it.effect.skipIf(cannotRun)(
    "lose nothing by a kill, and find what was said meanwhile",
    () =>
      Effect.gen(function* () {
        const { enter, isAnywhere, start, wordsKept } = yield* arrange
        const ada = yield* start("ada", true)
        yield* ada.shows("lobby›")
        const ben = yield* start("ben", true)
        yield* ben.shows("lobby›")
        yield* enter(ada, ":pm ben first")
        yield* ada.shows("🔒 @ben (unaudited)›")
        yield* ben.showsIn("🔒@ada    @")
        yield* ben.press("M-a")
        yield* ben.shows("🔒 @ada (unaudited)›")
        const until = (isKept: (characters: number) => boolean) =>
          Effect.repeat(wordsKept("ben"), { until: isKept, schedule: Schedule.spaced("100 millis") })
        const before = yield* until((characters) => characters > 0)
        yield* ben.type("half a secret")
        yield* ben.shows("🔒 @ada (unaudited)› half a secret")
        // What is typed is kept a moment later, and sealed.
        yield* until((characters) => characters > before + "half a secret".length)
        yield* ben.signal("KILL")
        yield* ben.showsIn("exit 137")
        yield* enter(ada, "while you were dead")
        yield* ada.showsIn("│ while you were dead")
        const back = yield* start("ben", true)
        yield* back.shows("🔒 @ada (unaudited)› half a secret")
        yield* back.showsIn("ada │ first")
        yield* back.showsIn("while you were dead")
        yield* back.press("Enter")
        yield* ada.showsIn("ben │ half a secret")
        assert.isFalse(yield* isAnywhere("half a secret"), "in no file in the clear")
      }).pipe(Effect.scoped),
    120_000
  )
})
