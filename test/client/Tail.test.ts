/** A tail against a real server that is stopped and started again, killed at any step: at least once, and in order. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Schema, Scope } from "effect"
import { tries } from "../support/generators.ts"
import { connect } from "../support/RawClient.ts"
import { startServer } from "./Processes.ts"
import { type Kill, makeHome, password, tailUntil } from "./ScriptTalk.ts"

/** A server that keeps what it has in a file, and can be started again on its port. */
const arrange = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "parley-tail-" })
  const test = yield* Effect.scope
  let file = `${folder}/chat.sqlite`
  let running = yield* Scope.fork(test)
  const start = (port: number) =>
    Scope.provide(startServer({ PORT: `${port}`, HOST: "127.0.0.1", DATABASE: file, MESSAGE_RATE: "0" }), running)
  const { port } = yield* start(0)
  const restart = Effect.gen(function* () {
    yield* Scope.close(running, Exit.void)
    running = yield* Scope.fork(test)
    yield* start(port)
  })
  /** The same, with nothing of what was kept. */
  const begin = Effect.suspend(() => {
    file = `${folder}/another.sqlite`
    return restart
  })
  return { port, restart, begin, ...(yield* makeHome(port, { USER_NAME: "ear" })) }
})

/** Somebody says these in the room, or else in the lobby, and leaves. */
const say = Effect.fnUntraced(function* (port: number, contents: ReadonlyArray<string>, room?: string) {
  const mouth = yield* connect({ port })
  yield* mouth.ask({ _tag: "Handshake", user: "mouth" })
  if (room !== undefined) {
    yield* mouth.ask({ _tag: "CreateRoom", room })
    yield* mouth.ask({ _tag: "JoinRoom", room })
  }
  const _tag = room === undefined ? "GlobalMessage" : "RoomMessage"
  for (let at = 0; at < contents.length; at += 100) {
    yield* mouth.send(...contents.slice(at, at + 100).map((content) => ({ _tag, room, content })))
    yield* mouth.ask({ _tag: "GetHistory", room, limit: 1 })
  }
  yield* mouth.ask({ _tag: "Disconnect" })
}, Effect.scoped)

const contentsOf = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => JSON.parse(line).content)
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)
const isAscending = (contents: ReadonlyArray<string>) =>
  contents.every((content, index) => index === 0 || Number(content) > Number(contents[index - 1]))

/** What happens between two runs of a tail, and where the run that follows is killed. */
const Rounds = Schema.Array(
  Schema.Struct({
    said: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
    restarts: Schema.Boolean,
    write: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
    isAfter: Schema.Boolean
  })
).check(Schema.isMinLength(3), Schema.isMaxLength(5))

