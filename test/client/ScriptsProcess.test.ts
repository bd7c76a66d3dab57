/** Scripts as a shell runs them: killed, ended by signals, with readers that have seen enough, and long inputs. */
import * as process from "node:process"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { connect } from "../support/RawClient.ts"
import { clientPath, runClient, startClient, startServer } from "./Processes.ts"

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)

/** A server, somebody who says these in the lobby, and a folder for scripts. */
const arrange = Effect.fnUntraced(function* (rate: string, contents: ReadonlyArray<string>) {
  const { port } = yield* startServer({ MESSAGE_RATE: rate })
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-scripts-" })
  const mouth = yield* connect({ port })
  yield* mouth.ask({ _tag: "Handshake", user: "mouth" })
  const say = Effect.fnUntraced(function* (contents: ReadonlyArray<string>) {
    yield* mouth.send(...contents.map((content) => ({ _tag: "GlobalMessage", content })))
    yield* mouth.ask({ _tag: "GetHistory", limit: 1 })
  })
  yield* say(contents)
  return {
    say,
    env: {
      CHAT_PORT: `${port}`,
      CHAT_HOST: "localhost",
      XDG_STATE_HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder
    }
  }
})

layer(NodeServices.layer, { excludeTestServices: true })((it) => {
  describe("A tail", () => {
    it.effect("goes on behind its last line when it was killed, and is quiet about a Ctrl-C", () =>
      Effect.gen(function* () {
        const { env, say } = yield* arrange("0", ["1"])
        const args = ["tail", "--user", "ear", "--json", "--since", "1h"]
        const first = yield* startClient({ args, env })
        yield* first.says('"content":"1"')
        yield* say(["2"])
        yield* first.says('"content":"2"')
        yield* first.kill("SIGKILL")
        yield* Effect.exit(first.outcome)
        yield* say(numbers(3, 5))
        const second = yield* startClient({ args, env })
        yield* second.says('"content":"5"')
        yield* second.kill("SIGINT")
        const { exitCode, stderr, stdout } = yield* second.outcome
        assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 130, stderr: [] })
        const contents = stdout.map((line) => JSON.parse(line).content)
        assert.includeMembers(numbers(2, 5), contents)
        assert.deepStrictEqual(contents.slice(-3), numbers(3, 5))
      })
    )
  })

  describe("A history", () => {
    it.effect("is quiet about a reader that has seen enough", () =>
      Effect.gen(function* () {
        const { env } = yield* arrange(
          "0",
          numbers(1, 3000).map((number) => `${number} ${"x".repeat(100)}`)
        )
        const script = `"$0" "$1" history --user bot --limit 3000 | head -1; echo "\${PIPESTATUS[*]}"`
        const shell = yield* ChildProcess.make("bash", ["-c", script, process.execPath, clientPath], {
          env,
          extendEnv: true
        })
        const output = yield* Stream.mkString(Stream.decodeText(shell.all))
        assert.match(output, /^\S+Z #1 mouth: 1 x+\n0 0\n$/)
      })
    )
  })

  describe("Lines that are piped", () => {
    it.effect("are all sent, a thousand of them, whatever the server's rate", () =>
      Effect.gen(function* () {
        const { env } = yield* arrange("400", [])
        const lines = numbers(1, 1000)
        const { exitCode, stderr, stdout } = yield* runClient({ args: ["--user", "bot", "--wait"], env }, lines)
        assert.deepStrictEqual({ exitCode, stderr }, { exitCode: 0, stderr: [] })
        assert.deepStrictEqual(
          stdout.filter((line) => / bot: /.test(line)).map((line) => line.replace(/^#\d+ bot: /, "")),
          lines
        )
      })
    )
  })
})
