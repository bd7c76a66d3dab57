import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Scope, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { connect } from "../support/RawClient.ts"
import * as ClientHere from "./ClientHere.ts"
import { clientPath, runClient, Server, startClient, startServer } from "./Processes.ts"

/** Runs a script against the server of this file. */
const run = Effect.fnUntraced(function* (user: string, ...lines: ReadonlyArray<string>) {
  const { port } = yield* Server
  return yield* runClient({ args: ["--port", `${port}`, "--user", user] }, lines)
})

const start = Effect.fnUntraced(function* (user: string) {
  const { port } = yield* Server
  return yield* startClient({ args: ["--port", `${port}`, "--user", user] })
})

/** What a client says that cannot start, without a process. */
const refusedHere = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  ClientHere.run(args, { env })

/** Somebody else on that server, who needs no process. */
const join = Effect.fnUntraced(function* (user: string) {
  const { port } = yield* Server
  const other = yield* connect({ port })
  yield* other.ask({ _tag: "Handshake", user })
  return other
})

/** A message's number is one more than that of the last in its conversation, whoever said it. */
const withoutNumber = (line: string): string => line.replace(/#\d+ /, "")

layer(Layer.provideMerge(Server.layer, NodeServices.layer), { excludeTestServices: true })((it) => {
  describe("a script", () => {
    it.effect("does line by line what it is told until :quit, and exits 0", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run(
          "bot",
          ":cr build",
          ":jr build",
          ":lrs",
          ":rm build hi",
          "to everybody",
          "::) is text",
          ":lr build",
          ":quit",
          "not any more"
        )
        assert.deepStrictEqual(stdout.map(withoutNumber), [
          "you created the room build; :jr build joins it",
          "[build] → you joined as owner; here: bot",
          "1 room: build (1)",
          "[build] bot: hi",
          "bot: to everybody",
          "bot: :) is text",
          "[build] ← you left"
        ])
        assert.deepStrictEqual(stderr, [])
        assert.strictEqual(exitCode, 0)
      })
    )

    it.effect("does not fail because it is in a room already", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run(
          "twice",
          ":cr attic",
          ":jr attic",
          ":jr attic",
          ":rm attic dust"
        )
        assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: [] })
        assert.deepStrictEqual(stdout.map(withoutNumber).slice(2), [
          "you are in the room attic already",
          "[attic] twice: dust"
        ])
      })
    )

    it.effect("tells on stderr which lines could not be carried out, does the others, and exits 1", () =>
      Effect.gen(function* () {
        const { port } = yield* Server
        // Lines may end as on Windows.
        const { stdout, stderr, exitCode } = yield* runClient({ args: ["--port", `${port}`, "--user", "clumsy"] }, [
          ":jr nowhere\r",
          ":jion build\r",
          "still here\r"
        ])
        assert.deepStrictEqual(stdout.map(withoutNumber), ["clumsy: still here"])
        assert.strictEqual(exitCode, 1)
        assert.strictEqual(stderr.length, 2)
        assert.include(
          stderr[0],
          "line 1: :jr nowhere: There is no room called nowhere that you could see; a private one takes an invitation."
        )
        assert.include(stderr[1], 'line 2: :jion build: There is no command ":jion".')
      })
    )

    it.effect("governs the room that it made, and looks at what it did", () =>
      Effect.gen(function* () {
        const prisoner = yield* join("prisoner")
        yield* prisoner.ask({ _tag: "CreateRoom", room: "elsewhere" })
        const { stdout, stderr, exitCode } = yield* run(
          "warden",
          ":cr yard Keep quiet",
          ":jr yard",
          ":topic yard Walk in circles",
          ":mute yard prisoner 2h singing",
          ":kick yard prisoner",
          ":topic elsewhere Mine now",
          ":room yard",
          ":audit yard 1",
          ":owner yard prisoner"
        )
        const withoutTimes = stdout.map((line) => line.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "then"))
        assert.deepStrictEqual(withoutTimes, [
          "you created the room yard; :jr yard joins it",
          "[yard] → you joined as owner; here: warden",
          "[yard] topic: Keep quiet",
          "[yard] warden set the topic: Walk in circles",
          "[yard] warden muted prisoner for 2 h (until then): singing",
          "[yard] topic: Walk in circles",
          "[yard] open to everybody, since then, 1 member",
          "[yard] owner warden; no moderators",
          "[yard] muted: prisoner by warden, until then: singing",
          "then [yard] warden muted prisoner for 2 h (until then): singing",
          "1 deed of moderation; :more shows older ones"
        ])
        assert.deepStrictEqual(stderr, [
          "line 5: :kick yard prisoner: prisoner is not in the room yard. Type :lru yard to see who is.",
          "line 6: :topic elsewhere Mine now: You are not in the room elsewhere. Type :jr elsewhere to join it.",
          "line 9: :owner yard prisoner: Roles are for accounts, and you are a guest. Type :register; then try again."
        ])
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("answers what it said the line before, in private too", () =>
      Effect.gen(function* () {
        yield* join("ben")
        const { stdout, stderr } = yield* run("terse", "hello", ":pm ben psst", ":reply to my psst", ":react 👍")
        assert.deepStrictEqual(stdout.map(withoutNumber).slice(0, 3), [
          "terse: hello",
          "(private) terse → ben: psst",
          "(private) terse → ben ↳ #1: to my psst"
        ])
        assert.include(stderr[0], "line 4: :react 👍: In private, that takes an account on both sides.")
      })
    )

    it.effect("is told of a line that is too long, and goes on behind it", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run("long", "one", "x".repeat(5_000_000), "three")
        assert.deepStrictEqual(stdout.map(withoutNumber), ["long: one", "long: three"])
        assert.strictEqual(stderr.length, 1)
        assert.include(stderr[0], "line 2: xxx")
        assert.include(stderr[0], "A line may have 20000 characters at most; this one was passed over.")
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("has many lines sent in their order", () =>
      Effect.gen(function* () {
        const lines = Array.from({ length: 600 }, (_, index) => `line ${index}`)
        const { stdout, exitCode } = yield* run("flood", ...lines)
        assert.deepStrictEqual(
          stdout.map(withoutNumber).filter((line) => line.startsWith("flood: ")),
          lines.map((line) => `flood: ${line}`)
        )
        assert.strictEqual(exitCode, 0)
      })
    )

    it.effect("finds what was said, page by page, and is not told it when it comes", () =>
      Effect.gen(function* () {
        const said = Array.from({ length: 60 }, (_, index) => `pear ${index + 1}`).concat("one apple")
        const gardener = yield* join("gardener")
        yield* gardener.ask({ _tag: "GlobalMessage", content: "an apple a day" })
        for (const _tag of ["CreateRoom", "JoinRoom"]) yield* gardener.ask({ _tag, room: "orchard" })
        for (const content of said) yield* gardener.ask({ _tag: "RoomMessage", room: "orchard", content })
        const { stdout, stderr, exitCode } = yield* run(
          "finder",
          ":jr orchard",
          ":search Apple",
          ":search in:orchard apple",
          ':search "apple one"',
          ":search in:orchard pear",
          ":more",
          ":more"
        )
        assert.isTrue(stdout.every((line) => !withoutNumber(line).startsWith("[orchard] gardener")))
        const withoutTimes = stdout.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ #\d+ /, "then "))
        const pears = (from: number, to: number) =>
          Array.from({ length: to - from + 1 }, (_, index) => `then [orchard] gardener: pear ${from + index}`)
        assert.deepStrictEqual(withoutTimes, [
          "[orchard] → you joined; here: finder, gardener",
          "then gardener: an apple a day",
          "then [orchard] gardener: one apple",
          "2 messages found",
          "then [orchard] gardener: one apple",
          "1 message found",
          "nothing found",
          ...pears(11, 60),
          "50 messages found; :more shows older ones",
          ...pears(1, 10),
          "10 messages found"
        ])
        assert.strictEqual(stderr.length, 1)
        assert.include(stderr[0], "line 7: :more: There is nothing older to show.")
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("does not mind a reader of its output that has seen enough", () =>
      Effect.gen(function* () {
        const { port } = yield* Server
        const script = `set -o pipefail; yes | head -5000 | "$0" "$1" --user piper | head -1`
        const shell = yield* ChildProcess.make("bash", ["-c", script, process.execPath, clientPath], {
          env: { PORT: `${port}` },
          extendEnv: true
        })
        const output = yield* Stream.mkString(Stream.decodeText(shell.all))
        assert.strictEqual(withoutNumber(output), "piper: y\n")
      })
    )

    it.effect("hears others while its input is open, and leaves when told to by a signal", () =>
      Effect.gen(function* () {
        const ear = yield* start("ear")
        yield* ear.type("ready")
        yield* ear.says("ear: ready")
        const mouth = yield* join("mouth")
        // It may be told of its own coming with it: "→ ear, mouth joined".
        yield* ear.says("mouth joined")
        yield* mouth.ask({ _tag: "PrivateMessage", to: "ear", content: "psst" })
        yield* ear.says("(private) mouth → ear: psst")
        yield* ear.type(":pm mouth yes?")
        yield* ear.says("(private) ear → mouth: yes?")
        yield* mouth.find(({ content }) => content === "yes?")
        yield* mouth.send({ _tag: "Disconnect" })
        yield* ear.says("← mouth left")
        yield* ear.kill("SIGTERM")
        assert.strictEqual((yield* ear.outcome).exitCode, 143)
      })
    )
  })

  describe("a client that cannot start", () => {
    it.effect("names the taken name and the way out", () =>
      Effect.gen(function* () {
        yield* join("popular")
        const { port } = yield* Server
        const { stderr, exitCode } = yield* refusedHere(["--port", `${port}`, "--user", "popular"], {
          HOST: "localhost"
        })
        assert.include(stderr, "The name popular is in use.")
        assert.include(stderr, "--user <another name>")
        assert.strictEqual(exitCode, 4)
      })
    )

    it.effect("names where it found nobody", () =>
      Effect.gen(function* () {
        // One that no server is given unless it asks for it.
        const { stderr, exitCode } = yield* refusedHere(["--user", "lonely"], { HOST: "localhost", PORT: "1" })
        assert.include(stderr, "Cannot chat as lonely on localhost:1.")
        assert.include(stderr, "nothing listens there")
        assert.strictEqual(exitCode, 3)
      })
    )

    it.effect("complains about what is missing", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* runClient({ args: [] }, [])
        assert.include(stderr.join("\n"), "No name was given. Start with --user <name>, or set USER_NAME.")
        assert.deepStrictEqual({ stdout, exitCode }, { stdout: [], exitCode: 2 })
      })
    )
  })

  describe("the command line", () => {
    it.effect("is stopped by a file .env that cannot have been meant so, with one line, as the server is", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const cwd = yield* files.makeTempDirectoryScoped({ prefix: "parley-client-" })
        yield* files.writeFileString(`${cwd}/.env`, "USR_NAME=ada\n")
        const { exitCode, stderr } = yield* runClient({ args: [], cwd }, [])
        assert.deepStrictEqual(stderr, [".env sets USR_NAME, which is no setting. Write USER_NAME."])
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("takes a setting from a flag, else from the environment, else from a file .env", () =>
      Effect.gen(function* () {
        const { port } = yield* Server
        const files = yield* FileSystem.FileSystem
        const cwd = yield* files.makeTempDirectoryScoped()
        yield* files.writeFileString(`${cwd}/.env`, `PORT=${port}\nUSER_NAME=from-file\nHOST=file.invalid\n`)
        const env = { USER_NAME: "from-env", HOST: "environment.invalid" }
        const { stdout } = yield* runClient({ args: ["--host", "localhost"], cwd, env }, ["hi"])
        assert.deepStrictEqual(stdout.map(withoutNumber), ["from-env: hi"])
      })
    )
  })

  describe("a client whose server restarts", () => {
    it.effect("says so, comes back, and sends what was said meanwhile", () =>
      Effect.gen(function* () {
        const stopping = yield* Scope.make()
        const first = yield* Scope.provide(startServer(), stopping)
        const client = yield* startClient({ args: ["--port", `${first.port}`, "--user", "patient"] })
        yield* client.type("before")
        yield* client.says("patient: before")
        yield* Scope.close(stopping, Exit.void)
        yield* client.complains("connection lost")
        yield* client.type("meanwhile")
        yield* startServer({ PORT: `${first.port}` })
        yield* client.says("patient: meanwhile")
        yield* client.endInput
        const { stdout, stderr, exitCode } = yield* client.outcome
        assert.deepStrictEqual(stdout.map(withoutNumber), ["patient: before", "patient: meanwhile"])
        assert.isTrue(stderr.includes("— back —"))
        assert.strictEqual(exitCode, 0)
      })
    )
  })
})