describe("A tail", () => {
  for (const where of [["--room", "dev"], []]) {
    it.live.prop(
      `prints every message at least once and in order, wherever it is killed: ${where.join(" ")}`,
      { rounds: Rounds },
      ({ rounds }) =>
        Effect.gen(function* () {
          const { port, restart, ...home } = yield* arrange
          const room = where[1]
          const heard: Array<string> = []
          const hear = Effect.fnUntraced(function* (last: string, kill?: Kill) {
            const { lines, outcome } = yield* tailUntil(home, [...where, "--json", "--since", "1h"], last, kill)
            assert.isUndefined(outcome, outcome?.stderr)
            const contents = contentsOf(lines)
            assert.isTrue(isAscending(contents), `${contents}`)
            heard.push(...contents)
          })
          let said = 0
          for (const round of rounds) {
            if (round.restarts) yield* restart
            yield* say(port, numbers(said + 1, said + round.said), room)
            said += round.said
            yield* hear(`"content":"${said}"`, round)
          }
          yield* say(port, [`${said + 1}`], room)
          yield* hear(`"content":"${said + 1}"`)
          assert.deepStrictEqual(
            [...new Set(heard)].toSorted((one, other) => Number(one) - Number(other)),
            numbers(1, said + 1)
          )
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      tries(4)
    )
  }

  it.live("fetches all it missed, however much, and then hears what comes, each once", () =>
    Effect.gen(function* () {
      const { port, ...home } = yield* arrange
      yield* say(port, ["1"], "dev")
      const args = ["--room", "dev", "--json", "--since", "1h"]
      assert.deepStrictEqual(contentsOf((yield* tailUntil(home, args, '"content":"1"')).lines), ["1"])
      yield* say(port, numbers(2, 2600), "dev")
      const { lines } = yield* tailUntil(home, args, '"content":"2600"')
      assert.deepStrictEqual(contentsOf(lines), numbers(2, 2600))
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("hears on when its server is restarted, and what was said before it was back", () =>
    Effect.gen(function* () {
      const { port, restart, ...home } = yield* arrange
      yield* say(port, ["1"])
      const state = `${home.folder}/state`
      const meanwhile = Effect.gen(function* () {
        yield* untilKept(state)
        yield* restart
        yield* say(port, ["2", "3"])
      })
      const hearing = tailUntil(home, ["--json", "--since", "1h", "--state", state], '"content":"3"')
      const [{ lines }] = yield* Effect.all([hearing, meanwhile], { concurrency: 2 })
      assert.deepStrictEqual(contentsOf(lines), ["1", "2", "3"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("goes on in a log that begins anew", () =>
    Effect.gen(function* () {
      const { begin, port, ...home } = yield* arrange
      yield* say(port, numbers(1, 5))
      yield* tailUntil(home, ["--json", "--since", "1h"], '"content":"5"')
      yield* begin
      yield* say(port, ["6", "7"])
      const { lines } = yield* tailUntil(home, ["--json"], '"content":"7"')
      assert.deepStrictEqual(contentsOf(lines), ["6", "7"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("hears what is said in private with one user, also while it was away, and nothing of others", () =>
    Effect.gen(function* () {
      const { env, folder, port, run } = yield* arrange
      const register = { password }
      const enter = Effect.fnUntraced(function* (user: string) {
        const client = yield* connect({ port })
        yield* client.ask({ _tag: "Handshake", user, register })
        return client
      })
      yield* enter("ear")
      const [ada, eve] = yield* Effect.all([enter("ada"), enter("eve")])
      const tell = (from: typeof ada, content: string) => from.ask({ _tag: "PrivateMessage", to: "ear", content })
      const home = { folder, run, env: { ...env, PARLEY_PASSWORD: password } }
      const args = ["--with", "ada", "--json", "--since", "1h"]
      for (const content of ["1", "2"]) yield* tell(ada, content)
      yield* tell(eve, "secret")
      assert.deepStrictEqual(contentsOf((yield* tailUntil(home, args, '"content":"2"')).lines), ["1", "2"])
      for (const [from, content] of [
        [eve, "x"],
        [ada, "3"],
        [eve, "y"],
        [ada, "4"]
      ] as const)
        yield* tell(from, content)
      assert.deepStrictEqual(contentsOf((yield* tailUntil(home, args, '"content":"4"')).lines), ["3", "4"])
    }).pipe(Effect.provide(NodeServices.layer))
  )

  it.live("is told of another one that uses its place, and of a file that is none of places", () =>
    Effect.gen(function* () {
      const { folder, port, run, ...home } = yield* arrange
      yield* say(port, ["1"])
      const state = ["--state", `${folder}/state`]
      const second = Effect.gen(function* () {
        const { exitCode, stderr } = yield* run(["tail", "--user", "ear", ...state])
        assert.strictEqual(exitCode, 2)
        assert.include(stderr, "Another tail keeps its place")
        yield* say(port, ["2"])
      })
      const first = tailUntil({ folder, run, ...home }, ["--since", "1h", ...state], "2")
      yield* Effect.all([first, Effect.andThen(untilKept(`${folder}/state`), second)], { concurrency: 2 })
      const files = yield* FileSystem.FileSystem
      yield* files.writeFileString(`${folder}/notes`, "hello")
      const { exitCode, stderr } = yield* run(["tail", "--state", `${folder}/notes`])
      assert.strictEqual(exitCode, 2)
      assert.include(stderr, "is not written over")
      assert.strictEqual(yield* files.readFileString(`${folder}/notes`), "hello")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})

/** The tail has come so far that it has kept its place. */
const untilKept = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  yield* files.exists(path).pipe(Effect.repeat({ until: (isThere) => isThere }))
})
