/** A room that was deleted is in no file any more within a minute, whatever happens meanwhile, and everything else is. */
import * as process from "node:process"
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Progress } from "../../src/server/admin/Progress.ts"
import { inspectUnused } from "../../src/server/admin/Verify.ts"
import * as Talk from "../support/AccountTalk.ts"
import { connect, type RawClient } from "../support/RawClient.ts"
import { reasonOf } from "../support/Rejections.ts"
import { tracesOf } from "./ErasingSecrets.ts"
import * as Eventually from "./Eventually.ts"
import * as FileServer from "./FileServer.ts"

const realTime = layer(NodeServices.layer, { excludeTestServices: true })

/** Words that stand nowhere else: names of the room and of a guest, what is said, and what people do. Their beginnings, in lower case. */
const words = ["wombatif", "quaggamir", "zugzwangl", "xylophoni", "numbatif", "vexillol", "yttriumw"]
const room = "Wombatification"
const long = "Zugzwangler ".repeat(680).slice(0, 8192)

const traces = tracesOf(words)

const door = (port: number) => ({ connect: (options = {}) => connect({ ...options, port }) })
const say = (content: string) => ({ _tag: "RoomMessage", room, content })

/** Fills the room, with as many messages as that beside the others; and says something in the lobby, which stays. */
const fill = Effect.fnUntraced(function* (port: number, count: number) {
  const { client: ada } = yield* Talk.register(door(port), "ada")
  const guest = yield* FileServer.join(port, "Quaggamire")
  yield* ada.ask({ _tag: "CreateRoom", room, topic: "Vexillology" })
  for (const client of [ada, guest]) yield* client.ask({ _tag: "JoinRoom", room })
  yield* ada.ask({ _tag: "GlobalMessage", content: "the lobby stays" })
  const first = yield* guest.ask({ ...say("ripe Zugzwangler"), key: "Yttriumworks-Yttriumworks" })
  yield* guest.ask({ _tag: "EditMessage", room, target: first["seq"], content: "Xylophonist" })
  const second = yield* ada.ask(say(long))
  yield* ada.ask({ _tag: "React", room, target: second["seq"], reaction: "Numbatif" })
  // The same again, by another key, is remembered for the first.
  yield* ada.ask({ _tag: "React", room, target: second["seq"], reaction: "Numbatif", key: "Yttriumworks-Yttriumworks" })
  const third = yield* ada.ask(say("Numbatification"))
  yield* ada.ask({ _tag: "SetTopic", room, topic: "Vexillologists" })
  yield* ada.ask({ _tag: "Kick", room, user: "Quaggamire", reason: "Xylophonist" })
  const many = Array.from({ length: count }, (_, index) => ({ ...say(`Zugzwangler ${index}`), id: `many ${index}` }))
  for (let start = 0; start < count; start += 500) {
    const some = many.slice(start, start + 500)
    yield* ada.send(...some)
    yield* ada.findMany((line) => String(line["id"]).startsWith("many "), some.length)
  }
  /** A message of it, and then all: at once, or it would be erased twenty seconds after that message. */
  const end = Effect.gen(function* () {
    yield* ada.send({ _tag: "DeleteMessage", room, target: third["seq"], reason: "Numbatification" })
    assert.strictEqual((yield* ada.ask({ _tag: "DeleteRoom", room }))._tag, "RoomDeleted")
  })
  return { ada, end }
})

const inIndex = (client: RawClient) =>
  Eventually.ask(
    "the index had its words",
    client.ask({ _tag: "Search", query: "zugzwangler", room }),
    (line) => Talk.listIn(line, "messages").length > 0
  )

const count = (file: string, rows: string) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file, { readOnly: true })
    const row = database.prepare(`SELECT COUNT(*) AS count FROM ${rows}`).get()
    database.close()
    return Number(row?.["count"])
  })

const buried = (file: string) => count(file, "messages WHERE sender = '-'")

/** The server says so itself; then it is looked at. */
const isErased = Effect.fnUntraced(function* (file: string) {
  const left = count(file, "(SELECT id FROM erasures UNION ALL SELECT id FROM conversations WHERE kind = 'Erased')")
  yield* Eventually.ask("nothing was left to erase", left, (rows) => rows === 0)
  assert.strictEqual(yield* count(file, "conversations WHERE kind = 'Gone'"), 1)
  assert.deepStrictEqual(yield* traces(file), [])
})

