import { Buffer } from "node:buffer"
import { existsSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Schema } from "effect"
import { RoomName } from "../../src/common/name/RoomName.ts"
import { UserName } from "../../src/common/name/UserName.ts"
import { connect } from "../support/RawClient.ts"
import * as ServerHere from "../support/ServerHere.ts"
import { addChecksums, folder, makeDatabase, run, runHere, runShell, said, sqlite } from "./AdminProcess.ts"

/** Processes take real time. */
const realTime = layer(NodeServices.layer, { excludeTestServices: true })

const room = (name: string) => ({ _tag: "Room", room: Schema.decodeSync(RoomName)(name) }) as const
const ada = Schema.decodeSync(UserName)("Ada")

const lines = (text: string) => text.split("\n").filter((line) => line !== "")

realTime("pnpm admin export", (it) => {
  it.effect("writes a room as GetHistory gives it, byte for byte, from under a running server", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      const database = `${path}/chat.sqlite`
      const server = yield* ServerHere.start({ env: { PORT: "0", DATABASE: database, MESSAGE_RATE: "0" } })
      const client = yield* connect({ port: server.port })
      yield* client.ask({ _tag: "Handshake", user: "Ada" })
      for (const name of ["Gärten.1", "lobby"]) {
        yield* client.ask({ _tag: "CreateRoom", room: name })
        yield* client.ask({ _tag: "JoinRoom", room: name })
      }
      for (const content of ["hi", "zwei\nZeilen\t🍅", '"\\ \u2028 \u007f', "x".repeat(8000)]) {
        yield* client.ask({ _tag: "RoomMessage", room: "Gärten.1", content })
      }
      yield* client.ask({ _tag: "RoomMessage", room: "lobby", content: "in the room" })
      yield* client.ask({ _tag: "GlobalMessage", content: "in the lobby" })
      const before = client.receivedText().length
      yield* client.ask({ _tag: "GetHistory", room: "Gärten.1" })
      const history = client.receivedText().slice(before)

      const env = { DATABASE: database }
      const [garden, lobbyRoom, lobby] = yield* Effect.all(
        [
          run(["export", "GÄRTEN.1", "--format", "jsonl"], { env }),
          runHere(["export", "Lobby"], env),
          runHere(["export", "--lobby"], env)
        ],
        { concurrency: 2 }
      )
      assert.deepStrictEqual({ ...garden, stdout: "" }, { stdout: "", stderr: "", exitCode: 0 })
      assert.lengthOf(lines(garden.stdout), 4)
      assert.include(history, `"messages":[${lines(garden.stdout).join(",")}]`)
      assert.include(lobbyRoom.stdout, '"room":"lobby","seq":1')
      assert.match(
        lobby.stdout,
        /^\{"_tag":"GlobalMessage","seq":1,"at":\d+,"from":"Ada","content":"in the lobby"\}\n$/
      )
    })
  )

  it.effect("writes 20,000 messages in order, to a file as to a pipe, and stops when nobody reads on", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { names, path } = yield* folder
      const texts = Array.from({ length: 20_000 }, (_, index) => `message ${index + 1}`)
      yield* makeDatabase(`${path}/chat.sqlite`, said(room("Big"), ada, texts))
      const expected = texts
        .map((content, index) =>
          JSON.stringify({
            _tag: "RoomMessage",
            room: "Big",
            seq: index + 1,
            at: 1_790_000_000_000 + index,
            from: "Ada",
            content
          })
        )
        .join("\n")
      const env = { DATABASE: "chat.sqlite" }
      const [piped, filed, headed] = yield* Effect.all(
        [
          run(["export", "big"], { cwd: path, env }),
          runHere(["export", "big", "--output", `${path}/big.jsonl`], { DATABASE: `${path}/chat.sqlite` }),
          runShell('{ $ADMIN export big --database chat.sqlite; echo "exit $?" >&2; } | head -1', path)
        ],
        { concurrency: 2 }
      )
      assert.strictEqual(piped.stdout === `${expected}\n`, true)
      const told = `20,000 messages written to ${path}/big.jsonl.\n`
      assert.deepStrictEqual(filed, { stdout: told, stderr: "", exitCode: 0 })
      assert.strictEqual((yield* files.readFileString(`${path}/big.jsonl`)) === piped.stdout, true)
      assert.deepStrictEqual(headed, { stdout: `${lines(expected)[0]}\n`, stderr: "exit 0\n", exitCode: 0 })
      assert.notInclude(yield* names, "big.jsonl.partial")
    })
  )

  it.effect.skipIf(!existsSync("/dev/full"))("does not take a full disk for a reader that has seen enough", () =>
    Effect.gen(function* () {
      const { path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said({ _tag: "Lobby" }, ada, ["hi"]))
      assert.deepStrictEqual(yield* runShell("$ADMIN export --lobby --database chat.sqlite > /dev/full", path), {
        stdout: "",
        stderr: "Cannot write to standard output: the disk is full. Free some space and try again.\n",
        exitCode: 1
      })
    })
  )

  it.effect("goes on past what is damaged, and says how many messages that are", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const { path } = yield* folder
      const file = `${path}/chat.sqlite`
      const texts = Array.from({ length: 4000 }, (_, index) => `message ${index + 1} of a good length`)
      yield* makeDatabase(file, said(room("Garden"), ada, texts))
      yield* addChecksums(file)
      yield* sqlite(
        file,
        "UPDATE messages SET content = char(7) WHERE seq = 7",
        "UPDATE messages SET content = 'something else' WHERE seq = 8",
        "PRAGMA wal_checkpoint(TRUNCATE)"
      )
      // One leaf of the table, in the middle.
      const [page] = yield* sqlite(
        file,
        "SELECT pageno FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 20"
      )
      const { pageno } = yield* Schema.decodeUnknownEffect(Schema.Struct({ pageno: Schema.Int }))(page)
      const bytes = Buffer.from(yield* files.readFile(file))
      bytes.fill(0xff, (pageno - 1) * 4096, pageno * 4096)
      yield* files.writeFile(file, bytes)
      const { exitCode, stderr, stdout } = yield* runHere(["export", "garden", "--output", `${path}/out`], {
        DATABASE: file
      })
      const lost = Number(/^([\d,]+) messages could not be read and are left out\./.exec(stderr)?.[1])
      assert.isAbove(lost, 2, stderr)
      assert.isBelow(lost, 200)
      assert.strictEqual(exitCode, 1)
      const written = lines(yield* files.readFileString(`${path}/out`))
      assert.lengthOf(written, 4000 - lost)
      assert.strictEqual(stdout, `${written.length.toLocaleString("en")} messages written to ${path}/out.\n`)
      assert.include(written.at(-1), "message 4000 of")
    })
  )

  it.effect("says in one line what cannot be exported, and what can", () =>
    Effect.gen(function* () {
      const { names, path } = yield* folder
      yield* makeDatabase(`${path}/chat.sqlite`, said(room("Garden"), ada, ["hi"]), said(room("attic"), ada, ["hi"]))
      const database = `${path}/chat.sqlite`
      const refused = Effect.fnUntraced(function* (args: ReadonlyArray<string>, complaint: string) {
        const { exitCode, stderr, stdout } = yield* runHere(["export", ...args], { DATABASE: database })
        assert.deepStrictEqual({ exitCode, stdout }, { exitCode: 1, stdout: "" })
        assert.lengthOf(lines(stderr), 1, stderr)
        assert.include(stderr, complaint)
      })
      yield* refused(["kitchen"], `room "kitchen" of ${database}. It has these: attic, Garden.`)
      yield* refused(["garden", "--lobby"], "both")
      yield* refused(["garden", "--format", "csv"], 'Expected: "jsonl"')
      yield* refused(["garden", "--database", ":memory:"], "keeps nothing")
      yield* refused(["gardne"], `Nothing was ever said in a room "gardne" of ${database}. Did you mean Garden?`)
      assert.deepStrictEqual(yield* names, ["chat.sqlite", "chat.sqlite-search"])
    })
  )
})
