import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { commands, usage } from "../../src/client/Command.ts"
import { clientPath, root, runClient, Server, startClient, startServer } from "./Processes.ts"

/** Runs a script against the server of this file. */
const run = Effect.fnUntraced(function* (user: string, ...lines: ReadonlyArray<string>) {
  const { port } = yield* Server
  return yield* runClient({ args: ["--port", `${port}`, "--user", user] }, lines)
})

const start = Effect.fnUntraced(function* (user: string) {
  const { port } = yield* Server
  return yield* startClient({ args: ["--port", `${port}`, "--user", user] })
})

layer(Layer.provideMerge(Server.layer, NodeServices.layer), { excludeTestServices: true })((it) => {
  describe("a script", () => {
    it.effect("does line by line what it is told, and exits 0", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run(
          "bot",
          ":cr build",
          ":jr build",
          ":lrs",
          ":rm build hi",
          "to everybody",
          "::) is text",
          ":lr build"
        )
        assert.deepStrictEqual(stdout, [
          "you created the room build; :jr build joins it",
          "[build] → you joined; here: bot",
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

    it.effect("tells on stderr which lines could not be carried out, does the others, and exits 1", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run("clumsy", ":jr nowhere", ":jion build", "still here")
        assert.deepStrictEqual(stdout, ["clumsy: still here"])
        assert.strictEqual(exitCode, 1)
        assert.strictEqual(stderr.length, 2)
        assert.include(stderr[0], "line 1: :jr nowhere: There is no room called nowhere.")
        assert.include(stderr[1], 'line 2: :jion build: There is no command ":jion".')
      })
    )

    it.effect("is told of a line that is too long, and goes on behind it", () =>
      Effect.gen(function* () {
        const { stdout, stderr, exitCode } = yield* run("long", "one", "x".repeat(5_000_000), "three")
        assert.deepStrictEqual(stdout, ["long: one", "long: three"])
        assert.strictEqual(stderr.length, 1)
        assert.include(stderr[0], "line 2: xxx")
        assert.include(stderr[0], "A line may have 20000 characters at most; this one was passed over.")
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("has many lines sent in their order", () =>
      Effect.gen(function* () {
        const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`)
        const { stdout, exitCode } = yield* run("flood", ...lines)
        assert.deepStrictEqual(
          stdout.filter((line) => line.startsWith("flood: ")),
          lines.map((line) => `flood: ${line}`)
        )
        assert.strictEqual(exitCode, 0)
      })
    )

    it.effect("finds what was said, page by page, and is not told it when it comes", () =>
      Effect.gen(function* () {
        const said = Array.from({ length: 60 }, (_, index) => `:rm orchard pear ${index + 1}`)
        yield* run("gardener", "an apple a day", ":cr orchard", ":jr orchard", ...said, ":rm orchard one apple")
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
        assert.isTrue(stdout.every((line) => !line.startsWith("[orchard] gardener")))
        const withoutTimes = stdout.map((line) => line.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /, "then "))
        const pears = (from: number, to: number) =>
          Array.from({ length: to - from + 1 }, (_, index) => `then [orchard] gardener: pear ${from + index}`)
        assert.deepStrictEqual(withoutTimes, [
          "[orchard] → you joined; here: finder",
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

    it.effect("may end without a last line break, and have breaks as on Windows", () =>
      Effect.gen(function* () {
        const client = yield* start("windows")
        yield* client.type("one\r", "two\r")
        yield* client.endInput
        const { stdout, exitCode } = yield* client.outcome
        assert.deepStrictEqual(stdout, ["windows: one", "windows: two"])
        assert.strictEqual(exitCode, 0)
      })
    )

    it.effect("leaves at :quit, whatever follows", () =>
      Effect.gen(function* () {
        const { stdout, exitCode } = yield* run("brief", "one", ":quit", "two")
        assert.deepStrictEqual(stdout, ["brief: one"])
        assert.strictEqual(exitCode, 0)
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
        assert.strictEqual(output, "piper: y\n")
      })
    )

    it.effect("hears others while its input is open, and leaves when told to by a signal", () =>
      Effect.gen(function* () {
        const ear = yield* start("ear")
        yield* ear.type("ready")
        yield* ear.says("ear: ready")
        const mouth = yield* start("mouth")
        yield* ear.says("→ mouth joined")
        yield* mouth.type(":pm ear psst")
        yield* ear.says("(private) mouth → ear: psst")
        yield* mouth.says("(private) mouth → ear: psst")
        yield* mouth.kill("SIGTERM")
        yield* ear.says("← mouth left")
        yield* ear.endInput
        assert.strictEqual((yield* ear.outcome).exitCode, 0)
        const { stdout, exitCode } = yield* mouth.outcome
        assert.deepStrictEqual(stdout, ["(private) mouth → ear: psst"])
        assert.strictEqual(exitCode, 130)
      })
    )
  })

  describe("a client that cannot start", () => {
    it.effect("names the taken name and the way out", () =>
      Effect.gen(function* () {
        const first = yield* start("popular")
        yield* first.type("here")
        yield* first.says("popular: here")
        const { stderr, exitCode } = yield* run("popular")
        assert.include(stderr.join("\n"), "The name popular is in use.")
        assert.include(stderr.join("\n"), "--user <another name>")
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect("names where it found nobody", () =>
      Effect.gen(function* () {
        const { port, stop } = yield* startServer()
        yield* stop
        const { stderr, exitCode } = yield* runClient({ args: ["--user", "lonely"], env: { PORT: `${port}` } }, [])
        assert.include(stderr.join("\n"), `Cannot chat as lonely on localhost:${port}.`)
        assert.include(stderr.join("\n"), "nothing listens there")
        assert.strictEqual(exitCode, 1)
      })
    )

    it.effect.each([
      { args: [], complaint: "No name was given. Start with --user <name>, or set USER_NAME." },
      { args: ["--user", "a b"], complaint: "must start with a letter or digit" },
      { args: ["--user", "x", "--port", "70000"], complaint: "must be a port, from 1 to 65535" },
      { args: ["--user", "x", "--prot", "1"], complaint: "--port" }
    ])("complains about $args", ({ args, complaint }) =>
      Effect.gen(function* () {
        const { stderr, exitCode } = yield* runClient({ args }, [])
        assert.include(stderr.join("\n"), complaint)
        assert.strictEqual(exitCode, 1)
      })
    )
  })

  describe("the command line", () => {
    it.effect("takes its settings from the environment, and where that has none from a file .env", () =>
      Effect.gen(function* () {
        const { port } = yield* Server
        const files = yield* FileSystem.FileSystem
        const cwd = yield* files.makeTempDirectoryScoped()
        yield* files.writeFileString(`${cwd}/.env`, `PORT=${port}\nUSER_NAME=from-file\n`)
        const fromFile = yield* runClient({ args: [], cwd }, ["hi"])
        const fromEnvironment = yield* runClient({ args: [], cwd, env: { USER_NAME: "from-env" } }, ["hi"])
        const fromFlag = yield* runClient({ args: ["--user", "flag"], cwd, env: { USER_NAME: "from-env" } }, ["hi"])
        assert.deepStrictEqual(
          [fromFile, fromEnvironment, fromFlag].map(({ stdout }) => stdout.at(-1)),
          ["from-file: hi", "from-env: hi", "flag: hi"]
        )
      })
    )

    it.effect("teaches every command in its help", () =>
      Effect.gen(function* () {
        const { stdout, exitCode } = yield* runClient({ args: ["--help"], cwd: root }, [])
        const help = stdout.join("\n")
        for (const command of commands) assert.include(help, usage(command))
        assert.strictEqual(exitCode, 0)
      })
    )
  })

  describe("a client whose server restarts", () => {
    it.effect("says so, comes back, and sends what was said meanwhile", () =>
      Effect.gen(function* () {
        const first = yield* startServer()
        const client = yield* startClient({ args: ["--port", `${first.port}`, "--user", "patient"] })
        yield* client.type("before")
        yield* client.says("patient: before")
        yield* first.stop
        yield* client.complains("connection lost")
        yield* client.type("meanwhile")
        yield* startServer({ PORT: `${first.port}` })
        yield* client.says("patient: meanwhile")
        yield* client.endInput
        const { stdout, stderr, exitCode } = yield* client.outcome
        assert.deepStrictEqual(stdout, ["patient: before", "patient: meanwhile"])
        assert.isTrue(stderr.includes("— back —"))
        assert.strictEqual(exitCode, 0)
      })
    )
  })
})