const isSound = Effect.fnUntraced(function* (file: string) {
  const { problems, remarks } = yield* Effect.provideService(inspectUnused(file, file), Progress, Progress.silent)
  assert.deepStrictEqual([problems, remarks], [[], []])
})

/** Erasing these takes many steps. */
const many = 2000

/** Lets others run for two milliseconds. */
const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)

/**
 * Stops a server when some entries are erased and others are not: it gets no further while it is looked at, for that holds the
 * lock of who writes. It still has the file open when the lock goes.
 */
const stopInTheMiddle = (file: string, pid: number) =>
  Effect.sync(() => {
    const database = new DatabaseSync(file, { timeout: 90_000 })
    const isUnderWay = database.prepare("SELECT 1 FROM messages WHERE sender = '-' LIMIT 1")
    const until = performance.now() + 90_000
    let isStopped = false
    while (!isStopped && performance.now() < until) {
      pause()
      database.exec("BEGIN IMMEDIATE")
      if (isUnderWay.get() !== undefined) isStopped = process.kill(pid, "SIGSTOP")
      database.exec("ROLLBACK")
    }
    database.close()
    assert.isTrue(isStopped, "Nothing was erased")
  })

/** A file whose server was killed in the middle; answers how many entries of the room were erased by then. */
const killInTheMiddle = Effect.fnUntraced(function* (file: string) {
  const server = yield* FileServer.start(file)
  const { end } = yield* fill(server.port, many)
  yield* end
  yield* stopInTheMiddle(file, server.pid)
  yield* server.kill("SIGKILL")
  return { file, erased: yield* buried(file) }
}, Effect.scoped)

realTime("a room that was deleted", (it) => {
  it.effect("is in no file within a minute, and everything else is as it was", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* FileServer.startHere(file)
          const { ada, end } = yield* fill(port, 600)
          yield* inIndex(ada)
          assert.isNotEmpty(yield* traces(file))
          yield* end
          yield* isErased(file)
          yield* ada.ask({ _tag: "CreateRoom", room: "garden" })
          yield* ada.ask({ _tag: "JoinRoom", room: "garden" })
          yield* ada.ask({ ...say("ripe"), room: "garden" })
          const found = yield* Eventually.ask(
            "what was said elsewhere was found",
            ada.ask({ _tag: "Search", query: "ripe" }),
            (line) => Talk.listIn(line, "messages").length > 0
          )
          assert.lengthOf(Talk.listIn(found, "messages"), 1)
          assert.lengthOf(Talk.listIn(yield* ada.ask({ _tag: "Search", query: "stays" }), "messages"), 1)
        })
      )
      yield* isSound(file)
    })
  )

  it.effect("is erased after a start if the process was killed as soon as it was told", () =>
    Effect.gen(function* () {
      const file = yield* FileServer.newFileInMemory
      yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* FileServer.start(file)
          const { ada, end } = yield* fill(server.port, 600)
          yield* inIndex(ada)
          yield* end
          yield* server.kill("SIGKILL")
        })
      )
      assert.isNotEmpty(yield* traces(file))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { port } = yield* FileServer.startHere(file)
          const { client: ada, welcome } = yield* Talk.logIn(door(port), "ada")
          // It is gone, whatever is left of it.
          assert.deepStrictEqual(welcome["rooms"], [])
          assert.deepInclude(reasonOf(yield* ada.ask({ _tag: "JoinRoom", room })), { _tag: "RoomNotFound" })
          yield* isErased(file)
          assert.lengthOf(yield* FileServer.readLog(ada), 1)
        })
      )
      yield* isSound(file)
    })
  )

  it.effect("is erased after a start if the process was killed while it was erased", () =>
    Effect.gen(function* () {
      // A server that was faster than this process, which another one held up, is killed once more.
      const { erased, file } = yield* Effect.repeat(Effect.flatMap(FileServer.newFileInMemory, killInTheMiddle), {
        until: ({ erased }) => erased < many,
        times: 4
      })
      assert.isBelow(erased, many)
      assert.isNotEmpty(yield* traces(file))
      yield* Effect.scoped(Effect.andThen(FileServer.startHere(file), isErased(file)))
      yield* isSound(file)
    })
  )
})
